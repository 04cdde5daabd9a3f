"""A filter wheel."""

from instrument import Instrument, number, text


class Wheel(Instrument):
    """L, R, G, B; busy while it turns."""

    def __init__(self, seconds):
        self.seconds = seconds
        names = text("FILTER_NAME", **{f"FILTER_SLOT_NAME_{n}": name for n, name in enumerate("LRGB", 1)})
        super().__init__("Wheel", 16, [number("FILTER_SLOT", FILTER_SLOT_VALUE=(1, 1, 4)), names])

    def objection(self, vector, values):
        turning = vector.name == "FILTER_SLOT" and vector.state == "Busy"
        return "the wheel is turning" if turning else None

    async def take_filter_slot(self, vector, values):
        self.begin(self.turn(vector, values))

    async def turn(self, vector, values):
        await vector.send_setVector(state="Busy", allvalues=True)
        async for _ in self.progress(self.seconds):
            pass
        await self.accept(vector, values)
