/* A stand-in for ASCOM's chooser, under its name: picks the last choice, or the test driver of the kind. */
#include "driver.h"

static WCHAR kind[64] = L"Telescope";

static void device_type(Call *call) {
    if (call->put) take_text(call, 0, kind, COUNT(kind));
    else give_text(call, kind);
}
static void choose(Call *call) {
    WCHAR last[128], picked[128];
    take_text(call, 0, last, COUNT(last));
    wsprintfW(picked, L"Test.%s", kind);
    give_text(call, last[0] ? last : picked);
}

static const Member MEMBERS[] = {{L"DeviceType", GET | PUT, device_type, TRUE}, {L"Choose", DO, choose, TRUE}};

const Class CHOOSER = {IDENTITY("ASCOM.Utilities.Chooser", 05), MEMBERS, COUNT(MEMBERS), NULL, NULL};
