"""What old programs do with each kind of device, for any backend: the tests run them over all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import astrobackend
import numpy
import pytest

SETTINGS = {
    "binning", "framesize", "roi", "pixelsize", "egain", "camera_gain", "camera_offset", "camera_usbbandwidth",
    "camera_current_temperature", "camera_target_temperature", "cooler_state", "cooler_power",
}  # fmt: skip


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Polls as an old program does, but not for ever."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"still not after {seconds} seconds")
        time.sleep(0.01)


def ints(values: Any) -> bool:
    return all(type(value) is int for value in values)


def connected(device: Any, name: str | None) -> Any:
    """The device, connected, having shown what it does before."""
    assert not device.is_connected()
    if device.backend.name() != "RPC":  # Its original had no names for devices.
        assert device.connect("no such device") is False
        assert device.is_connected() is False
    assert device.connect(name) is True
    assert device.connect(name) is True, "a second connect"
    assert device.is_connected() is True
    assert device.has_chooser() is False
    assert device.show_chooser("") is None
    return device


def let_go(device: Any) -> None:
    assert device.disconnect() is True
    assert device.is_connected() is False
    assert device.disconnect() is True


def fits_pixels(path: Path) -> Any:
    """The pixels of a file, by another reader than ours where there is one."""
    try:
        from astropy.io import fits
    except ImportError:
        return numpy.array(astrobackend.Image.read(path))
    return fits.getdata(path)


# -- camera -----------------------------------------------------------------------------------------------------------


def camera(backend: Any, name: str | None, folder: Path, seconds: float = 0.5) -> None:
    cam = backend.newCamera()
    assert cam.get_max_binning() is None
    assert cam.get_state() == -1
    connected(cam, name)
    camera_says_what_it_is(cam)
    camera_settings(cam)
    image = exposure(cam, seconds)
    saving(cam, image, folder)
    aborting(cam)
    refusing(cam, folder)
    cooling(cam)
    assert exposure(cam, seconds).shape == image.shape
    let_go(cam)
    assert cam.get_image_data() is None
    assert cam.get_binning() is None
    assert cam.start_exposure(1) is False


def camera_says_what_it_is(cam: Any) -> None:
    for words in (cam.get_camera_name(), cam.get_driver_version()):
        assert words is None or isinstance(words, str)
    assert cam.get_camera_name()
    settings = cam.get_settings()
    assert set(settings) == SETTINGS
    assert settings["binning"] == cam.get_binning()
    assert settings["framesize"] == cam.get_size()
    assert settings["roi"] == cam.get_frame()
    assert isinstance(settings["cooler_state"], bool)
    assert all(type(size) is float and 1 < size < 20 for size in cam.get_pixelsize())
    assert ints(cam.get_size())
    assert type(cam.get_max_binning()) is int
    shortest, longest = cam.get_min_max_exposure()
    assert 0 <= shortest < 1 < longest
    assert cam.get_state() == 0


def camera_settings(cam: Any) -> None:
    width, height = cam.get_size()
    assert cam.set_binning(1, 1) is True
    assert cam.set_frame(0, 0, width, height) is True
    assert cam.set_binning(2, 2.0) is True
    assert cam.get_binning() == (2, 2)
    assert ints(cam.get_binning())
    assert cam.get_frame() == (0, 0, width // 2, height // 2), "all of the sensor stays all of it"
    assert cam.set_frame(10.0, 20, 120.7, 80) is True
    assert cam.get_frame() == (10, 20, 120, 80)
    assert ints(cam.get_frame())
    assert cam.set_binning(1, 1) is True
    assert cam.get_frame() == (20, 40, 240, 160), "the same part of the sensor"
    for refused in [(99, 99), (0, 0), ("two", 2), (1.5, 1.5)]:
        assert cam.set_binning(*refused) is False
    assert cam.get_binning() == (1, 1)
    for frame in [(0, 0, width + 1, height), (-1, 0, 10, 10), (0, 0, 0, 0), (width, 0, 10, 10), ("0", "a", 1, 1)]:
        assert cam.set_frame(*frame) is False
    assert cam.get_frame() == (20, 40, 240, 160)
    gain = cam.get_camera_gain()
    if gain is not None:
        assert cam.set_camera_gain(gain + 1) is True
        assert cam.get_camera_gain() == gain + 1
        assert cam.set_camera_gain(gain) is True
    assert cam.set_camera_gain("much") is False


def exposure(cam: Any, seconds: float) -> Any:
    """Takes a picture, and gives its pixels."""
    assert cam.start_exposure(seconds) is True
    assert cam.check_exposure() is False, "busy at once"
    assert cam.get_state() in (1, 2, 3, 4)
    assert cam.get_image_data() is None, "no image of an earlier exposure"
    seen = []

    def over() -> bool:
        seen.append(cam.get_exposure_progress())
        return bool(cam.check_exposure())

    until(over)
    assert cam.check_exposure_success() is True
    assert cam.get_exposure_progress() == 100
    assert all(type(percent) is int and -1 <= percent <= 100 for percent in seen)
    if not cam.supports_progress():
        assert set(seen) <= {-1, 100}
    image = cam.get_image_data()
    data = image[0].data if isinstance(image, list) else image  # A list of HDUs is a list.
    _, _, width, height = cam.get_frame()
    assert data.shape == (height, width)
    data[0, 0] = 7  # It is the program's own.
    return data


def saving(cam: Any, image: Any, folder: Path) -> None:
    assert cam.supports_saveimage() is True
    path = folder / "image.fits"
    assert cam.save_image_data(str(path)) is True
    assert numpy.array_equal(fits_pixels(path)[1:], image[1:])
    written = path.read_bytes()
    path.write_bytes(written[:2880])
    assert cam.save_image_data(str(path)) is False, "it is there already"
    assert path.stat().st_size == 2880
    assert cam.save_image_data(str(path), overwrite=True) is True
    assert path.stat().st_size == len(written)
    assert cam.save_image_data(str(folder / "no" / "folder.fits")) is False


def aborting(cam: Any) -> None:
    assert cam.start_exposure(600) is True
    assert cam.check_exposure() is False
    assert cam.start_exposure(1) is False, "it is exposing"
    assert cam.check_exposure() is False
    assert cam.stop_exposure() is True
    until(cam.check_exposure, 10)
    assert cam.check_exposure_success() == (cam.get_image_data() is not None)
    assert cam.get_state() == 0


def refusing(cam: Any, folder: Path) -> None:
    """Nothing of an older image comes after an exposure that was refused."""
    for seconds in (-1, 1e9, "long", None, float("nan")):
        assert cam.start_exposure(seconds) is False
        assert cam.check_exposure() is True, "callers do not hang"
        assert cam.check_exposure_success() is False
        assert cam.get_image_data() is None
        assert cam.save_image_data(str(folder / "refused.fits")) is False
    assert not (folder / "refused.fits").exists()


def cooling(cam: Any) -> None:
    assert isinstance(cam.get_current_temperature(), float)
    assert cam.set_target_temperature(-5) is True
    assert cam.get_target_temperature() == -5
    assert cam.set_cooler_state(True) is True
    until(cam.get_cooler_state, 10)
    assert cam.get_target_temperature() == -5
    assert cam.set_target_temperature(-6.5) is True
    assert cam.get_target_temperature() == -6.5
    assert cam.set_target_temperature(-400) is False
    assert cam.set_target_temperature("cold") is False
    assert cam.get_target_temperature() == -6.5
    assert cam.get_cooler_power() is None or isinstance(cam.get_cooler_power(), float)
    assert cam.set_cooler_state(False) is True
    until(lambda: cam.get_cooler_state() is False, 10)


# -- focuser ----------------------------------------------------------------------------------------------------------


def focuser(backend: Any, name: str | None, *, stops: bool = True) -> None:
    focuser = connected(backend.newFocuser(), name)
    outermost = focuser.get_max_absolute_position()
    assert type(outermost) is int
    start = focuser.get_absolute_position()
    assert type(start) is int
    target = start + 3000 if start + 3000 < outermost else start - 3000
    assert focuser.move_absolute_position(target + 0.2) is True
    assert focuser.is_moving() is True or focuser.get_absolute_position() == target, "moving at once"
    until(lambda: not focuser.is_moving())
    assert focuser.get_absolute_position() == target
    for nowhere in (outermost + 1, -1, "in", None):
        assert focuser.move_absolute_position(nowhere) is False
    assert focuser.is_moving() is False
    temperature = focuser.get_current_temperature()
    assert temperature is None or isinstance(temperature, float)
    assert focuser.move_absolute_position(start) is True
    assert focuser.stop() is stops
    until(lambda: not focuser.is_moving())
    assert stops or focuser.get_absolute_position() == start
    let_go(focuser)
    assert focuser.get_absolute_position() is None
    assert focuser.move_absolute_position(start) is False


# -- filter wheel -----------------------------------------------------------------------------------------------------


def filter_wheel(backend: Any, name: str | None) -> None:
    wheel = connected(backend.newFilterWheel(), name)
    names = wheel.get_names()
    assert wheel.get_num_positions() == len(names) > 2
    assert wheel.set_position(0) is True
    until(lambda: not wheel.is_moving())
    assert wheel.get_position() == 0
    assert wheel.get_position_name() == names[0]
    assert wheel.set_position(2.0) is True
    assert wheel.is_moving() is True, "moving at once"
    assert wheel.get_position() == -1
    assert wheel.get_position_name() is None
    until(lambda: not wheel.is_moving())
    assert type(wheel.get_position()) is int
    assert wheel.get_position() == 2
    assert wheel.set_position_name(names[1]) is True
    until(lambda: not wheel.is_moving())
    assert wheel.get_position_name() == names[1]
    for nowhere in (-1, len(names), 0.5, "one", None):
        assert wheel.set_position(nowhere) is False
    assert wheel.set_position_name("no such filter") is False
    assert wheel.get_position() == 1
    let_go(wheel)
    assert wheel.get_position() is None
    assert wheel.get_names() is None
    assert wheel.set_position(0) is False


# -- mount ------------------------------------------------------------------------------------------------------------


def mount(backend: Any, name: str | None) -> None:
    mount = connected(backend.newMount(), name)
    if mount.is_parked():
        assert mount.unpark() is True
        until(lambda: not mount.is_parked() and not mount.is_slewing())
    assert mount.set_tracking(True) is True
    until(mount.get_tracking, 10)
    assert mount.get_pier_side() in ("EAST", "WEST", None)
    assert mount.get_side_physical() == mount.get_pier_side()
    slewing(mount)
    aborting_slew(mount)
    parking(mount)
    let_go(mount)
    assert mount.get_position_radec() == (None, None)
    assert mount.get_position_altaz() == (None, None)
    assert mount.slew(1, 2) is False


def away(mount: Any, ra: float, dec: float) -> float:
    """Degrees between a place and where the mount points, roughly."""
    is_ra, is_dec = mount.get_position_radec()
    across = (is_ra - ra + 12) % 24 - 12
    return float(numpy.hypot(across * 15 * numpy.cos(numpy.radians(dec)), is_dec - dec))


def slewing(mount: Any) -> None:
    ra, _ = mount.get_position_radec()
    target = (ra + 0.5) % 24, 70
    assert mount.slew(*target) is True
    assert mount.is_slewing() is True, "slewing at once"
    assert away(mount, *target) > 0.1, "the position is no echo of the target"
    until(lambda: not mount.is_slewing())
    assert away(mount, *target) < 0.02
    assert mount.get_tracking() is True
    altitude, azimuth = mount.get_position_altaz()
    assert altitude is None or -90 <= altitude <= 90
    assert azimuth is None or 0 <= azimuth < 360
    assert mount.get_side_pointing() in ("EAST", "WEST", None)
    beside = target[0], target[1] - 0.1
    assert mount.sync(*beside) is True
    until(lambda: away(mount, *beside) < 0.02, 10)
    for nowhere in [(25, 0), (0, 91), ("a", 0), (None, None), (float("nan"), 0)]:
        assert mount.slew(*nowhere) is False
        assert mount.sync(*nowhere) is False
    assert mount.is_slewing() is False
    assert mount.set_tracking(False) is True
    until(lambda: mount.get_tracking() is False, 10)
    assert mount.set_tracking(True) is True
    until(mount.get_tracking, 10)


def aborting_slew(mount: Any) -> None:
    ra, _ = mount.get_position_radec()
    target = (ra - 2) % 24, 40
    assert mount.slew(*target) is True
    assert mount.abort_slew() is True
    until(lambda: not mount.is_slewing(), 10)
    assert away(mount, *target) > 1, "it did not go on"


def parking(mount: Any) -> None:
    assert mount.can_park() is True
    assert mount.park() is True
    until(lambda: mount.is_parked() and not mount.is_slewing())
    assert mount.slew(*mount.get_position_radec()) is False, "it is parked"
    assert mount.unpark() is True
    until(lambda: not mount.is_parked(), 30)
