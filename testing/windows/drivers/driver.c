/* The objects, their factory, and registration: as a DLL, or with BUILD_EXE as a program of its own. */
#include "driver.h"
#include <olectl.h>

typedef struct {
    IDispatch iface;
    LONG references;
    const Class *class;
} Object;

static LONG live;

/* A program ends with its last object, a DLL does not mind. */
#ifdef BUILD_EXE
static void gone(void) { PostQuitMessage(0); }
#else
static void gone(void) {}
#endif

static CRITICAL_SECTION lock; /* objects of one class share its state, on threads of their own */

double now(void) { return GetTickCount64() / 1000.0; }

void fail(Call *call, SCODE code, const WCHAR *why) { call->failed = code, call->why = why; }
void give_bool(Call *call, BOOL value) { V_VT(call->out) = VT_BOOL, V_BOOL(call->out) = value ? VARIANT_TRUE : VARIANT_FALSE; }
void give_int(Call *call, LONG value) { V_VT(call->out) = VT_I4, V_I4(call->out) = value; }
void give_short(Call *call, SHORT value) { V_VT(call->out) = VT_I2, V_I2(call->out) = value; }
void give_real(Call *call, double value) { V_VT(call->out) = VT_R8, V_R8(call->out) = value; }
void give_text(Call *call, const WCHAR *value) { V_VT(call->out) = VT_BSTR, V_BSTR(call->out) = SysAllocString(value); }

void give_texts(Call *call, const WCHAR *const *values, int count) {
    SAFEARRAY *array = SafeArrayCreateVector(VT_BSTR, 0, count);
    for (LONG i = 0; i < count; i++) {
        BSTR text = SysAllocString(values[i]);
        SafeArrayPutElement(array, &i, text);
        SysFreeString(text);
    }
    V_VT(call->out) = VT_ARRAY | VT_BSTR, V_ARRAY(call->out) = array;
}

void give_ints(Call *call, const LONG *values, int count) {
    SAFEARRAY *array = SafeArrayCreateVector(VT_I4, 0, count);
    for (LONG i = 0; i < count; i++) SafeArrayPutElement(array, &i, (void *)&values[i]);
    V_VT(call->out) = VT_ARRAY | VT_I4, V_ARRAY(call->out) = array;
}

static BOOL take(Call *call, int index, VARTYPE kind, VARIANT *into) {
    VariantInit(into);
    if (index < call->count && SUCCEEDED(VariantChangeType(into, call->in[index], 0, kind))) return TRUE;
    fail(call, INVALID_VALUE, L"an argument is missing or of a wrong kind");
    return FALSE;
}

BOOL take_bool(Call *call, int index) {
    VARIANT value;
    return take(call, index, VT_BOOL, &value) && V_BOOL(&value);
}

LONG take_int(Call *call, int index) {
    VARIANT value;
    return take(call, index, VT_I4, &value) ? V_I4(&value) : 0;
}

double take_real(Call *call, int index) {
    VARIANT value;
    return take(call, index, VT_R8, &value) ? V_R8(&value) : 0;
}

void take_text(Call *call, int index, WCHAR *into, int size) {
    VARIANT value;
    into[0] = 0;
    if (take(call, index, VT_BSTR, &value)) lstrcpynW(into, V_BSTR(&value) ? V_BSTR(&value) : L"", size), VariantClear(&value);
}

static HRESULT WINAPI query(IDispatch *this, REFIID id, void **into) {
    if (IsEqualGUID(id, &IID_IUnknown) || IsEqualGUID(id, &IID_IDispatch)) return *into = this, IDispatch_AddRef(this), S_OK;
    return *into = NULL, E_NOINTERFACE;
}
static ULONG WINAPI add(IDispatch *this) { return InterlockedIncrement(&((Object *)this)->references); }
static ULONG WINAPI release(IDispatch *this) {
    LONG left = InterlockedDecrement(&((Object *)this)->references);
    if (!left) {
        CoTaskMemFree(this);
        if (!InterlockedDecrement(&live)) gone();
    }
    return left;
}
static HRESULT WINAPI type_count(IDispatch *this, UINT *count) { return (void)this, *count = 0, S_OK; }
static HRESULT WINAPI type_info(IDispatch *this, UINT index, LCID locale, ITypeInfo **into) {
    return (void)this, (void)index, (void)locale, *into = NULL, DISP_E_BADINDEX;
}
static HRESULT WINAPI ids(IDispatch *this, REFIID id, LPOLESTR *names, UINT count, LCID locale, DISPID *into) {
    const Class *class = ((Object *)this)->class;
    (void)id, (void)locale;
    for (UINT k = 0; k < count; k++) into[k] = DISPID_UNKNOWN;
    for (int i = 0; i < class->count; i++)
        if (!lstrcmpiW(class->members[i].name, names[0])) return into[0] = 100 + i, count == 1 ? S_OK : DISP_E_UNKNOWNNAME;
    return DISP_E_UNKNOWNNAME;
}

