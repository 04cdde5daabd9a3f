"""An absolute focuser."""

from instrument import Instrument, number, switch


class Focuser(Instrument):
    """0 to 60000, can be stopped, synchronised and given a nearer end of its range."""

    def __init__(self, seconds):
        self.seconds = seconds
        super().__init__("Focuser", 8, [
            number("ABS_FOCUS_POSITION", FOCUS_ABSOLUTE_POSITION=(30000, 0, 60000)),
            number("FOCUS_MAX", FOCUS_MAX_VALUE=(60000, 1000, 60000)),
            switch("FOCUS_ABORT_MOTION", "ABORT", rule="AtMostOne"),
            number("FOCUS_SYNC", FOCUS_SYNC_VALUE=(0, 0, 60000)),
            switch("FOCUS_REVERSE_MOTION", "INDI_DISABLED", "INDI_ENABLED"),
            switch("FOCUS_BACKLASH_TOGGLE", "INDI_DISABLED", "INDI_ENABLED"),
            number("FOCUS_BACKLASH_STEPS", FOCUS_BACKLASH_VALUE=(0, 0, 500)),
            number("FOCUS_SPEED", FOCUS_SPEED_VALUE=(3, 1, 5)),
            number("FOCUS_TEMPERATURE", "ro", TEMPERATURE=(12.5, -50, 70)),
        ])

    def objection(self, vector, values):
        moving = self["ABS_FOCUS_POSITION"].state == "Busy"
        if vector.name == "FOCUS_MAX" and values["FOCUS_MAX_VALUE"] < self.here():
            return "the focuser stands beyond that"
        return "the focuser is moving" if moving and vector.name in ("ABS_FOCUS_POSITION", "FOCUS_SYNC") else None

    def here(self):
        return self.value("ABS_FOCUS_POSITION", "FOCUS_ABSOLUTE_POSITION")

    async def take_abs_focus_position(self, vector, values):
        self.begin(self.move(self.here(), values["FOCUS_ABSOLUTE_POSITION"]))

    async def move(self, start, end):
        await self.show("ABS_FOCUS_POSITION", "Busy")
        async for part in self.progress(self.seconds):
            state = "Busy" if part < 1 else "Ok"
            await self.show("ABS_FOCUS_POSITION", state, FOCUS_ABSOLUTE_POSITION=round(start + part * (end - start)))

    async def take_focus_abort_motion(self, vector, values):
        self.give_up()
        await self.show("ABS_FOCUS_POSITION", "Idle")
        await self.accept(vector, {"ABORT": "Off"})

    async def take_focus_sync(self, vector, values):
        await self.show("ABS_FOCUS_POSITION", "Ok", FOCUS_ABSOLUTE_POSITION=values["FOCUS_SYNC_VALUE"])
        await self.accept(vector, values)

    async def take_focus_max(self, vector, values):
        await self.accept(vector, values)
        for name, element in [("ABS_FOCUS_POSITION", "FOCUS_ABSOLUTE_POSITION"), ("FOCUS_SYNC", "FOCUS_SYNC_VALUE")]:
            # New limits are told by a new definition.
            self[name].data[element].max = str(values["FOCUS_MAX_VALUE"])
            await self[name].send_defVector()
