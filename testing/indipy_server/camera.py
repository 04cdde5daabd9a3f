"""Cameras: one with everything, one with hardly anything."""

import time

import guide_port
from indipydriver import BLOBMember, BLOBVector
from instrument import Instrument, number, switch, text
from picture import Picture

FRAME = ("X", "Y", "WIDTH", "HEIGHT")
AMBIENT = 15.0

# Degrees per second.
COOLING = 4.0


class GuideCamera(Instrument):
    """Whole pixels only, no cooler; gain and offset have vectors of their own."""

    NAME, SIZE, INTERFACE = "Guide Camera", (320, 240), 2

    def __init__(self):
        width, height = self.SIZE
        self.pictures, self.camera = 0, Picture(width, height)
        info = {"CCD_MAX_X": width, "CCD_MAX_Y": height, "CCD_PIXEL_SIZE": 5, "CCD_PIXEL_SIZE_X": 5, "CCD_PIXEL_SIZE_Y": 5}
        super().__init__(self.NAME, self.INTERFACE, [
            # What makes it a camera comes first: whoever thinks it complete by that is wrong.
            number("CCD_EXPOSURE", CCD_EXPOSURE_VALUE=(1, 0.001, 3600)),
            switch("CCD_ABORT_EXPOSURE", "ABORT", rule="AtMostOne"),
            switch("CCD_FRAME_TYPE", "FRAME_LIGHT", "FRAME_BIAS", "FRAME_DARK", "FRAME_FLAT"),
            BLOBVector("CCD1", "Image", "Main", "ro", "Ok", [BLOBMember("CCD1", "Image", 0, ".fits")]),
            number("CCD_FRAME", X=(0, 0, width - 1), Y=(0, 0, height - 1), WIDTH=(width, 1, width), HEIGHT=(height, 1, height)),
            *self.extras(),
            number("CCD_INFO", "ro", **{key: (value, 0, 9999) for key, value in info.items()}, CCD_BITSPERPIXEL=(16, 8, 64)),
        ])

    def extras(self):
        return [number("CCD_GAIN", GAIN=(100, 0, 600)), number("CCD_OFFSET", OFFSET=(10, 0, 255))]

    def objection(self, vector, values):
        exposing = self["CCD_EXPOSURE"].state == "Busy"
        if exposing and vector.name in ("CCD_EXPOSURE", "CCD_FRAME", "CCD_BINNING", "CCD_FRAME_TYPE"):
            return "an exposure is under way"
        if vector.name == "CCD_FRAME":
            x, y, width, height = (values.get(part, self.value("CCD_FRAME", part)) for part in FRAME)
            if x + width > self.SIZE[0] or y + height > self.SIZE[1]:
                return "the frame does not fit on the sensor"
        return None

    def frame(self):
        return [int(self.value("CCD_FRAME", part)) for part in FRAME]

    def binning(self):
        return (1, 1)

    def light(self, seconds):
        """How much of the stars is seen."""
        return seconds if self.is_on("CCD_FRAME_TYPE", "FRAME_LIGHT") else 0

    async def take_ccd_exposure(self, vector, values):
        self.begin(self.expose(values["CCD_EXPOSURE_VALUE"]))

    async def expose(self, seconds):
        await self.show("CCD_EXPOSURE", "Busy", CCD_EXPOSURE_VALUE=seconds)
        async for part in self.progress(seconds):
            await self.show("CCD_EXPOSURE", "Busy", CCD_EXPOSURE_VALUE=seconds * (1 - part))
        self.pictures += 1
        picture = self["CCD1"]
        # The size stays that of the first picture: indipydriver has it so unless it is told each time.
        picture["CCD1"] = self.camera.take(self.frame(), self.binning(), self.light(seconds), self.pictures)
        await picture.send_setVectorMembers(state="Ok", members=["CCD1"])
        await self.show("CCD_EXPOSURE", "Ok", CCD_EXPOSURE_VALUE=0)

    async def take_ccd_abort_exposure(self, vector, values):
        self.give_up()
        await self.show("CCD_EXPOSURE", "Idle", CCD_EXPOSURE_VALUE=0)
        await self.accept(vector, {"ABORT": "Off"})


class Camera(guide_port.GuidePort, GuideCamera):
    """Colour, cooled, binned, with a guide port; gain and offset are among its controls."""

    NAME, SIZE, INTERFACE = "Camera", (400, 300), 6

    def __init__(self):
        self.then, self.set_point = time.monotonic(), AMBIENT
        super().__init__()

    def extras(self):
        return [
            number("CCD_BINNING", HOR_BIN=(1, 1, 4), VER_BIN=(1, 1, 4)),
            number("CCD_CONTROLS", Gain=(100, 0, 570), Offset=(8, 0, 255), BandWidth=(80, 40, 100)),
            switch("READOUT_MODE", ("MODE_0", "Normal"), ("MODE_1", "Low noise")),
            text("CCD_CFA", "ro", CFA_OFFSET_X="0", CFA_OFFSET_Y="0", CFA_TYPE="RGGB"),
            number("CCD_TEMPERATURE", CCD_TEMPERATURE_VALUE=(AMBIENT, -40, 50)),
            switch("CCD_COOLER", "COOLER_OFF", "COOLER_ON"),
            number("CCD_COOLER_POWER", "ro", CCD_COOLER_VALUE=(0, 0, 100)),
            *guide_port.vectors(),
        ]

    def binning(self):
        return tuple(int(self.value("CCD_BINNING", element)) for element in ("HOR_BIN", "VER_BIN"))

    async def take_ccd_binning(self, vector, values):
        await self.accept(vector, values)
        # Another binning, another frame: the whole sensor.
        await self.show("CCD_FRAME", "Ok", X=0, Y=0, WIDTH=self.SIZE[0], HEIGHT=self.SIZE[1])

    async def take_ccd_temperature(self, vector, values):
        self.set_point = values["CCD_TEMPERATURE_VALUE"]
        await self.show("CCD_COOLER", "Ok", COOLER_ON="On")
        await vector.send_setVector(state="Busy", allvalues=True)

    async def tick(self):
        seconds, self.then = time.monotonic() - self.then, time.monotonic()
        if not self["CCD_TEMPERATURE"].enable:
            return
        cooled = self.is_on("CCD_COOLER", "COOLER_ON")
        goal = self.set_point if cooled else AMBIENT
        here = self.value("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE")
        there = here + max(-COOLING * seconds, min(COOLING * seconds, goal - here))
        if there != here:
            await self.show("CCD_TEMPERATURE", "Ok" if there == goal else None, CCD_TEMPERATURE_VALUE=there)
            await self.show("CCD_COOLER_POWER", CCD_COOLER_VALUE=2 * (AMBIENT - there) if cooled else 0)
