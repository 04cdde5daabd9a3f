"""Takes pictures with alpyca and writes their pixels for a comparison with what the camera really had.

    python testing/alpyca_images.py HOST:PORT COUNT FOLDER

Each file N.f64 holds the pixels as 64-bit floats in the order of Alpaca, column after column.
"""

import array
import pathlib
import sys
import time

from alpaca.camera import Camera

address, count, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
camera = Camera(address, 0)
camera.Connected = True
for number in range(count):
    camera.StartExposure(0.01, True)
    end = time.monotonic() + 30
    while not camera.ImageReady:
        assert time.monotonic() < end, "no picture"
        time.sleep(0.005)
    columns = camera.ImageArray
    info = camera.ImageArrayInfo
    pixels = array.array("d")
    for column in columns:
        for pixel in column:
            pixels.extend(pixel) if info.Rank == 3 else pixels.append(pixel)
    (folder / f"{number}.f64").write_bytes(pixels.tobytes())
    print(number, info.Rank, info.Dimension1, info.Dimension2)