static HRESULT WINAPI invoke(IDispatch *this, DISPID id, REFIID unused, LCID locale, WORD how, DISPPARAMS *given, VARIANT *out,
                             EXCEPINFO *exception, UINT *wrong) {
    const Class *class = ((Object *)this)->class;
    VARIANT nowhere;
    Call call = {.class = class, .put = (how & PUT) != 0, .out = out ? out : &nowhere};
    HRESULT wrongly;
    (void)unused, (void)locale, (void)wrong;
    VariantInit(call.out);
    if (id < 100 || id >= 100 + class->count) return DISP_E_MEMBERNOTFOUND;
    const Member *member = &class->members[id - 100];
    if (!(member->how & how)) return DISP_E_MEMBERNOTFOUND;
    if (given->cArgs > 4) return DISP_E_BADPARAMCOUNT;
    call.count = given->cArgs;
    for (int i = 0; i < call.count; i++) call.in[i] = &given->rgvarg[call.count - 1 - i];
    /* Outside the lock: what hangs does not hold up its neighbours. */
    if (misbehaves(class, member->name, exception, &wrongly)) return wrongly;
    EnterCriticalSection(&lock);
    if (!member->always && class->connected && !*class->connected) fail(&call, NOT_CONNECTED, L"is not connected");
    else member->act(&call);
    LeaveCriticalSection(&lock);
    if (!call.failed) return S_OK;
    VariantClear(call.out);
    if (exception) {
        ZeroMemory(exception, sizeof *exception);
        exception->scode = call.failed;
        exception->bstrSource = SysAllocString(class->prog_id);
        exception->bstrDescription = SysAllocString(call.why);
    }
    return DISP_E_EXCEPTION;
}

static IDispatchVtbl methods = {query, add, release, type_count, type_info, ids, invoke};

typedef struct {
    IClassFactory iface;
    const Class *class;
} Factory;

static HRESULT WINAPI factory_query(IClassFactory *this, REFIID id, void **into) {
    if (IsEqualGUID(id, &IID_IUnknown) || IsEqualGUID(id, &IID_IClassFactory)) return *into = this, S_OK;
    return *into = NULL, E_NOINTERFACE;
}
static ULONG WINAPI factory_count(IClassFactory *this) { return (void)this, 2; }
static HRESULT WINAPI factory_create(IClassFactory *this, IUnknown *outer, REFIID id, void **into) {
    if (outer) return CLASS_E_NOAGGREGATION;
    Object *object = CoTaskMemAlloc(sizeof *object);
    *object = (Object){{&methods}, 1, ((Factory *)this)->class};
    InterlockedIncrement(&live);
    HRESULT done = query(&object->iface, id, into);
    release(&object->iface);
    return done;
}
static HRESULT WINAPI factory_lock(IClassFactory *this, BOOL locked) { return (void)this, (void)locked, S_OK; }
static IClassFactoryVtbl factory_methods = {factory_query, factory_count, factory_count, factory_create, factory_lock};
static Factory factories[8];

static void prepare(void) {
    InitializeCriticalSection(&lock);
    for (int i = 0; i < CLASS_COUNT; i++) factories[i] = (Factory){{&factory_methods}, CLASSES[i]};
}

static LONG set(const WCHAR *key, const WCHAR *name, const WCHAR *value) {
    return RegSetKeyValueW(HKEY_CLASSES_ROOT, key, name, REG_SZ, value, (lstrlenW(value) + 1) * 2);
}

static HRESULT enlist(const WCHAR *server, const WCHAR *path) {
    for (int i = 0; i < CLASS_COUNT; i++) {
        const Class *class = CLASSES[i];
        WCHAR key[200], below[260];
        wsprintfW(below, L"%s\\CLSID", class->prog_id);
        if (set(below, NULL, class->class_id)) return SELFREG_E_CLASS;
        wsprintfW(key, L"CLSID\\%s", class->class_id);
        wsprintfW(below, L"%s\\%s", key, server);
        if (set(key, NULL, class->prog_id) || set(below, NULL, path)) return SELFREG_E_CLASS;
        set(below, L"ThreadingModel", L"Apartment");
        wsprintfW(below, L"%s\\ProgID", key);
        set(below, NULL, class->prog_id);
    }
    return S_OK;
}

#ifdef BUILD_EXE
int WINAPI WinMain(HINSTANCE instance, HINSTANCE before, LPSTR command, int show) {
    WCHAR path[MAX_PATH];
    MSG message;
    DWORD cookie;
    (void)instance, (void)before, (void)show;
    GetModuleFileNameW(NULL, path, MAX_PATH);
    if (strstr(command, "/regserver")) return enlist(L"LocalServer32", path);
    prepare();
    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    /* A process for each client: of one that dies Wine would go on offering a class that serves several. */
    for (int i = 0; i < CLASS_COUNT; i++)
        if (FAILED(CoRegisterClassObject(&CLASSES[i]->id, (IUnknown *)&factories[i], CLSCTX_LOCAL_SERVER, REGCLS_SINGLEUSE, &cookie)))
            return 1;
    while (GetMessageW(&message, NULL, 0, 0) > 0) TranslateMessage(&message), DispatchMessageW(&message);
    return 0;
}
#else
static HINSTANCE self;
BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved) {
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) self = instance, prepare();
    if (reason == DLL_PROCESS_DETACH) DeleteCriticalSection(&lock);
    return TRUE;
}
__declspec(dllexport) HRESULT WINAPI DllGetClassObject(REFCLSID id, REFIID interface_id, void **into) {
    for (int i = 0; i < CLASS_COUNT; i++)
        if (IsEqualGUID(id, &CLASSES[i]->id)) return factory_query(&factories[i].iface, interface_id, into);
    return CLASS_E_CLASSNOTAVAILABLE;
}
__declspec(dllexport) HRESULT WINAPI DllCanUnloadNow(void) { return live ? S_FALSE : S_OK; }
__declspec(dllexport) HRESULT WINAPI DllRegisterServer(void) {
    WCHAR path[MAX_PATH];
    GetModuleFileNameW(self, path, MAX_PATH);
    return enlist(L"InprocServer32", path);
}
#endif
