"""Finds the focus by a V-curve: `python autofocus.py [ADDRESS]`. Needs NumPy."""

import sys

import astrobackend
import numpy
from astrobackend import Camera, Focuser
from numpy.typing import NDArray


def half_flux_diameter(picture: NDArray[numpy.uint16], reach: int = 40) -> float:
    """The diameter in pixels that holds half the light of the brightest star."""
    light = picture.astype(float) - numpy.median(picture)
    # The mean of nine, so that no hot pixel is taken for a star.
    smooth = sum(numpy.roll(light, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
    inner = numpy.asarray(smooth)[reach:-reach, reach:-reach]
    y, x = numpy.add(numpy.unravel_index(inner.argmax(), inner.shape), reach)
    star = light[y - reach : y + reach, x - reach : x + reach]
    star = numpy.where(star > 3 * light.std(), star, 0)
    rows, columns = numpy.indices(star.shape)
    y, x = (star * rows).sum() / star.sum(), (star * columns).sum() / star.sum()
    return float(2 * (star * numpy.hypot(rows - y, columns - x)).sum() / star.sum())


def measure(camera: Camera, focuser: Focuser, position: int) -> float:
    """The size of a star at a position of the focuser."""
    focuser.move_to(position)
    size = half_flux_diameter(camera.expose(2).data)
    print(f"{position:6d} {size:6.2f}")
    return size


def main(address: str) -> None:
    with (
        astrobackend.open(address) as observatory,
        observatory.focuser() as focuser,
        observatory.camera() as camera,
    ):
        middle = focuser.state().position or 0
        positions = numpy.arange(middle - 1500, middle + 1501, 250)
        sizes = [measure(camera, focuser, int(position)) for position in positions]
        # Far from the focus the size grows with the distance from it; near it, with its square.
        square, linear, _ = numpy.polyfit(positions, numpy.square(sizes), 2)
        best = round(-linear / (2 * square))
        print(f"best focus {best}, star of {measure(camera, focuser, best):.2f} pixels")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sim://?speed=50&sensor=generic")
