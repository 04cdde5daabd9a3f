"""Guide pulses, as mounts and cameras take them: busy for as long as they last."""

import asyncio

from instrument import number

LONGEST = 60000


def vectors():
    pulses = [("NS", "N", "S"), ("WE", "W", "E")]
    return [
        number(f"TELESCOPE_TIMED_GUIDE_{axis}", **{f"TIMED_GUIDE_{way}": (0, 0, LONGEST) for way in ways})
        for axis, *ways in pulses
    ]


class GuidePort:
    """Mixed into an instrument."""

    async def take_telescope_timed_guide_ns(self, vector, values):
        await self.pulse(vector, values)

    async def take_telescope_timed_guide_we(self, vector, values):
        await self.pulse(vector, values)

    async def pulse(self, vector, values):
        self.put(vector, values)
        await vector.send_setVector(state="Busy", allvalues=True)
        # Beside whatever else is under way.
        asyncio.create_task(self.guide(vector, values))

    async def guide(self, vector, values):
        way, milliseconds = max(values.items(), key=lambda item: item[1])
        done = 0
        async for part in self.progress(milliseconds / 1000):
            await self.nudge(way.removeprefix("TIMED_GUIDE_"), (part - done) * milliseconds / 1000)
            done = part
        self.put(vector, dict.fromkeys(vector, 0))
        await vector.send_setVector(state="Ok", allvalues=True)

    async def nudge(self, way, seconds):
        """Moves what the pulse moves."""
