/* What the test drivers share: objects of COM automation whose members are in a table.
   They are in C so that nothing of the code under test is in them. */
#ifndef DRIVER_H
#define DRIVER_H
#define COBJMACROS
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <objbase.h>
#include <oleauto.h>

/* ASCOM's numbers. */
#define NOT_IMPLEMENTED 0x80040400
#define INVALID_VALUE 0x80040401
#define VALUE_NOT_SET 0x80040402
#define NOT_CONNECTED 0x80040407
#define PARKED 0x80040408
#define INVALID_OPERATION 0x8004040B
#define ACTION_NOT_IMPLEMENTED 0x8004040C

typedef struct Class Class;

/* A call: its arguments in their order, and the answer. */
typedef struct {
    const Class *class;
    VARIANT *in[4];
    int count;
    BOOL put;
    VARIANT *out;
    SCODE failed;
    const WCHAR *why;
} Call;

typedef struct {
    const WCHAR *name;
    WORD how; /* DISPATCH_PROPERTYGET, _PROPERTYPUT, _METHOD */
    void (*act)(Call *);
    BOOL always; /* also while not connected */
} Member;

/* What the next call of a member does instead: see faults.c. */
typedef struct {
    WCHAR member[64];
    enum { NOTHING, HANG, SCODE_, WCODE, LATE, BARE } how;
    unsigned code;
} Fault;

struct Class {
    const WCHAR *prog_id;
    const WCHAR *class_id;
    CLSID id;
    const Member *members;
    int count;
    BOOL *connected;
    Fault *fault;
};

/* The names of a class: its ProgID, and its class's id, whose last two digits are its own. */
#define IDENTITY(prog_id, last) \
    L##prog_id, L"{7A1B2C3D-1111-4222-8333-94445555CC" #last "}", {0x7a1b2c3d, 0x1111, 0x4222, {0x83, 0x33, 0x94, 0x44, 0x55, 0x55, 0xcc, 0x##last}}

extern const Class *const CLASSES[];
extern const int CLASS_COUNT;

void fail(Call *call, SCODE code, const WCHAR *why);
void give_bool(Call *call, BOOL value);
void give_int(Call *call, LONG value);
void give_short(Call *call, SHORT value);
void give_real(Call *call, double value);
void give_text(Call *call, const WCHAR *value);
void give_texts(Call *call, const WCHAR *const *values, int count);
void give_ints(Call *call, const LONG *values, int count);
/* An object of a collection: two members with their values. */
typedef struct {
    const WCHAR *names[2];
    VARIANT values[2];
} Entry;
void give_collection(Call *call, Entry *entries, int count);
BOOL take_bool(Call *call, int index);
LONG take_int(Call *call, int index);
double take_real(Call *call, int index);
void take_text(Call *call, int index, WCHAR *into, int size);

void supported_actions(Call *call);
void action(Call *call);
/* True when the call shall fail so; one that shall hang does so in here. */
BOOL misbehaves(const Class *class, const WCHAR *member, EXCEPINFO *exception, HRESULT *result);

/* Seconds since some moment. */
double now(void);

#define GET DISPATCH_PROPERTYGET
#define PUT DISPATCH_PROPERTYPUT
#define DO DISPATCH_METHOD
#define CONSTANT(function, give, value) \
    static void function(Call *call) { give(call, value); }
#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

#endif
