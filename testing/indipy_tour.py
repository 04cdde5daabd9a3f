"""What indipyclient does with an INDI server of ours: `python testing/indipy_tour.py PORT FILE`.

Connects the four simulated devices, uses each, and writes the picture that it got to FILE. Ends with a sentence
when something is not as INDI has it.
"""

import asyncio
import sys

from indipyclient import IPyClient

CAMERA, WHEEL = "Camera Simulator", "Filter Wheel Simulator"
FOCUSER, MOUNT = "Focuser Simulator", "Mount Simulator"
SOON = 30.0


class Client(IPyClient):
    def __init__(self, port):
        super().__init__(indihost="127.0.0.1", indiport=port)
        self.events = []
        self.picture = None

    async def rxevent(self, event):
        kind = type(event).__name__
        vector = getattr(event, "vectorname", None)
        self.events.append((kind, event.devicename, vector, getattr(event, "state", None), getattr(event, "message", "") or ""))
        if kind == "setBLOBVector":
            self.picture = event["CCD1"]

    async def until(self, what, condition):
        deadline = asyncio.get_running_loop().time() + SOON
        while not condition():
            if asyncio.get_running_loop().time() > deadline:
                sys.exit(f"{what} did not come; the last events: {self.events[-20:]}")
            await asyncio.sleep(0.01)

    def property(self, device, vector):
        return vector in self.get(device, {}) and self[device][vector].enable and self[device][vector]

    def states(self, device, vector, since=0):
        return [event[3] for event in self.events[since:] if event[1:3] == (device, vector) and event[3]]

    async def order(self, device, vector, **members):
        """Sends values, waits until the vector was busy and is so no more; its last state."""
        since = len(self.events)
        await self.send_newVector(device, vector, members=members)
        await self.until(f"{vector} busy", lambda: "Busy" in self.states(device, vector, since))
        await self.until(f"{vector} done", lambda: self.states(device, vector, since)[-1] != "Busy")
        return self.states(device, vector, since)[-1]


def expect(holds, what):
    if not holds:
        sys.exit(what)


async def tour(client, file):
    for device, key in (
        (CAMERA, "CCD_EXPOSURE"),
        (WHEEL, "FILTER_SLOT"),
        (FOCUSER, "ABS_FOCUS_POSITION"),
        (MOUNT, "EQUATORIAL_EOD_COORD"),
    ):
        await client.until(f"{device}", lambda: client.property(device, "CONNECTION"))
        await client.send_newVector(device, "CONNECTION", members={"CONNECT": "On"})
        await client.until(f"{key} of {device}", lambda: client.property(device, key))
    expect(await client.order(WHEEL, "FILTER_SLOT", FILTER_SLOT_VALUE=3) == "Ok", "the wheel failed")
    expect(client[WHEEL]["FILTER_SLOT"].getfloatvalue("FILTER_SLOT_VALUE") == 3, "the wheel is elsewhere")
    here = client[FOCUSER]["ABS_FOCUS_POSITION"].getfloatvalue("FOCUS_ABSOLUTE_POSITION")
    moved = await client.order(FOCUSER, "ABS_FOCUS_POSITION", FOCUS_ABSOLUTE_POSITION=here + 500)
    there = client[FOCUSER]["ABS_FOCUS_POSITION"].getfloatvalue("FOCUS_ABSOLUTE_POSITION")
    expect((moved, there) == ("Ok", here + 500), f"the focuser is {moved} at {there}, not {here + 500}")
    parked = await client.order(MOUNT, "TELESCOPE_PARK", PARK="On", UNPARK="Off")
    expect((parked, client[MOUNT]["TELESCOPE_PARK"]["PARK"]) == ("Ok", "On"), f"the mount is not parked but {parked}")
    since = len(client.events)
    await client.send_newVector(MOUNT, "EQUATORIAL_EOD_COORD", members={"RA": 1.0, "DEC": 80.0})
    await client.until("a refusal", lambda: "Alert" in client.states(MOUNT, "EQUATORIAL_EOD_COORD", since))
    told = [event[4] for event in client.events[since:] if event[2] == "EQUATORIAL_EOD_COORD"]
    expect(any("parked" in text for text in told), f"it does not say why: {told}")
    expect(client.picture is None, "a picture came that nobody wanted")
    await client.send_enableBLOB("Also", CAMERA, "CCD1")
    expect(await client.order(CAMERA, "CCD_EXPOSURE", CCD_EXPOSURE_VALUE=2) == "Ok", "the exposure failed")
    expect(client.picture is not None, "the exposure ended without a picture")
    with open(file, "wb") as out:
        out.write(client.picture)


async def main(port, file):
    client = Client(port)
    running = asyncio.create_task(client.asyncrun())
    try:
        await tour(client, file)
    finally:
        client.shutdown()
        await running


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
