"""What indipyclient sees on an INDI server: `python testing/indi_view.py PORT SECONDS` prints it as JSON.

{device: {property: {"type": "Number", "state": "Ok", "elements": {name: value}}}}; numbers are numbers, switches
are true or false, all else is text. BLOBs have no values.
"""

import asyncio
import json
import sys

from indipyclient import IPyClient


class Client(IPyClient):
    async def rxevent(self, event):
        pass


def value(vector, name):
    kind = vector.vectortype
    if kind == "NumberVector":
        return vector.getfloatvalue(name)
    if kind == "SwitchVector":
        return vector[name] == "On"
    return None if kind == "BLOBVector" else vector[name]


def view(client):
    return {
        device_name: {
            name: {
                "type": vector.vectortype.removesuffix("Vector"),
                "state": vector.state,
                "elements": {element: value(vector, element) for element in vector},
            }
            for name, vector in device.items()
            if vector.enable
        }
        for device_name, device in client.items()
        if device.enable
    }


async def main(port, seconds):
    client = Client(indihost="127.0.0.1", indiport=port)
    running = asyncio.create_task(client.asyncrun())
    await asyncio.sleep(seconds)
    print(json.dumps(view(client)), flush=True)
    client.shutdown()
    await running


asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
