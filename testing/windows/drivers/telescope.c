/* A German mount: ITelescopeV3, topocentric coordinates, 20 degrees a second. */
#include "driver.h"
#include <math.h>

/* The one with a process of its own forgets that it tracked when that dies. */
#ifdef BUILD_EXE
#define TRACKS_AT_FIRST FALSE
#else
#define TRACKS_AT_FIRST TRUE
#endif

static const double PI = 3.14159265358979323846, SPEED = 60, LIMIT = 0;
#define RADIANS(degrees) ((degrees) * PI / 180)
#define DEGREES(radians) ((radians) * 180 / PI)

/* Hour angle and declination in degrees: what the axes have. While it tracks, the right ascension stands instead. */
static struct {
    BOOL connected, tracking, parked, home, moving, pulsing, parking, homing;
    double ra, hour_angle, dec;          /* hours, hours, degrees */
    double from_ha, from_dec, to_ha, to_dec, since, until;
    double park_ha, park_dec, rate_ra, rate_dec, guide_ra, guide_dec, pulse_until;
    double axis_rate[2], axis_since;
    double latitude, longitude, elevation, target_ra, target_dec, clock_offset;
    BOOL target_set, clock_set;
    LONG rate, settle;
    LONG side; /* 0 east, 1 west */
} mount = {.dec = 90, .latitude = 40, .longitude = 10, .elevation = 300, .guide_ra = 0.00208, .guide_dec = 0.00208, .park_dec = 90, .tracking = TRACKS_AT_FIRST};

static double wrap(double value, double turn) {
    value = fmod(value, turn);
    return value < 0 ? value + turn : value;
}

/* Days since 2000 January 1, 12 h. */
static double days(void) {
    FILETIME file;
    ULARGE_INTEGER ticks;
    GetSystemTimeAsFileTime(&file);
    ticks.LowPart = file.dwLowDateTime, ticks.HighPart = file.dwHighDateTime;
    return (ticks.QuadPart - 125911584000000000ULL) / 864e9 - 0.5 + mount.clock_offset;
}

static double sidereal(void) {
    double d = days(), node = RADIANS(125.04 - 0.052954 * d), sun = RADIANS(280.47 + 0.98565 * d);
    double nutation = (-0.000319 * sin(node) - 0.000024 * sin(2 * sun)) * cos(RADIANS(23.4393 - 0.0000004 * d));
    return wrap(18.697374558 + 24.06570982441908 * d + nutation + mount.longitude / 15, 24);
}

/* Where the axes are: brings a motion up to date. */
static void look(void) {
    double lst = sidereal(), t = now();
    if (mount.moving) {
        double way_ha = wrap(mount.to_ha - mount.from_ha + 12, 24) - 12, way_dec = mount.to_dec - mount.from_dec;
        double length = fmax(fabs(way_ha) * 15, fabs(way_dec)), part = length > 0 ? SPEED * (t - mount.since) / length : 1;
        if (part > 1) part = 1;
        mount.hour_angle = mount.from_ha + way_ha * part, mount.dec = mount.from_dec + way_dec * part;
        if (part >= 1 && t >= mount.until) {
            mount.moving = FALSE;
            mount.parked = mount.parking, mount.home = mount.homing;
            if (mount.parking || mount.homing) mount.tracking = FALSE;
            else if (mount.tracking) mount.hour_angle = mount.to_ha = wrap(lst - mount.target_ra + 12, 24) - 12;
            mount.parking = mount.homing = FALSE;
        }
        mount.ra = wrap(lst - mount.hour_angle, 24);
        if (!mount.moving && mount.tracking) mount.ra = mount.target_ra;
        return;
    }
    if (mount.axis_rate[0] != 0 || mount.axis_rate[1] != 0) {
        double passed = t - mount.axis_since;
        mount.hour_angle -= mount.axis_rate[0] * passed / 15;
        mount.dec = fmin(90, fmax(-90, mount.dec + mount.axis_rate[1] * passed));
        mount.axis_since = t, mount.ra = wrap(lst - mount.hour_angle, 24);
        return;
    }
    if (mount.tracking) mount.hour_angle = wrap(lst - mount.ra + 12, 24) - 12;
    else mount.ra = wrap(lst - mount.hour_angle, 24);
}

static void horizontal(double ha, double dec, double *alt, double *az) {
    double h = RADIANS(ha * 15), d = RADIANS(dec), f = RADIANS(mount.latitude);
    *alt = DEGREES(asin(sin(f) * sin(d) + cos(f) * cos(d) * cos(h)));
    *az = wrap(DEGREES(atan2(-cos(d) * sin(h), sin(d) * cos(f) - cos(d) * cos(h) * sin(f))), 360);
}

