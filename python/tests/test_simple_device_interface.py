"""The short way: connecting, waiting for the focuser, a picture to a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from old_sequences import fits_pixels
from pyastrobackend import BackendConfig, SimpleDeviceInterface
from pyastrobackend.SimpleDeviceInterface import SimpleDeviceInterface as Interface


@pytest.fixture
def simple(monkeypatch: pytest.MonkeyPatch) -> Iterator[Interface]:
    monkeypatch.setattr(BackendConfig, "LOADED_BACKENDS", {})
    monkeypatch.setenv("PYASTROBACKEND", "sim://?speed=100&sensor=generic")
    yield Interface()
    for backend in BackendConfig.LOADED_BACKENDS.values():
        backend.disconnect()


def test_connecting(simple: Interface) -> None:
    assert simple.connect_backend() is True
    assert simple.camera_backend is simple.focuser_backend is simple.filterwheel_backend is simple.backend
    assert simple.connect_camera("Camera Simulator").is_connected()
    assert simple.connect_focuser("Focuser Simulator").is_connected()
    assert simple.connect_filterwheel("Filter Wheel Simulator").is_connected()
    assert simple.connect_mount("Mount Simulator").is_connected()
    assert simple.connect_camera("no such camera") is None


def test_a_focuser_that_is_gone_has_not_arrived(simple: Interface) -> None:
    assert simple.connect_backend()
    focuser = simple.connect_focuser(None)
    assert focuser.move_absolute_position(0 if focuser.get_absolute_position() > 30_000 else 60_000)
    simple.backend.disconnect()
    assert simple.wait_on_focuser_move(focuser) is False
    assert simple.wait_on_focuser_move(simple.backend.newFocuser()) is False


def test_an_interrupted_picture_is_stopped(simple: Interface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = simple.connect_camera(None)

    def interrupt(seconds: float) -> None:
        assert camera.get_state() == 2
        raise KeyboardInterrupt

    monkeypatch.setattr(SimpleDeviceInterface, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        simple.take_exposure(camera, 3000, tmp_path / "a.fits", roi=numpy.array([0, 0, 64, 64]))
    assert camera.get_state() == 0


def test_devices_without_a_backend_first(simple: Interface) -> None:
    assert simple.connect_focuser(None).is_connected()
    assert simple.connect_mount(None, "SIM").is_connected()
    assert simple.connect_mount(None, "SIM").is_connected(), "the backend is connected twice"


def test_a_backend_that_is_not_there(simple: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYASTROBACKEND", "indi://127.0.0.1:1?timeout=1")
    assert simple.connect_backend() is False
    assert simple.connect_camera("CCD Simulator") is None
    with pytest.raises(Exception, match="no implementation"):
        simple.connect_camera("CCD Simulator", "bogus")


def test_a_picture(simple: Interface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    camera = simple.connect_camera(None)
    assert camera.set_binning(2, 2)
    assert simple.take_exposure(camera, 2, "image.fits") is True
    assert fits_pixels(Path("image.fits")).shape == (1024, 1280), "unbinned, all of it"
    assert simple.take_exposure(camera, 2, "image.fits", roi=(10, 20, 64, 32)) is False, "the file is there"
    assert fits_pixels(Path("image.fits")).shape == (1024, 1280)
    assert simple.take_exposure(camera, 2, "image.fits", roi=(10, 20, 64, 32), overwrite=True) is True
    assert fits_pixels(Path("image.fits")).shape == (32, 64)
    assert simple.take_exposure(camera, 2, str(tmp_path / "no" / "folder.fits")) is False
    for exposure, roi in [(-1, None), (1, (0, 0, 9999, 10))]:
        assert simple.take_exposure(camera, exposure, "refused.fits", roi) is False
        assert not Path("refused.fits").exists()


class Camera:
    """A camera that does what the test says."""

    def __init__(self, over: bool, success: bool, saves: bool = True, image: Any = None) -> None:
        self.over, self.success, self.saves, self.image = over, success, saves, image
        self.stopped = False

    def get_size(self) -> tuple[int, int]:
        return 4, 3

    def set_binning(self, x: int, y: int) -> bool:
        return (x, y) == (1, 1)

    def set_frame(self, *frame: int) -> bool:
        return frame == (0, 0, 4, 3)

    def start_exposure(self, seconds: float) -> bool:
        return True

    def stop_exposure(self) -> bool:
        self.stopped = True
        return True

    def check_exposure(self) -> bool:
        return self.over

    def check_exposure_success(self) -> bool:
        return self.success

    def supports_saveimage(self) -> bool:
        return self.saves

    def get_image_data(self) -> Any:
        return self.image


def test_an_exposure_that_does_not_end(simple: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimpleDeviceInterface, "READOUT", 0.2)
    camera = Camera(over=False, success=False)
    assert simple.take_exposure(camera, 0.1, "never.fits") is False
    assert camera.stopped


def test_an_exposure_that_fails(simple: Interface, tmp_path: Path) -> None:
    assert simple.take_exposure(Camera(over=True, success=False), 0.1, tmp_path / "failed.fits") is False
    assert not (tmp_path / "failed.fits").exists()


@pytest.mark.parametrize("as_hdus", [False, True])
def test_a_camera_that_does_not_save(simple: Interface, tmp_path: Path, as_hdus: bool) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    pixels = numpy.arange(12, dtype="uint16").reshape(3, 4)
    image = fits.HDUList([fits.PrimaryHDU(pixels)]) if as_hdus else pixels
    camera = Camera(over=True, success=True, saves=False, image=image)
    path = tmp_path / "image.fits"
    assert simple.take_exposure(camera, 0, path) is True
    assert numpy.array_equal(fits.getdata(path), pixels)
    assert simple.take_exposure(camera, 0, path) is False
    assert simple.take_exposure(camera, 0, path, overwrite=True) is True
    assert simple.take_exposure(Camera(True, True, saves=False), 0, tmp_path / "none.fits") is False


def test_waiting_for_the_focuser(simple: Interface) -> None:
    focuser = simple.connect_focuser(None)
    assert focuser.move_absolute_position(60000)
    assert simple.wait_on_focuser_move(focuser) is True
    assert focuser.get_absolute_position() == 60000, "it stands where it was sent"
    assert focuser.move_absolute_position(0)
    assert simple.wait_on_focuser_move(focuser, 0) is True
    assert focuser.get_absolute_position() == 0


class Focuser:
    def __init__(self, moving: bool, position: int | None) -> None:
        self.moving, self.position = moving, position

    def is_moving(self) -> bool:
        return self.moving

    def is_connected(self) -> bool:
        return True

    def get_absolute_position(self) -> int | None:
        return self.position


def test_a_focuser_that_does_not_arrive(simple: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimpleDeviceInterface, "GRACE", 0.2)
    assert simple.wait_on_focuser_move(Focuser(moving=True, position=5), 5, timeout=0.3) is False
    assert simple.wait_on_focuser_move(Focuser(moving=False, position=5), 900, timeout=30) is False
    assert simple.wait_on_focuser_move(Focuser(moving=False, position=None), 900, timeout=0.1) is False
    assert simple.wait_on_focuser_move(Focuser(moving=False, position=899), 900.4, timeout=1) is False
    assert simple.wait_on_focuser_move(Focuser(moving=False, position=900), 900.4, timeout=1) is True
