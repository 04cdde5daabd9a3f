"""A focus run as old programs make it: pictures at several positions, a curve through the sizes of a star, its vertex.

INDI's simulators play it whole: the size of the stars in the CCD simulator follows the position of the focuser
simulator, and is least at 36,667 steps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest
from old_sequences import until
from pyastrobackend import BackendConfig
from pyastrobackend.SimpleDeviceInterface import SimpleDeviceInterface

BEST = 36_667
REACH = 30
"""Pixels around a star that its light is in."""
NOISE = 6
"""Beyond that, a pixel is light."""


def half_flux_diameter(image: Any) -> float:
    """Of the brightest star: the diameter in pixels of the circle that half of its light is in."""
    light = image - numpy.median(image)
    y, x = numpy.unravel_index(light.argmax(), light.shape)
    light = light[max(y - REACH, 0) : y + REACH + 1, max(x - REACH, 0) : x + REACH + 1]
    light = numpy.where(light > NOISE, light, 0)
    rows, columns = numpy.indices(light.shape)
    middle = (light * rows).sum() / light.sum(), (light * columns).sum() / light.sum()
    distance = numpy.hypot(rows - middle[0], columns - middle[1]).ravel()
    outwards = distance.argsort()
    within = light.ravel()[outwards].cumsum()
    return float(2 * numpy.interp(within[-1] / 2, within, distance[outwards]))


def test_focus_run(indi_stars_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BackendConfig, "LOADED_BACKENDS", {})
    monkeypatch.setenv("PYASTROBACKEND", indi_stars_address)
    simple = SimpleDeviceInterface()
    assert simple.connect_backend() is True
    mount = simple.connect_mount("Telescope Simulator")
    focuser = simple.connect_focuser("Focuser Simulator")
    camera = simple.connect_camera("CCD Simulator")
    # The stand-in's stars are invented: here are some that stand alone.
    assert mount.sync(8, 60)
    until(lambda: abs(mount.get_position_radec()[0] - 8) < 0.01)

    def measured_at(position: float) -> float:
        assert focuser.move_absolute_position(position) is True
        assert simple.wait_on_focuser_move(focuser, position) is True
        assert focuser.get_absolute_position() == round(position)
        assert camera.start_exposure(0.5) is True
        until(camera.check_exposure)
        assert camera.check_exposure_success() is True
        return half_flux_diameter(camera.get_image_data()[0].data.astype(float))

    positions = range(25_000, 50_001, 5_000)
    sizes = [measured_at(position) for position in positions]
    quadratic, linear, _ = numpy.polyfit(positions, sizes, 2)
    vertex = -linear / (2 * quadratic)
    assert measured_at(vertex) < 3 < min(sizes[0], sizes[-1])
    assert abs(vertex - BEST) < 500
    assert simple.take_exposure(camera, 0.5, tmp_path / "focused.fits", roi=(400, 300, 200, 100)) is True
    simple.backend.disconnect()