static void equatorial(double alt, double az, double *ha, double *dec) {
    double a = RADIANS(alt), z = RADIANS(az), f = RADIANS(mount.latitude);
    *dec = DEGREES(asin(sin(f) * sin(a) + cos(f) * cos(a) * cos(z)));
    *ha = DEGREES(atan2(-cos(a) * sin(z), sin(a) * cos(f) - cos(a) * cos(z) * sin(f))) / 15;
}

static void go(double ha, double dec) {
    look();
    mount.from_ha = mount.hour_angle, mount.from_dec = mount.dec, mount.to_ha = ha, mount.to_dec = dec, mount.since = now();
    double way_ha = wrap(ha - mount.hour_angle + 12, 24) - 12;
    mount.until = now() + fmax(fabs(way_ha) * 15, fabs(dec - mount.dec)) / SPEED + mount.settle;
    mount.moving = TRUE, mount.home = FALSE;
}

static BOOL is_parked(Call *call) {
    look();
    if (mount.parked) fail(call, PARKED, L"the mount is parked");
    return mount.parked;
}

static void connected(Call *call) {
    if (call->put) mount.connected = take_bool(call, 0);
    else give_bool(call, mount.connected);
}
CONSTANT(name, give_text, L"C mount")
CONSTANT(version, give_text, L"1.0")
CONSTANT(interface_version, give_short, 3)
CONSTANT(yes, give_bool, TRUE)
CONSTANT(no, give_bool, FALSE)
CONSTANT(german, give_int, 2)
CONSTANT(topocentric, give_int, 1)
CONSTANT(aperture, give_real, 0.2)
CONSTANT(area, give_real, 0.0314)
CONSTANT(focal_length, give_real, 0.8)
static Fault fault;

#define SETTING(function, field, least, most, then) \
    static void function(Call *call) { \
        if (!call->put) { give_real(call, mount.field); return; } \
        double value = take_real(call, 0); \
        if (!(value >= (least) && value <= (most))) fail(call, INVALID_VALUE, L"is out of range"); \
        else { look(); mount.field = value; then; } \
    }
SETTING(latitude, latitude, -90, 90, (void)0)
SETTING(longitude, longitude, -180, 180, (void)0)
SETTING(elevation, elevation, -300, 10000, (void)0)
SETTING(guide_ra, guide_ra, 0, 1, (void)0)
SETTING(guide_dec, guide_dec, 0, 1, (void)0)
SETTING(rate_ra, rate_ra, -10, 10, (void)0)
SETTING(rate_dec, rate_dec, -600, 600, (void)0)

static void settle(Call *call) {
    if (!call->put) { give_short(call, (SHORT)mount.settle); return; }
    LONG value = take_int(call, 0);
    if (value < 0 || value > 32767) fail(call, INVALID_VALUE, L"the settle time is out of range");
    else mount.settle = value;
}
static void rate(Call *call) {
    if (!call->put) { give_int(call, mount.rate); return; }
    LONG value = take_int(call, 0);
    if (value < 0 || value > 2) fail(call, INVALID_VALUE, L"there is no such rate");
    else mount.rate = value;
}
static void rates(Call *call) { give_ints(call, (const LONG[]){0, 1, 2}, 3); }
static void tracking(Call *call) {
    look();
    if (!call->put) { give_bool(call, mount.tracking); return; }
    BOOL on = take_bool(call, 0);
    if (on && is_parked(call)) return;
    mount.tracking = on;
}
static void ra(Call *call) { look(), give_real(call, mount.ra); }
static void dec(Call *call) { look(), give_real(call, mount.dec); }
static void altitude(Call *call) {
    double alt, az;
    look(), horizontal(sidereal() - mount.ra, mount.dec, &alt, &az), give_real(call, alt);
}
static void azimuth(Call *call) {
    double alt, az;
    look(), horizontal(sidereal() - mount.ra, mount.dec, &alt, &az), give_real(call, az);
}
static void lst(Call *call) { give_real(call, sidereal()); }
static void slewing(Call *call) { look(), give_bool(call, mount.moving || mount.axis_rate[0] != 0 || mount.axis_rate[1] != 0); }
static void at_park(Call *call) { look(), give_bool(call, mount.parked); }
static void at_home(Call *call) { look(), give_bool(call, mount.home); }
static void side(Call *call) { look(), give_int(call, mount.hour_angle < 0 ? 1 : 0); }
static void utc(Call *call) {
    if (call->put) {
        VARIANT value;
        VariantInit(&value);
        if (FAILED(VariantChangeType(&value, call->in[0], 0, VT_DATE))) { fail(call, INVALID_VALUE, L"is no date"); return; }
        mount.clock_offset += V_DATE(&value) - 36526.5 - days();
        return;
    }
    /* 2000 January 1, 12 h. */
    V_VT(call->out) = VT_DATE, V_DATE(call->out) = 36526.5 + days();
}
static void target_ra(Call *call) {
    if (mount.target_set) give_real(call, mount.target_ra);
    else fail(call, VALUE_NOT_SET, L"there is no target");
}
static void target_dec(Call *call) {
    if (mount.target_set) give_real(call, mount.target_dec);
    else fail(call, VALUE_NOT_SET, L"there is no target");
}

