"""A small observatory behind indipyserver: an INDI server and drivers that share no code with libindi.

Run it as `python testing/indipy_server.py [SECONDS_PER_MOVE]`. It listens on a free port of 127.0.0.1, prints
`listening PORT` as its first line, and ends when its standard input is closed. The devices:

Camera       64x48 pixels; the pixels of the n-th picture have the value n
Focuser      absolute, 0 to 60000
Wheel        L, R, G, B
Mount        goes anywhere, tracks, parks, aborts, syncs
"""

import asyncio
import struct
import sys

from indipydriver import (
    BLOBMember,
    BLOBVector,
    Device,
    IPyDriver,
    NumberMember,
    NumberVector,
    SwitchMember,
    SwitchVector,
    TextMember,
    TextVector,
    getProperties,
)
from indipyserver import IPyServer

WIDTH, HEIGHT = 64, 48


def fits(value):
    """A FITS file whose pixels all have one value."""
    cards = [
        "SIMPLE  =                    T",
        "BITPIX  =                   16",
        "NAXIS   =                    2",
        f"NAXIS1  = {WIDTH:>20}",
        f"NAXIS2  = {HEIGHT:>20}",
        "BZERO   =                32768",
        "BSCALE  =                    1",
        "END",
    ]
    header = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    data = struct.pack(">h", value - 32768) * (WIDTH * HEIGHT)
    return header + data.ljust(-(-len(data) // 2880) * 2880, b"\0")


def number(name, perm="rw", **elements):
    """Elements are (value, min, max)."""
    members = [NumberMember(key, key, "%g", low, high, 0, value) for key, (value, low, high) in elements.items()]
    return NumberVector(name, name, "Main", perm, "Ok", members)


def switch(name, *elements, rule="OneOfMany"):
    members = [SwitchMember(key, key, "Off") for key in elements]
    if rule == "OneOfMany":
        members[0].membervalue = "On"
    return SwitchVector(name, name, "Main", "rw", rule, "Ok", members)


def text(name, perm="rw", **elements):
    return TextVector(name, name, "Main", perm, "Ok", [TextMember(key, key, value) for key, value in elements.items()])


class Instrument(Device):
    """A device whose properties are there while it is connected, and which takes every value it is given."""

    def __init__(self, name, interface, vectors):
        connection = switch("CONNECTION", "DISCONNECT", "CONNECT")
        info = text(
            "DRIVER_INFO",
            "ro",
            DRIVER_NAME=name,
            DRIVER_EXEC="indipy_server.py",
            DRIVER_VERSION="1.0",
            DRIVER_INTERFACE=str(interface),
        )
        for vector in vectors:
            vector.enable = False
        super().__init__(name, [connection, info, *vectors])
        self.later = vectors
        self.work = None

    async def devrxevent(self, event, *args, **kwargs):
        if isinstance(event, getProperties):
            return
        if event.vectorname == "CONNECTION":
            await self.connect(event.vector, event.get("CONNECT") == "On")
        else:
            await self.take(event.vector, dict(event))

    async def connect(self, connection, on):
        connection["CONNECT"], connection["DISCONNECT"] = ("On", "Off") if on else ("Off", "On")
        await connection.send_setVector(state="Ok")
        for vector in self.later:
            if on and not vector.enable:
                vector.enable = True
                await vector.send_defVector()
            elif not on and vector.enable:
                await vector.send_delProperty()

    async def take(self, vector, values):
        """Takes values at once."""
        if isinstance(vector, SwitchVector) and "On" in values.values():
            for name in vector:
                vector[name] = "Off"
        for name, value in values.items():
            vector[name] = value
        await vector.send_setVector(state="Ok", allvalues=True)

    def begin(self, work):
        """Starts work that takes time; what was under way is given up."""
        self.give_up()
        self.work = asyncio.create_task(work)

    def give_up(self):
        if self.work is not None:
            self.work.cancel()
            self.work = None

    async def move(self, vector, values):
        """Takes values after a while, the state is Busy until then."""
        await vector.send_setVector(state="Busy", allvalues=True)
        await asyncio.sleep(SECONDS)
        await self.take(vector, values)

    async def stop(self, abort, moving):
        self.give_up()
        await moving.send_setVector(state="Idle", allvalues=True)
        await self.take(abort, {name: "Off" for name in abort})


class Camera(Instrument):
    def __init__(self):
        self.pictures = 0
        super().__init__("Camera", 2, [
            number("CCD_INFO", "ro", CCD_MAX_X=(WIDTH, 0, 9999), CCD_MAX_Y=(HEIGHT, 0, 9999), CCD_PIXEL_SIZE=(5, 0, 40),
                   CCD_PIXEL_SIZE_X=(5, 0, 40), CCD_PIXEL_SIZE_Y=(5, 0, 40), CCD_BITSPERPIXEL=(16, 8, 64)),
            number("CCD_FRAME", X=(0, 0, WIDTH - 1), Y=(0, 0, HEIGHT - 1), WIDTH=(WIDTH, 1, WIDTH), HEIGHT=(HEIGHT, 1, HEIGHT)),
            switch("CCD_FRAME_TYPE", "FRAME_LIGHT", "FRAME_BIAS", "FRAME_DARK", "FRAME_FLAT"),
            number("CCD_GAIN", GAIN=(100, 0, 600)),
            switch("CCD_ABORT_EXPOSURE", "ABORT", rule="AtMostOne"),
            BLOBVector("CCD1", "Image", "Main", "ro", "Ok", [BLOBMember("CCD1", "Image", 0, ".fits")]),
            number("CCD_EXPOSURE", CCD_EXPOSURE_VALUE=(1, 0, 3600)),
        ])

    async def take(self, vector, values):
        if vector.name == "CCD_EXPOSURE":
            self.begin(self.expose(vector, float(values["CCD_EXPOSURE_VALUE"])))
        elif vector.name == "CCD_ABORT_EXPOSURE" and "On" in values.values():
            await self.stop(vector, self["CCD_EXPOSURE"])
        else:
            await super().take(vector, values)

    async def expose(self, vector, seconds):
        vector["CCD_EXPOSURE_VALUE"] = seconds
        await vector.send_setVector(state="Busy", allvalues=True)
        await asyncio.sleep(seconds)
        self.pictures += 1
        self["CCD1"]["CCD1"] = fits(self.pictures)
        await self["CCD1"].send_setVectorMembers(state="Ok", members=["CCD1"])
        vector["CCD_EXPOSURE_VALUE"] = 0
        await vector.send_setVector(state="Ok", allvalues=True)


class Focuser(Instrument):
    def __init__(self):
        super().__init__("Focuser", 8, [
            number("FOCUS_MAX", FOCUS_MAX_VALUE=(60000, 1000, 100000)),
            switch("FOCUS_ABORT_MOTION", "ABORT", rule="AtMostOne"),
            number("ABS_FOCUS_POSITION", FOCUS_ABSOLUTE_POSITION=(30000, 0, 60000)),
        ])

    async def take(self, vector, values):
        if vector.name == "ABS_FOCUS_POSITION" and vector.state != "Busy":
            self.begin(self.move(vector, values))
        elif vector.name == "FOCUS_ABORT_MOTION" and "On" in values.values():
            await self.stop(vector, self["ABS_FOCUS_POSITION"])
        else:
            await super().take(vector, values)


class Wheel(Instrument):
    def __init__(self):
        names = text("FILTER_NAME", **{f"FILTER_SLOT_NAME_{n}": name for n, name in enumerate("LRGB", 1)})
        super().__init__("Wheel", 16, [names, number("FILTER_SLOT", FILTER_SLOT_VALUE=(1, 1, 4))])

    async def take(self, vector, values):
        if vector.name == "FILTER_SLOT" and vector.state != "Busy":
            self.begin(self.move(vector, values))
        else:
            await super().take(vector, values)


class Mount(Instrument):
    def __init__(self):
        super().__init__("Mount", 1, [
            number("GEOGRAPHIC_COORD", LAT=(48, -90, 90), LONG=(11, 0, 360), ELEV=(500, -200, 10000)),
            switch("ON_COORD_SET", "TRACK", "SLEW", "SYNC"),
            switch("TELESCOPE_ABORT_MOTION", "ABORT", rule="AtMostOne"),
            switch("TELESCOPE_PARK", "UNPARK", "PARK"),
            switch("TELESCOPE_TRACK_STATE", "TRACK_OFF", "TRACK_ON"),
            number("EQUATORIAL_EOD_COORD", RA=(3, 0, 24), DEC=(45, -90, 90)),
        ])

    async def take(self, vector, values):
        goes = self["ON_COORD_SET"]["SYNC"] == "Off"
        if vector.name == "EQUATORIAL_EOD_COORD" and goes and vector.state != "Busy":
            self.begin(self.move(vector, values))
        elif vector.name == "TELESCOPE_ABORT_MOTION" and "On" in values.values():
            await self.stop(vector, self["EQUATORIAL_EOD_COORD"])
        else:
            await super().take(vector, values)


class Driver(IPyDriver):
    async def rxevent(self, event):
        await self[event.devicename].devrxevent(event)


async def main():
    server = IPyServer(Driver(Camera(), Focuser(), Wheel(), Mount()), host="127.0.0.1", port=0, maxconnections=10)
    running = asyncio.create_task(server.asyncrun())
    while server.server is None or not server.server.sockets:
        await asyncio.sleep(0.01)
    print("listening", server.server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.shutdown()
    await running


SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 0.2
asyncio.run(main())
