/* A camera: ICameraV3. Its pictures are a slope with noise, as an array of 32-bit numbers, or by the action
     pattern  KIND PLANES FACTOR   (x + 3 y + 7 plane) mod 100 times the factor, as any kind of array; 1 plane: 2 dimensions
   It is built three times: one of the usual size, a second one of 16 megapixels, and one in a process of its own. */
#include "driver.h"
#include <wchar.h>

#ifdef SECOND
enum { WIDTH = 4656, HEIGHT = 3520 };
#else
enum { WIDTH = 640, HEIGHT = 480 };
#endif
enum { MAX_BIN = 4, MAX_ADU = 65535 };

static struct {
    BOOL connected, cooler, fast, exposing, ready, begun, light;
    LONG bin_x, bin_y, x, y, width, height, gain, offset, mode;
    LONG taken_x, taken_y, taken_width, taken_height, taken_bin_x, taken_bin_y;
    double since, length, set_point, temperature;
    SYSTEMTIME start;
    unsigned seed;
} camera = {.bin_x = 1, .bin_y = 1, .width = WIDTH, .height = HEIGHT, .gain = 10, .set_point = -10, .temperature = 15, .seed = 1};

static void settle(void) {
    if (camera.exposing && now() - camera.since >= camera.length) camera.exposing = FALSE, camera.ready = TRUE;
}

static void connected(Call *call) {
    if (call->put) camera.connected = take_bool(call, 0);
    else give_bool(call, camera.connected);
}
CONSTANT(name, give_text, L"C camera \x00e9\x4e2d")
CONSTANT(description, give_text, L"A camera for tests, in C")
CONSTANT(driver, give_text, L"astrobackend test drivers")
CONSTANT(version, give_text, L"1.0")
CONSTANT(interface_version, give_short, 3)
CONSTANT(yes, give_bool, TRUE)
CONSTANT(no, give_bool, FALSE)
CONSTANT(width, give_int, WIDTH)
CONSTANT(height, give_int, HEIGHT)
CONSTANT(pixel, give_real, 3.76)
CONSTANT(max_bin, give_short, MAX_BIN)
CONSTANT(zero, give_short, 0)
CONSTANT(sensor_name, give_text, L"TEST1")
CONSTANT(exposure_min, give_real, 0.001)
CONSTANT(exposure_max, give_real, 3600)
CONSTANT(exposure_resolution, give_real, 0.001)
CONSTANT(max_adu, give_int, MAX_ADU)
CONSTANT(per_adu, give_real, 0.8)
CONSTANT(full_well, give_real, 50000)
CONSTANT(gain_max, give_short, 100)
static Fault fault;
static void modes(Call *call) { give_texts(call, (const WCHAR *const[]){L"Normal", L"Quiet"}, 2); }

/* A whole number that is read, and written between two limits. */
#define NUMBER(function, field, least, most) \
    static void function(Call *call) { \
        if (!call->put) { give_int(call, camera.field); return; } \
        LONG value = take_int(call, 0); \
        if (value < (least) || value > (most)) fail(call, INVALID_VALUE, L"is out of range"); \
        else camera.field = value; \
    }
NUMBER(gain, gain, 0, 100)
NUMBER(offset, offset, 0, 100)
NUMBER(mode, mode, 0, 1)
NUMBER(start_x, x, 0, WIDTH)
NUMBER(start_y, y, 0, HEIGHT)
NUMBER(num_x, width, 1, WIDTH)
NUMBER(num_y, height, 1, HEIGHT)
NUMBER(bin_x, bin_x, 1, MAX_BIN)
NUMBER(bin_y, bin_y, 1, MAX_BIN)

static void fast(Call *call) {
    if (call->put) camera.fast = take_bool(call, 0);
    else give_bool(call, camera.fast);
}
static void cooler(Call *call) {
    if (call->put) camera.cooler = take_bool(call, 0);
    else give_bool(call, camera.cooler);
}
static void set_point(Call *call) {
    if (!call->put) { give_real(call, camera.set_point); return; }
    double value = take_real(call, 0);
    if (value < -50 || value > 50) fail(call, INVALID_VALUE, L"the temperature is out of range");
    else camera.set_point = value;
}
static void temperature(Call *call) { give_real(call, camera.cooler ? camera.set_point : camera.temperature); }
static void power(Call *call) { give_real(call, camera.cooler ? 40 : 0); }