static BOOL read_place(Call *call) {
    double wanted_ra = take_real(call, 0), wanted_dec = take_real(call, 1), alt, az;
    if (is_parked(call)) return FALSE;
    if (!(wanted_ra >= 0 && wanted_ra < 24 && wanted_dec >= -90 && wanted_dec <= 90)) {
        fail(call, INVALID_VALUE, L"the coordinates are out of range");
        return FALSE;
    }
    horizontal(sidereal() - wanted_ra, wanted_dec, &alt, &az);
    if (alt < LIMIT) { fail(call, INVALID_VALUE, L"is below the horizon"); return FALSE; }
    mount.target_ra = wanted_ra, mount.target_dec = wanted_dec, mount.target_set = TRUE;
    return TRUE;
}
static void slew(Call *call) {
    if (!mount.tracking) { fail(call, INVALID_OPERATION, L"the mount does not track"); return; }
    if (read_place(call)) go(wrap(sidereal() - mount.target_ra + 12, 24) - 12, mount.target_dec);
}
static void slew_altaz(Call *call) {
    double az = take_real(call, 0), alt = take_real(call, 1), ha, d;
    if (is_parked(call)) return;
    if (mount.tracking) { fail(call, INVALID_OPERATION, L"the mount tracks"); return; }
    if (!(az >= 0 && az < 360 && alt >= LIMIT && alt <= 90)) { fail(call, INVALID_VALUE, L"the direction is out of range"); return; }
    equatorial(alt, az, &ha, &d), go(ha, d);
}
static void sync(Call *call) {
    if (read_place(call)) mount.ra = mount.target_ra, mount.dec = mount.target_dec, mount.hour_angle = wrap(sidereal() - mount.ra + 12, 24) - 12;
}
static void stop(Call *call) {
    if (is_parked(call)) return;
    mount.moving = mount.parking = mount.homing = FALSE;
    mount.axis_rate[0] = mount.axis_rate[1] = 0;
    mount.ra = wrap(sidereal() - mount.hour_angle, 24);
}
static void park(Call *call) {
    (void)call, look();
    if (!mount.parked) go(mount.park_ha, mount.park_dec), mount.parking = TRUE;
}
static void unpark(Call *call) { (void)call, look(), mount.parked = FALSE; }
static void set_park(Call *call) { (void)call, look(), mount.park_ha = mount.hour_angle, mount.park_dec = mount.dec; }
static void find_home(Call *call) {
    if (!is_parked(call)) go(0, 89), mount.homing = TRUE;
}
static void destination(Call *call) { give_int(call, wrap(sidereal() - take_real(call, 0) + 12, 24) - 12 < 0 ? 1 : 0); }
static void pulse(Call *call) {
    LONG direction = take_int(call, 0), length = take_int(call, 1);
    if (is_parked(call)) return;
    if (direction < 0 || direction > 3 || length < 0) { fail(call, INVALID_VALUE, L"is no pulse"); return; }
    double angle = length / 1000.0 * (direction < 2 ? mount.guide_dec : mount.guide_ra);
    if (direction == 0) mount.dec = fmin(90, mount.dec + angle);
    if (direction == 1) mount.dec = fmax(-90, mount.dec - angle);
    if (direction == 2) mount.ra = wrap(mount.ra + angle / 15, 24);
    if (direction == 3) mount.ra = wrap(mount.ra - angle / 15, 24);
    mount.pulse_until = now() + length / 1000.0;
}
static void pulsing(Call *call) { give_bool(call, now() < mount.pulse_until); }
static void can_move(Call *call) { give_bool(call, take_int(call, 0) < 2); }
static void move_axis(Call *call) {
    LONG axis = take_int(call, 0);
    double speed = take_real(call, 1);
    if (is_parked(call)) return;
    if (axis < 0 || axis > 1 || fabs(speed) > 4) { fail(call, INVALID_VALUE, L"the axis or its speed is out of range"); return; }
    mount.axis_rate[axis] = speed, mount.axis_since = now();
}

