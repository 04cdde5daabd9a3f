#!/usr/bin/env python3
"""indipyclient in the INDI bench.

    indipyclient_peer.py HOST PORT frame|updates

The second of two runs counts.
"""

import asyncio
import os
import sys

from indipyclient import IPyClient
from peer import DEVICE, Measurement


class Client(IPyClient):
    def __init__(self, what, **address):
        super().__init__(**address)
        self.what, self.runs = what, 0
        self.measurement = None
        self.enableBLOBdefault = "Also"

    async def start(self):
        self.runs += 1
        self.measurement = Measurement()
        if self.what == "frame":
            await self.send_newVector(DEVICE, "CCD_EXPOSURE", members={"CCD_EXPOSURE_VALUE": "0"})
        else:
            await self.send_newVector(DEVICE, "BENCH", members={"FAST": "On", "STEADY": "Off"})

    async def rxevent(self, event):
        name = getattr(event, "vectorname", None)
        if self.runs == 0 and event.eventtype == "DefineBLOB":
            # Only after this event does it ask for BLOBs.
            await self.resend_enableBLOB(event.devicename, event.vectorname)
            await self.start()
            return
        frame = self.what == "frame" and event.eventtype == "SetBLOB"
        updates = name == "BENCH" and event.eventtype == "Set" and event.vector.state == "Ok"
        if self.runs and (frame or updates):
            if self.runs == 2:
                self.measurement.print()
                os._exit(0)
            await self.start()


async def main():
    host, port, what = sys.argv[1:]
    await asyncio.wait_for(Client(what, indihost=host, indiport=int(port)).asyncrun(), 200)


asyncio.run(main())
