"""A German mount that can do all that INDI has words for."""

import time
from datetime import datetime, timezone

import guide_port
from instrument import Instrument, number, switch, text
from sky import SIDEREAL, equatorial, horizontal, sidereal_time, signed

# What may not be asked of a parked mount.
MOTIONS = (
    "EQUATORIAL_EOD_COORD",
    "HORIZONTAL_COORD",
    "TELESCOPE_HOME",
    "TELESCOPE_MOTION_NS",
    "TELESCOPE_MOTION_WE",
    "TELESCOPE_TIMED_GUIDE_NS",
    "TELESCOPE_TIMED_GUIDE_WE",
)

# Arcseconds per second of the hour angle.
SPEEDS = {"TRACK_SIDEREAL": SIDEREAL * 3600, "TRACK_SOLAR": 15.0, "TRACK_LUNAR": 14.511415}

# Multiples of the sidereal speed when driven by hand.
RATES = (1, 8, 64, 400)

# Hour angle and declination in degrees, and the side of the pier.
HOME = (-90.0, 0.0, "PIER_WEST")


class Mount(guide_port.GuidePort, Instrument):
    """Tracks, slews, flips, parks, finds home; refuses what is below the horizon."""

    def __init__(self, seconds):
        self.seconds, self.then, self.clock = seconds, time.monotonic(), 0.0
        self.hour_angle, self.dec, self.side = HOME
        self.park_place = (0.0, 90.0, "PIER_EAST")
        super().__init__("Mount", 5, [
            number("EQUATORIAL_EOD_COORD", RA=(3, 0, 24), DEC=(45, -90, 90)),
            number("HORIZONTAL_COORD", ALT=(45, -90, 90), AZ=(0, 0, 360)),
            switch("ON_COORD_SET", "TRACK", "SLEW", "SYNC", "FLIP"),
            switch("TELESCOPE_ABORT_MOTION", "ABORT", rule="AtMostOne"),
            switch("TELESCOPE_PARK", "UNPARK", "PARK"),
            switch("TELESCOPE_PARK_OPTION", "PARK_CURRENT", "PARK_DEFAULT", rule="AtMostOne"),
            switch("TELESCOPE_HOME", "FIND", "GO", rule="AtMostOne"),
            switch("TELESCOPE_TRACK_STATE", "TRACK_OFF", "TRACK_ON"),
            switch("TELESCOPE_TRACK_MODE", *SPEEDS, "TRACK_CUSTOM"),
            number("TELESCOPE_TRACK_RATE", TRACK_RATE_RA=(SIDEREAL * 3600, -30, 30), TRACK_RATE_DE=(0, -15, 15)),
            switch("TELESCOPE_PIER_SIDE", "PIER_WEST", "PIER_EAST"),
            switch("TELESCOPE_MOTION_NS", "MOTION_NORTH", "MOTION_SOUTH", rule="AtMostOne"),
            switch("TELESCOPE_MOTION_WE", "MOTION_WEST", "MOTION_EAST", rule="AtMostOne"),
            switch("TELESCOPE_SLEW_RATE", *((f"RATE_{rate}", f"{rate}x") for rate in RATES)),
            number("GUIDE_RATE", GUIDE_RATE_WE=(0.5, 0.1, 0.9), GUIDE_RATE_NS=(0.5, 0.1, 0.9)),
            number("GEOGRAPHIC_COORD", LAT=(48, -90, 90), LONG=(11, 0, 360), ELEV=(500, -200, 10000)),
            text("TIME_UTC", UTC="", OFFSET="0"),
            number("TELESCOPE_INFO", TELESCOPE_APERTURE=(200, 10, 5000), TELESCOPE_FOCAL_LENGTH=(1000, 10, 10000)),
            *guide_port.vectors(),
        ])
        self["TELESCOPE_PIER_SIDE"].perm = "ro"

    # Where it is.

    def utc(self):
        return time.time() + self.clock

    def latitude(self):
        return self.value("GEOGRAPHIC_COORD", "LAT")

    def sidereal_time(self):
        return sidereal_time(self.utc(), self.value("GEOGRAPHIC_COORD", "LONG"))

    def tracks(self):
        return self.is_on("TELESCOPE_TRACK_STATE", "TRACK_ON")

    def parked(self):
        return self.is_on("TELESCOPE_PARK", "PARK")

    def coordinates(self):
        altitude, azimuth = horizontal(self.hour_angle, self.dec, self.latitude())
        ra = (self.sidereal_time() - self.hour_angle) % 360 / 15
        return {"RA": f"{ra:.7f}", "DEC": f"{self.dec:.6f}"}, {"ALT": f"{altitude:.6f}", "AZ": f"{azimuth:.6f}"}

    async def tell(self, state=None):
        place, direction = self.coordinates()
        # First what is true of the place, which ends a slew.
        if not self.is_on("TELESCOPE_PIER_SIDE", self.side):
            await self.show("TELESCOPE_PIER_SIDE", "Ok", **{self.side: "On"})
        await self.show("EQUATORIAL_EOD_COORD", state, **place)
        await self.show("HORIZONTAL_COORD", state, **direction)

    async def tick(self):
        seconds, self.then = time.monotonic() - self.then, time.monotonic()
        self["TIME_UTC"]["UTC"] = datetime.fromtimestamp(self.utc(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        if not self["EQUATORIAL_EOD_COORD"].enable:
            return
        if self.work is None or self.work.done():
            self.drift(seconds)
            await self.tell()

    def drift(self, seconds):
        """What tracking and the hand controller do."""
        if self.tracks():
            named = [speed for mode, speed in SPEEDS.items() if self.is_on("TELESCOPE_TRACK_MODE", mode)]
            along = named[0] if named else self.value("TELESCOPE_TRACK_RATE", "TRACK_RATE_RA")
            across = 0 if named else self.value("TELESCOPE_TRACK_RATE", "TRACK_RATE_DE")
            self.hour_angle += along * seconds / 3600
            self.dec += across * seconds / 3600
        rate = next(rate for rate in RATES if self.is_on("TELESCOPE_SLEW_RATE", f"RATE_{rate}")) * SIDEREAL
        north, west = (
            [self.is_on(vector, way) for way in ways]
            for vector, ways in (
                ("TELESCOPE_MOTION_NS", ("MOTION_NORTH", "MOTION_SOUTH")),
                ("TELESCOPE_MOTION_WE", ("MOTION_WEST", "MOTION_EAST")),
            )
        )
        self.dec = max(-90.0, min(90.0, self.dec + (north[0] - north[1]) * rate * seconds))
        self.hour_angle = signed(self.hour_angle + (west[0] - west[1]) * rate * seconds)

    async def nudge(self, way, seconds):
        along, across = ({"W": 1, "E": -1}.get(way, 0), {"N": 1, "S": -1}.get(way, 0))
        self.hour_angle += along * self.value("GUIDE_RATE", "GUIDE_RATE_WE") * SIDEREAL * seconds
        self.dec += across * self.value("GUIDE_RATE", "GUIDE_RATE_NS") * SIDEREAL * seconds
        await self.tell()

    # What it may be told.

    def objection(self, vector, values):
        starts = vector.name in MOTIONS or values.get("TRACK_ON") == "On"
        if starts and (self.parked() or self["TELESCOPE_PARK"].state == "Busy"):
            return "the mount is parked"
        if vector.name == "EQUATORIAL_EOD_COORD":
            if set(values) != {"RA", "DEC"}:
                return "one coordinate is no place"
            hour_angle = self.sidereal_time() - 15 * values["RA"]
            if horizontal(hour_angle, values["DEC"], self.latitude())[0] < 0:
                return "that is below the horizon"
        return None

    async def take_equatorial_eod_coord(self, vector, values):
        hour_angle = signed(self.sidereal_time() - 15 * values["RA"])
        if self.is_on("ON_COORD_SET", "SYNC"):
            self.hour_angle, self.dec = hour_angle, values["DEC"]
            await self.tell("Ok" if self.tracks() else "Idle")
            return
        side = "PIER_EAST" if hour_angle >= 0 else "PIER_WEST"
        if self.is_on("ON_COORD_SET", "FLIP"):
            side = "PIER_WEST" if self.side == "PIER_EAST" else "PIER_EAST"
        self.begin(self.slew(hour_angle, values["DEC"], side, follow=True))

    async def take_horizontal_coord(self, vector, values):
        hour_angle, dec = equatorial(values["ALT"], values["AZ"], self.latitude())
        self.begin(self.slew(hour_angle, dec, "PIER_EAST" if hour_angle >= 0 else "PIER_WEST"))

    async def slew(self, hour_angle, dec, side, follow=False):
        """Goes there; `follow` lets the goal go with the sky, and tracks once it is there."""
        here, since = (self.hour_angle, self.dec), time.monotonic()
        await self.show("TELESCOPE_TRACK_STATE", "Ok", TRACK_OFF="On")
        await self.tell("Busy")
        way = signed(hour_angle - here[0])
        async for part in self.progress(self.seconds):
            sky = SIDEREAL * (time.monotonic() - since) if follow else 0
            self.hour_angle, self.dec = signed(here[0] + part * way + sky), here[1] + part * (dec - here[1])
            await self.tell("Busy")
        self.side = side
        if follow:
            await self.show("TELESCOPE_TRACK_STATE", "Ok", TRACK_ON="On")
        await self.tell("Ok" if follow else "Idle")

    async def take_telescope_abort_motion(self, vector, values):
        for name in ("TELESCOPE_PARK", "TELESCOPE_HOME"):
            if self[name].state == "Busy":
                await self.show(name, "Idle", **({"UNPARK": "On"} if name == "TELESCOPE_PARK" else dict.fromkeys(self[name], "Off")))
        for name in ("TELESCOPE_MOTION_NS", "TELESCOPE_MOTION_WE"):
            await self.show(name, "Idle", **dict.fromkeys(self[name], "Off"))
        self.give_up()
        await self.tell("Ok" if self.tracks() else "Idle")
        await self.accept(vector, {"ABORT": "Off"})

    async def take_telescope_park(self, vector, values):
        if values.get("UNPARK") == "On":
            self.give_up()
            await self.accept(vector, values)
        elif not self.parked():
            self.begin(self.park(vector))
        else:
            await vector.send_setVector(message="already parked", allvalues=True)

    async def park(self, vector):
        await self.show("TELESCOPE_PARK", "Busy", PARK="On")
        await self.slew(*self.park_place)
        await vector.send_setVector(state="Ok", allvalues=True)

    async def take_telescope_park_option(self, vector, values):
        current = values.get("PARK_CURRENT") == "On"
        self.park_place = (self.hour_angle, self.dec, self.side) if current else (0.0, 90.0, "PIER_EAST")
        await self.accept(vector, dict.fromkeys(vector, "Off"))

    async def take_telescope_home(self, vector, values):
        self.begin(self.home(vector, values))

    async def home(self, vector, values):
        self.put(vector, values)
        await vector.send_setVector(state="Busy", allvalues=True)
        await self.slew(*HOME)
        await self.accept(vector, dict.fromkeys(vector, "Off"))

    async def take_telescope_track_state(self, vector, values):
        await self.accept(vector, values)
        await self.tell("Ok" if self.tracks() else "Idle")

    async def take_telescope_motion_ns(self, vector, values):
        self.put(vector, values)
        await vector.send_setVector(state="Busy" if "On" in values.values() else "Ok", allvalues=True)

    async def take_telescope_motion_we(self, vector, values):
        await self.take_telescope_motion_ns(vector, values)

    async def take_time_utc(self, vector, values):
        then = datetime.fromisoformat(values["UTC"].strip()).replace(tzinfo=timezone.utc)
        self.clock = then.timestamp() - time.time()
        await self.accept(vector, values)