static void state(Call *call) { settle(), give_int(call, camera.exposing ? 2 : 0); }
static void ready(Call *call) { settle(), give_bool(call, camera.ready); }
static void percent(Call *call) {
    settle();
    double done = camera.exposing ? 100 * (now() - camera.since) / camera.length : camera.ready ? 100 : 0;
    give_short(call, (SHORT)done);
}

/* The picture of the last exposure; asked again, it costs only the copy. */
static SAFEARRAY *taken;

static void start(Call *call) {
    double length = take_real(call, 0);
    BOOL light = take_bool(call, 1);
    settle();
    if (call->failed) return;
    if (length < 0 || length > 3600) { fail(call, INVALID_VALUE, L"the exposure time is out of range"); return; }
    if (camera.exposing) { fail(call, INVALID_OPERATION, L"an exposure is under way"); return; }
    if ((camera.x + camera.width) * camera.bin_x > WIDTH || (camera.y + camera.height) * camera.bin_y > HEIGHT) {
        fail(call, INVALID_VALUE, L"the region is not on the sensor");
        return;
    }
    camera.since = now(), camera.length = length, camera.light = light;
    camera.exposing = TRUE, camera.ready = FALSE, camera.begun = TRUE;
    if (taken) SafeArrayDestroy(taken), taken = NULL;
    camera.taken_x = camera.x, camera.taken_y = camera.y, camera.taken_width = camera.width, camera.taken_height = camera.height;
    camera.taken_bin_x = camera.bin_x, camera.taken_bin_y = camera.bin_y;
    GetSystemTime(&camera.start);
}
static void stop(Call *call) {
    (void)call;
    settle();
    if (camera.exposing) camera.length = now() - camera.since, settle();
}
static void abort_it(Call *call) {
    (void)call;
    settle();
    if (camera.exposing) camera.exposing = FALSE, camera.begun = FALSE;
}
static void last_start(Call *call) {
    WCHAR text[40];
    SYSTEMTIME *t = &camera.start;
    settle();
    if (!camera.ready) { fail(call, VALUE_NOT_SET, L"there was no exposure"); return; }
    wsprintfW(text, L"%04d-%02d-%02dT%02d:%02d:%02d.%03d", t->wYear, t->wMonth, t->wDay, t->wHour, t->wMinute, t->wSecond, t->wMilliseconds);
    give_text(call, text);
}
static void last_duration(Call *call) {
    settle();
    if (camera.ready) give_real(call, camera.length);
    else fail(call, VALUE_NOT_SET, L"there was no exposure");
}

static unsigned noise(void) { return camera.seed = camera.seed * 1664525 + 1013904223, camera.seed >> 24; }

static struct { unsigned kind, planes; int factor; } pattern;

/* An array to put pixels into: its first index runs fastest. */
static SAFEARRAY *array_of(VARTYPE kind, unsigned planes) {
    SAFEARRAYBOUND bounds[3] = {{camera.taken_width, 0}, {camera.taken_height, 0}, {planes, 0}};
    return SafeArrayCreate(kind, planes > 1 ? 3 : 2, bounds);
}

static SAFEARRAY *sky(void) {
    SAFEARRAY *array = array_of(VT_I4, 1);
    LONG *pixel;
    SafeArrayAccessData(array, (void **)&pixel);
    double light = camera.light ? 200 * camera.length * camera.taken_bin_x * camera.taken_bin_y : 0;
    for (LONG y = 0; y < camera.taken_height; y++)
        for (LONG x = 0; x < camera.taken_width; x++) {
            double slope = 1 + (camera.taken_x + x) / (double)WIDTH + 2 * (camera.taken_y + y) / (double)HEIGHT;
            LONG value = (LONG)(400 + light * slope) + noise() % 32;
            *pixel++ = value > MAX_ADU ? MAX_ADU : value;
        }
    SafeArrayUnaccessData(array);
    return array;
}

static SAFEARRAY *patterned(void) {
    SAFEARRAY *array = array_of((VARTYPE)pattern.kind, pattern.planes);
    for (LONG plane = 0; plane < (LONG)pattern.planes; plane++)
        for (LONG y = 0; y < camera.taken_height; y++)
            for (LONG x = 0; x < camera.taken_width; x++) {
                LONG at[3] = {x, y, plane};
                VARIANT whole, element;
                VariantInit(&element);
                V_VT(&whole) = VT_I4, V_I4(&whole) = (x + 3 * y + 7 * plane) % 100 * pattern.factor;
                if (pattern.kind == VT_VARIANT) SafeArrayPutElement(array, at, &whole);
                else VariantChangeType(&element, &whole, 0, (VARTYPE)pattern.kind), SafeArrayPutElement(array, at, &V_I8(&element));
            }
    return array;
}

