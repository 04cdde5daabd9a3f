/* A focuser: IFocuserV2, absolute, 2000 steps a second. */
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
CONSTANT(interface_version, give_short, 2)
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

static const Member MEMBERS[] = {
    {L"Connected", GET | PUT, connected, TRUE}, {L"Link", GET | PUT, connected, TRUE}, {L"Name", GET, name, TRUE},
    {L"Description", GET, name, TRUE}, {L"DriverInfo", GET, name, TRUE}, {L"DriverVersion", GET, version, TRUE},
    {L"InterfaceVersion", GET, interface_version, TRUE}, {L"SupportedActions", GET, supported_actions, TRUE}, {L"Action", DO, action, TRUE}, {L"Absolute", GET, yes},
    {L"MaxStep", GET, max_step}, {L"MaxIncrement", GET, max_step}, {L"StepSize", GET, step_size}, {L"Temperature", GET, temperature},
    {L"TempCompAvailable", GET, yes}, {L"TempComp", GET | PUT, compensates}, {L"Position", GET, where}, {L"IsMoving", GET, moving},
    {L"Move", DO, move}, {L"Halt", DO, halt},
};

const Class FOCUSER = {L"Test.Focuser", L"{7A1B2C3D-1111-4222-8333-94445555CC02}",
                       {0x7a1b2c3d, 0x1111, 0x4222, {0x83, 0x33, 0x94, 0x44, 0x55, 0x55, 0xcc, 0x02}},
                       MEMBERS, COUNT(MEMBERS), &focuser.connected, &fault};
