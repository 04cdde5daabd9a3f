"""An observatory behind indipyserver: an INDI server that shares no code with libindi.

`python testing/indipy_server [SECONDS_PER_MOVE]` serves drivers written with indipydriver, which share no code with
libindi either: a colour camera with everything, a small guide camera, a focuser, a wheel, a mount.
`python testing/indipy_server -- PROGRAM ...` serves executable drivers in their place.

It listens on a free port of 127.0.0.1, prints `listening PORT` as its first line once every driver has told who it
is, and ends when its standard input is closed.
"""

import asyncio
import pathlib
import sys

from camera import Camera, GuideCamera
from focuser import Focuser
from indipydriver import IPyDriver
from indipyserver import IPyServer
from mount import Mount
from wheel import Wheel

RELAY = str(pathlib.Path(__file__).with_name("ping_relay.py"))


class Driver(IPyDriver):
    async def rxevent(self, event):
        await self[event.devicename].devrxevent(event)


def observatory(seconds):
    devices = [Camera(), GuideCamera(), Focuser(seconds), Wheel(seconds), Mount(seconds)]
    for device in devices:
        device.add_background(device.run())
    return Driver(*devices)


def server(arguments):
    options = {"host": "127.0.0.1", "port": 0, "maxconnections": 10}
    if arguments[:1] == ["--"]:
        result = IPyServer(**options)
        for program in arguments[1:]:
            result.add_exdriver(sys.executable, RELAY, program)
        return result
    return IPyServer(observatory(float(arguments[0]) if arguments else 0.2), **options)


async def main(arguments):
    serving = server(arguments)
    running = asyncio.create_task(serving.asyncrun())
    while serving.server is None or not serving.server.sockets:
        await asyncio.sleep(0.01)
    while not all(driver.devicenames for driver in serving.exdrivers):
        await asyncio.sleep(0.01)
    print("listening", serving.server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    serving.shutdown()
    await running


asyncio.run(main(sys.argv[1:]))