static void picture(Call *call) {
    settle();
    if (!camera.ready) { fail(call, INVALID_OPERATION, L"there is no picture"); return; }
    if (!taken) taken = pattern.kind ? patterned() : sky();
    V_VT(call->out) = VT_ARRAY | (pattern.kind ? pattern.kind : VT_I4);
    SafeArrayCopy(taken, &V_ARRAY(call->out));
}

static void act(Call *call) {
    WCHAR name[32], what[64];
    take_text(call, 0, name, COUNT(name)), take_text(call, 1, what, COUNT(what));
    if (lstrcmpiW(name, L"pattern")) { action(call); return; }
    if (swscanf(what, L"%u %u %d", &pattern.kind, &pattern.planes, &pattern.factor) != 3) fail(call, INVALID_VALUE, L"KIND PLANES FACTOR");
    else give_text(call, L"");
}

static double pulse_until;
static void pulse(Call *call) { pulse_until = now() + take_int(call, 1) / 1000.0; }
static void pulsing(Call *call) { give_bool(call, now() < pulse_until); }

static const Member MEMBERS[] = {
    {L"Connected", GET | PUT, connected, TRUE}, {L"Name", GET, name, TRUE}, {L"Description", GET, description, TRUE},
    {L"DriverInfo", GET, driver, TRUE}, {L"DriverVersion", GET, version, TRUE}, {L"InterfaceVersion", GET, interface_version, TRUE},
    {L"SupportedActions", GET, supported_actions, TRUE}, {L"Action", DO, act, TRUE}, {L"CameraXSize", GET, width}, {L"CameraYSize", GET, height},
    {L"PixelSizeX", GET, pixel}, {L"PixelSizeY", GET, pixel}, {L"MaxBinX", GET, max_bin}, {L"MaxBinY", GET, max_bin},
    {L"BinX", GET | PUT, bin_x}, {L"BinY", GET | PUT, bin_y}, {L"StartX", GET | PUT, start_x}, {L"StartY", GET | PUT, start_y},
    {L"NumX", GET | PUT, num_x}, {L"NumY", GET | PUT, num_y}, {L"CanAsymmetricBin", GET, yes}, {L"CanStopExposure", GET, yes},
    {L"CanAbortExposure", GET, yes}, {L"CanPulseGuide", GET, yes}, {L"PulseGuide", DO, pulse}, {L"IsPulseGuiding", GET, pulsing},
    {L"HasShutter", GET, yes}, {L"CanSetCCDTemperature", GET, yes}, {L"CanGetCoolerPower", GET, yes}, {L"CoolerOn", GET | PUT, cooler},
    {L"CoolerPower", GET, power}, {L"CCDTemperature", GET, temperature}, {L"SetCCDTemperature", GET | PUT, set_point},
    {L"Gain", GET | PUT, gain}, {L"GainMin", GET, zero}, {L"GainMax", GET, gain_max}, {L"Offset", GET | PUT, offset},
    {L"OffsetMin", GET, zero}, {L"OffsetMax", GET, gain_max}, {L"ReadoutMode", GET | PUT, mode}, {L"ReadoutModes", GET, modes},
    {L"CanFastReadout", GET, yes}, {L"FastReadout", GET | PUT, fast}, {L"SensorType", GET, zero}, {L"SensorName", GET, sensor_name},
    {L"ExposureMin", GET, exposure_min}, {L"ExposureMax", GET, exposure_max}, {L"ExposureResolution", GET, exposure_resolution},
    {L"MaxADU", GET, max_adu}, {L"ElectronsPerADU", GET, per_adu}, {L"FullWellCapacity", GET, full_well},
    {L"CameraState", GET, state}, {L"ImageReady", GET, ready}, {L"PercentCompleted", GET, percent}, {L"StartExposure", DO, start},
    {L"StopExposure", DO, stop}, {L"AbortExposure", DO, abort_it}, {L"LastExposureStartTime", GET, last_start},
    {L"LastExposureDuration", GET, last_duration}, {L"ImageArray", GET, picture}, {L"Nothing", GET, no},
};

#if defined(BUILD_EXE)
#define NAMED IDENTITY("TestProcess.Camera", 11)
#elif defined(SECOND)
#define CAMERA SECOND_CAMERA
#define NAMED IDENTITY("TestSecond.Camera", 06)
#else
#define NAMED IDENTITY("Test.Camera", 01)
#endif

const Class CAMERA = {NAMED, MEMBERS, COUNT(MEMBERS), &camera.connected, &fault};
