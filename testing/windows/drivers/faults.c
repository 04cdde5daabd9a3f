/* What a test tells a driver to do wrong, through ASCOM's Action:

     hang    MEMBER [CODE]     its next call does not return until somebody says "release", or a minute has passed;
                               then it is done, or fails with CODE; MEMBER "any": all calls of all members do so, from
                               now on, until this driver is told "release"
     throw   MEMBER HOW CODE   its next call fails: with CODE as "scode" or "wcode" of an exception, as one that is filled
                               in "late", or as a "bare" result without a word
     release                   lets all that hang go on, in any process
     process                   answers the number of the driver's process
     read    MEMBER            answers what the member is, as another program would hear it
     write   MEMBER VALUE      sets it, or calls it with that, as another program would

   A driver with a process of its own ends that when a member is called for which there is a semaphore "astrobackend-test-die PROGID MEMBER"
   that can be had: as often as the test has said, also in the processes that come after. */
#include "driver.h"
#include <wchar.h>

enum { LONGEST_HANG = 60000 };

static const WCHAR ANY[] = L"any";

static HANDLE going_on(void) { return CreateEventW(NULL, TRUE, FALSE, L"astrobackend-test-release"); }

void supported_actions(Call *call) {
    give_texts(call, (const WCHAR *const[]){L"hang", L"throw", L"release", L"process", L"read", L"write"}, 6);
}

/* Does what another program asks for. */
static void of_others(Call *call, const WCHAR *name, WORD how, VARIANT *value) {
    for (int i = 0; i < call->class->count; i++) {
        const Member *member = &call->class->members[i];
        if (lstrcmpiW(member->name, name) || !(member->how & how)) continue;
        VARIANT answer;
        VariantInit(&answer);
        Call other = {.class = call->class, .in = {value}, .count = value ? 1 : 0, .put = (member->how & how & PUT) != 0, .out = &answer};
        member->act(&other);
        call->failed = other.failed, call->why = other.why;
        VariantClear(call->out);
        if (call->failed || V_VT(&answer) == VT_EMPTY || FAILED(VariantChangeType(call->out, &answer, VARIANT_ALPHABOOL, VT_BSTR)))
            give_text(call, L"");
        VariantClear(&answer);
        return;
    }
    fail(call, ACTION_NOT_IMPLEMENTED, L"there is no such member");
}

void action(Call *call) {
    Fault *fault = call->class->fault;
    WCHAR name[32], what[128], how[16] = L"";
    unsigned code = 0;
    take_text(call, 0, name, COUNT(name)), take_text(call, 1, what, COUNT(what));
    if (call->failed) return;
    give_text(call, L"");
    if (!lstrcmpiW(name, L"hang")) {
        ResetEvent(going_on());
        fault->how = swscanf(what, L"%63ls %x", fault->member, &code) > 0 ? HANG : NOTHING;
        fault->code = code;
    } else if (!lstrcmpiW(name, L"throw") && swscanf(what, L"%63ls %15ls %x", fault->member, how, &code) == 3) {
        fault->code = code;
        fault->how = !lstrcmpW(how, L"bare") ? BARE : !lstrcmpW(how, L"late") ? LATE : !lstrcmpW(how, L"wcode") ? WCODE : SCODE_;
    } else if (!lstrcmpiW(name, L"release")) {
        if (!lstrcmpiW(fault->member, ANY)) fault->how = NOTHING;
        SetEvent(going_on());
    } else if (!lstrcmpiW(name, L"process")) {
        wsprintfW(what, L"%u", GetCurrentProcessId());
        give_text(call, what);
    } else if (!lstrcmpiW(name, L"read")) {
        of_others(call, what, GET, NULL);
    } else if (!lstrcmpiW(name, L"write")) {
        WCHAR *value = wcschr(what, L' ');
        VARIANT text;
        VariantInit(&text);
        if (value) *value++ = 0, V_VT(&text) = VT_BSTR, V_BSTR(&text) = SysAllocString(value);
        of_others(call, what, PUT | DO, value ? &text : NULL);
        VariantClear(&text);
    } else {
        fail(call, ACTION_NOT_IMPLEMENTED, L"there is no such action");
    }
}

static HRESULT WINAPI fill_in(EXCEPINFO *exception) {
    exception->bstrSource = SysAllocString(L"late");
    exception->bstrDescription = SysAllocString(L"was told to, and says so late");
    return S_OK;
}

#ifdef BUILD_EXE
static void dies(const Class *class, const WCHAR *member) {
    WCHAR name[128];
    wsprintfW(name, L"astrobackend-test-die %s %s", class->prog_id, member);
    HANDLE turns = OpenSemaphoreW(SYNCHRONIZE, FALSE, name);
    if (!turns) return;
    if (WaitForSingleObject(turns, 0) == WAIT_OBJECT_0) TerminateProcess(GetCurrentProcess(), 1);
    CloseHandle(turns);
}
#else
static void dies(const Class *class, const WCHAR *member) { (void)class, (void)member; }
#endif

BOOL misbehaves(const Class *class, const WCHAR *member, EXCEPINFO *exception, HRESULT *result) {
    Fault *fault = class->fault, now;
    dies(class, member);
    if (!fault || !fault->how) return FALSE;
    if (fault->how == HANG && !lstrcmpiW(fault->member, ANY)) {
        if (lstrcmpiW(member, L"Action")) WaitForSingleObject(going_on(), LONGEST_HANG);
        return FALSE;
    }
    if (lstrcmpiW(fault->member, member)) return FALSE;
    now = *fault, fault->how = NOTHING;
    if (now.how == HANG) {
        WaitForSingleObject(going_on(), LONGEST_HANG);
        if (!now.code) return FALSE;
    }
    if (now.how == BARE || !exception) return *result = (HRESULT)now.code, TRUE;
    ZeroMemory(exception, sizeof *exception);
    if (now.how == WCODE) exception->wCode = (WORD)now.code;
    else exception->scode = (SCODE)now.code;
    if (now.how == LATE) exception->pfnDeferredFillIn = fill_in;
    else exception->bstrSource = SysAllocString(class->prog_id), exception->bstrDescription = SysAllocString(L"was told to");
    return *result = DISP_E_EXCEPTION, TRUE;
}
