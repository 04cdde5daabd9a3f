/* A filter wheel: IFilterWheelV2, a place in 0.3 seconds. */
#include "driver.h"

static const WCHAR *const NAMES[] = {L"L", L"R", L"G", L"B", L"H\x03b1"};
static const LONG OFFSETS[] = {0, 10, 20, 30, -40};
enum { PLACES = COUNT(NAMES) };

static struct {
    BOOL connected;
    LONG place;
    double until;
} wheel;

static void connected(Call *call) {
    if (call->put) wheel.connected = take_bool(call, 0);
    else give_bool(call, wheel.connected);
}
CONSTANT(name, give_text, L"C wheel")
CONSTANT(version, give_text, L"1.0")
CONSTANT(interface_version, give_short, 2)
static Fault fault;
static void names(Call *call) { give_texts(call, NAMES, PLACES); }
static void offsets(Call *call) { give_ints(call, OFFSETS, PLACES); }
static void position(Call *call) {
    if (!call->put) { give_short(call, now() < wheel.until ? -1 : (SHORT)wheel.place); return; }
    LONG place = take_int(call, 0);
    if (place < 0 || place >= PLACES) { fail(call, INVALID_VALUE, L"there is no such place"); return; }
    wheel.until = now() + 0.3 * (place > wheel.place ? place - wheel.place : wheel.place - place), wheel.place = place;
}

static const Member MEMBERS[] = {
    {L"Connected", GET | PUT, connected, TRUE}, {L"Name", GET, name, TRUE}, {L"Description", GET, name, TRUE},
    {L"DriverInfo", GET, name, TRUE}, {L"DriverVersion", GET, version, TRUE}, {L"InterfaceVersion", GET, interface_version, TRUE},
    {L"SupportedActions", GET, supported_actions, TRUE}, {L"Action", DO, action, TRUE}, {L"Names", GET, names}, {L"FocusOffsets", GET, offsets},
    {L"Position", GET | PUT, position},
};

#ifdef BUILD_EXE
#define NAMED IDENTITY("TestProcess.FilterWheel", 13)
#else
#define NAMED IDENTITY("Test.FilterWheel", 03)
#endif

const Class FILTER_WHEEL = {NAMED, MEMBERS, COUNT(MEMBERS), &wheel.connected, &fault};
