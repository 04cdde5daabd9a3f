"""What all instruments have in common: limits, properties that come and go with the connection, work that takes time."""

import asyncio

from indipydriver import (
    Device,
    NumberMember,
    NumberVector,
    SwitchMember,
    SwitchVector,
    TextMember,
    TextVector,
    getProperties,
)

# Seconds between two looks at what changes by itself.
TICK = 0.1

# Seconds that the hardware takes to tell what a property needs to be defined.
ASKING = 0.02


def number(name, perm="rw", **elements):
    """Elements are (value, min, max)."""
    members = [NumberMember(key, key, "%g", low, high, 0, value) for key, (value, low, high) in elements.items()]
    return NumberVector(name, name, "Main", perm, "Ok", members)


def switch(name, *elements, rule="OneOfMany"):
    """Elements are names, or (name, label); of one of many the first is on."""
    pairs = [(element, element) if isinstance(element, str) else element for element in elements]
    members = [SwitchMember(key, label, "Off") for key, label in pairs]
    if rule == "OneOfMany":
        members[0].membervalue = "On"
    return SwitchVector(name, name, "Main", "rw", rule, "Ok", members)


def text(name, perm="rw", **elements):
    return TextVector(name, name, "Main", perm, "Ok", [TextMember(key, key, value) for key, value in elements.items()])


class Instrument(Device):
    """A device whose properties are there while it is connected.

    New values go to the method `take_NAME_OF_THE_PROPERTY` if there is one; otherwise they are simply accepted.
    """

    def __init__(self, name, interface, vectors):
        connection = switch("CONNECTION", "DISCONNECT", "CONNECT")
        info = text(
            "DRIVER_INFO",
            "ro",
            DRIVER_NAME=name,
            DRIVER_EXEC="indipy_server",
            DRIVER_VERSION="1.0",
            DRIVER_INTERFACE=str(interface),
        )
        for vector in vectors:
            vector.enable = False
        super().__init__(name, [connection, info, *vectors])
        self.later = vectors
        self.work = None

    async def run(self):
        """Lets time pass, for as long as the driver runs."""
        while not self.stop:
            await asyncio.sleep(TICK)
            await self.tick()

    async def tick(self):
        pass

    async def devrxevent(self, event, *args, **kwargs):
        if isinstance(event, getProperties):
            return
        vector, values = event.vector, dict(event)
        if isinstance(vector, NumberVector):
            values = {name: self.indi_number_to_float(value) for name, value in values.items() if name in vector}
        why = self.beyond_limits(vector, values) or self.objection(vector, values)
        if why:
            await vector.send_setVector(message=why, state="Alert", allvalues=True)
        else:
            await getattr(self, f"take_{vector.name.lower()}", self.accept)(vector, values)

    def objection(self, vector, values):
        """Why these values cannot be taken now, if so."""
        return None

    @staticmethod
    def beyond_limits(vector, values):
        if not isinstance(vector, NumberVector):
            return None
        for name, value in values.items():
            low, high = float(vector.data[name].min), float(vector.data[name].max)
            if not low <= value <= high:
                return f"{name} {value:g} is not within {low:g} to {high:g}"
        return None

    async def accept(self, vector, values):
        """Takes values at once."""
        self.put(vector, values)
        await vector.send_setVector(state="Ok", allvalues=True)

    @staticmethod
    def put(vector, values):
        if isinstance(vector, SwitchVector) and "On" in values.values() and vector.rule != "AnyOfMany":
            for name in vector:
                vector[name] = "Off"
        for name, value in values.items():
            vector[name] = value

    async def take_connection(self, connection, values):
        on = values.get("CONNECT") == "On"
        self.give_up()
        connection["CONNECT"], connection["DISCONNECT"] = ("On", "Off") if on else ("Off", "On")
        await connection.send_setVector(state="Ok", allvalues=True)
        for vector in self.later:
            if on and not vector.enable:
                await asyncio.sleep(ASKING)
                vector.enable = True
                await vector.send_defVector()
            elif not on and vector.enable:
                await vector.send_delProperty()

    def value(self, vector, element):
        return self[vector].getfloatvalue(element)

    def is_on(self, vector, element):
        return self[vector][element] == "On"

    async def show(self, vector, state=None, **values):
        """Tells new values, if there are any."""
        self.put(self[vector], values)
        await self[vector].send_setVector(state=state, allvalues=state is not None)

    def begin(self, work):
        """Starts work that takes time; what was under way is given up."""
        self.give_up()
        self.work = asyncio.create_task(work)

    def give_up(self):
        if self.work is not None:
            self.work.cancel()
            self.work = None

    @staticmethod
    async def progress(seconds):
        """The parts of some work that are done, 0 to 1, while its time passes."""
        steps = max(1, round(seconds / TICK))
        for step in range(1, steps + 1):
            await asyncio.sleep(seconds / steps)
            yield step / steps
