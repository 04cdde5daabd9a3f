/* A focuser, absolute, 2000 steps a second. It is built twice: as IFocuserV2, and as Platform 7's IFocuserV4, which
   connects on its own time and tells its state in one go. */
#include "driver.h"

enum { MAX_STEP = 60000 };
static const double SPEED = 2000;

static struct {
    BOOL connected, compensates;
    double from, to, since;
} focuser = {.from = 30000, .to = 30000};

static double position(void) {
    double way = focuser.to - focuser.from, gone = SPEED * (now() - focuser.since);
    if (gone >= (way < 0 ? -way : way)) return focuser.to;
    return focuser.from + (way < 0 ? -gone : gone);
}

static void connected(Call *call) {
    if (call->put) focuser.connected = take_bool(call, 0);
    else give_bool(call, focuser.connected);
}
CONSTANT(name, give_text, L"C focuser")
CONSTANT(version, give_text, L"1.0")
CONSTANT(yes, give_bool, TRUE)
CONSTANT(max_step, give_int, MAX_STEP)
CONSTANT(step_size, give_real, 1.5)
CONSTANT(temperature, give_real, 8.5)
static Fault fault;
static void compensates(Call *call) {
    if (call->put) focuser.compensates = take_bool(call, 0);
    else give_bool(call, focuser.compensates);
}
static void where(Call *call) { give_int(call, (LONG)position()); }
static void moving(Call *call) { give_bool(call, position() != focuser.to); }
static void move(Call *call) {
    LONG target = take_int(call, 0);
    if (target < 0 || target > MAX_STEP) { fail(call, INVALID_VALUE, L"the position is out of range"); return; }
    focuser.from = position(), focuser.to = target, focuser.since = now();
}
static void halt(Call *call) { (void)call, focuser.from = focuser.to = (LONG)position(); }

#ifdef SECOND
CONSTANT(interface_version, give_short, 4)
static const double CONNECTING = 0.3;
static double connecting_until;
static BOOL wanted;

static void connecting(Call *call) {
    if (connecting_until && now() >= connecting_until) focuser.connected = wanted, connecting_until = 0;
    give_bool(call, connecting_until != 0);
}
static void begin(BOOL state) { wanted = state, connecting_until = now() + CONNECTING; }
static void connect_it(Call *call) { (void)call, begin(TRUE); }
static void disconnect_it(Call *call) { (void)call, begin(FALSE); }
static void device_state(Call *call) {
    Entry entries[] = {
        {{L"Name", L"Value"}, {{{{VT_BSTR}}}, {{{VT_BOOL}}}}}, {{L"Name", L"Value"}, {{{{VT_BSTR}}}, {{{VT_I4}}}}},
        {{L"Name", L"Value"}, {{{{VT_BSTR}}}, {{{VT_R8}}}}}, {{L"Name", L"Value"}, {{{{VT_BSTR}}}, {{{VT_DATE}}}}},
    };
    const WCHAR *const names[] = {L"IsMoving", L"Position", L"Temperature", L"TimeStamp"};
    for (int i = 0; i < COUNT(entries); i++) V_BSTR(&entries[i].values[0]) = SysAllocString(names[i]);
    V_BOOL(&entries[0].values[1]) = position() != focuser.to ? VARIANT_TRUE : VARIANT_FALSE;
    V_I4(&entries[1].values[1]) = (LONG)position();
    V_R8(&entries[2].values[1]) = 8.5, V_DATE(&entries[3].values[1]) = 46000.5;
    give_collection(call, entries, COUNT(entries));
    for (int i = 0; i < COUNT(entries); i++) VariantClear(&entries[i].values[0]);
}
#define PLATFORM_7 {L"Connect", DO, connect_it, TRUE}, {L"Disconnect", DO, disconnect_it, TRUE}, {L"Connecting", GET, connecting, TRUE}, \
    {L"DeviceState", GET, device_state},
#define FOCUSER SECOND_FOCUSER
#define NAMED IDENTITY("TestSecond.Focuser", 07)
#else
CONSTANT(interface_version, give_short, 2)
#define PLATFORM_7
#ifdef BUILD_EXE
#define NAMED IDENTITY("TestProcess.Focuser", 12)
#else
#define NAMED IDENTITY("Test.Focuser", 02)
#endif
#endif

static const Member MEMBERS[] = {
    PLATFORM_7
    {L"Connected", GET | PUT, connected, TRUE}, {L"Link", GET | PUT, connected, TRUE}, {L"Name", GET, name, TRUE},
    {L"Description", GET, name, TRUE}, {L"DriverInfo", GET, name, TRUE}, {L"DriverVersion", GET, version, TRUE},
    {L"InterfaceVersion", GET, interface_version, TRUE}, {L"SupportedActions", GET, supported_actions, TRUE}, {L"Action", DO, action, TRUE}, {L"Absolute", GET, yes},
    {L"MaxStep", GET, max_step}, {L"MaxIncrement", GET, max_step}, {L"StepSize", GET, step_size}, {L"Temperature", GET, temperature},
    {L"TempCompAvailable", GET, yes}, {L"TempComp", GET | PUT, compensates}, {L"Position", GET, where}, {L"IsMoving", GET, moving},
    {L"Move", DO, move}, {L"Halt", DO, halt},
};

const Class FOCUSER = {NAMED, MEMBERS, COUNT(MEMBERS), &focuser.connected, &fault};