static void axis_rates(Call *call) {
    Entry range = {{L"Minimum", L"Maximum"}, {{{{VT_R8}}}, {{{VT_R8}}}}};
    V_R8(&range.values[0]) = 0.001, V_R8(&range.values[1]) = 4;
    if (take_int(call, 0) > 1) fail(call, INVALID_VALUE, L"there is no such axis");
    else give_collection(call, &range, 1);
}

static const Member MEMBERS[] = {
    {L"Connected", GET | PUT, connected, TRUE}, {L"Name", GET, name, TRUE}, {L"Description", GET, name, TRUE},
    {L"DriverInfo", GET, name, TRUE}, {L"DriverVersion", GET, version, TRUE}, {L"InterfaceVersion", GET, interface_version, TRUE},
    {L"SupportedActions", GET, supported_actions, TRUE}, {L"Action", DO, action, TRUE}, {L"AlignmentMode", GET, german}, {L"EquatorialSystem", GET, topocentric},
    {L"ApertureDiameter", GET, aperture}, {L"ApertureArea", GET, area}, {L"FocalLength", GET, focal_length},
    {L"CanSlew", GET, yes}, {L"CanSlewAsync", GET, yes}, {L"CanSlewAltAz", GET, yes}, {L"CanSlewAltAzAsync", GET, yes},
    {L"CanSync", GET, yes}, {L"CanSyncAltAz", GET, no}, {L"CanPark", GET, yes}, {L"CanUnpark", GET, yes}, {L"CanSetPark", GET, yes},
    {L"CanFindHome", GET, yes}, {L"CanSetTracking", GET, yes}, {L"CanPulseGuide", GET, yes}, {L"CanSetGuideRates", GET, yes},
    {L"CanSetPierSide", GET, no}, {L"CanSetRightAscensionRate", GET, no}, {L"CanSetDeclinationRate", GET, no},
    {L"CanMoveAxis", GET | DO, can_move}, {L"AxisRates", GET | DO, axis_rates}, {L"MoveAxis", DO, move_axis},
    {L"RightAscension", GET, ra}, {L"Declination", GET, dec}, {L"Altitude", GET, altitude}, {L"Azimuth", GET, azimuth},
    {L"SiderealTime", GET, lst}, {L"Slewing", GET, slewing}, {L"AtPark", GET, at_park}, {L"AtHome", GET, at_home},
    {L"SideOfPier", GET, side}, {L"DestinationSideOfPier", GET | DO, destination}, {L"Tracking", GET | PUT, tracking},
    {L"TrackingRate", GET | PUT, rate}, {L"TrackingRates", GET, rates}, {L"RightAscensionRate", GET | PUT, rate_ra},
    {L"DeclinationRate", GET | PUT, rate_dec}, {L"GuideRateRightAscension", GET | PUT, guide_ra},
    {L"GuideRateDeclination", GET | PUT, guide_dec}, {L"PulseGuide", DO, pulse}, {L"IsPulseGuiding", GET, pulsing},
    {L"SiteLatitude", GET | PUT, latitude}, {L"SiteLongitude", GET | PUT, longitude}, {L"SiteElevation", GET | PUT, elevation},
    {L"UTCDate", GET | PUT, utc}, {L"SlewSettleTime", GET | PUT, settle}, {L"TargetRightAscension", GET, target_ra},
    {L"TargetDeclination", GET, target_dec}, {L"SlewToCoordinatesAsync", DO, slew}, {L"SlewToAltAzAsync", DO, slew_altaz},
    {L"SyncToCoordinates", DO, sync}, {L"AbortSlew", DO, stop}, {L"Park", DO, park}, {L"Unpark", DO, unpark},
    {L"SetPark", DO, set_park}, {L"FindHome", DO, find_home},
};

#ifdef BUILD_EXE
#define NAMED IDENTITY("TestProcess.Telescope", 14)
#else
#define NAMED IDENTITY("Test.Telescope", 04)
#endif

const Class TELESCOPE = {NAMED, MEMBERS, COUNT(MEMBERS), &mount.connected, &fault};
