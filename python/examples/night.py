"""Two telescopes at once, and their news meanwhile, with asyncio: `python night.py [ADDRESS [ADDRESS]]`."""

import asyncio
import sys

import astrobackend
from astrobackend import CameraState, Observatory


async def news(observatory: Observatory) -> None:
    """Tells what a camera is doing, whenever that changes."""
    last = None
    async for event in observatory.events():
        if isinstance(event.state, CameraState) and event.state.status != last:
            last = event.state.status
            print(observatory.address, event.device, last.name)


async def observe(address: str) -> None:
    with astrobackend.open(address) as observatory, observatory.camera() as camera:
        listener = asyncio.create_task(news(observatory))
        for n in range(3):
            image = await camera.expose_async(2, binning=2)
            print(address, n, image, image.data.max())
        listener.cancel()


async def main(addresses: list[str]) -> None:
    await asyncio.gather(*(observe(address) for address in addresses))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or ["sim://?seed=1&speed=4", "sim://?seed=2&speed=4"]))
