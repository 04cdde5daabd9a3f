"""Old programs on an Alpaca server."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import old_sequences
import pytest
from old_sequences import until
from pyastrobackend.Alpaca.AlpacaDevice import AlpacaDevice
from pyastrobackend.AlpacaBackend import DeviceBackend


@pytest.fixture
def backend(alpaca_address: str) -> Iterator[Any]:
    _, _, port = alpaca_address.rpartition(":")
    backend = DeviceBackend("127.0.0.1", int(port))
    assert backend.connect() is True
    yield backend
    assert backend.disconnect() is True


def test_camera(backend: Any, tmp_path: Path) -> None:
    old_sequences.camera(backend, "ALPACA:camera:0", tmp_path, 60)


def test_focuser(backend: Any) -> None:
    old_sequences.focuser(backend, "ALPACA:focuser:0")


def test_filter_wheel(backend: Any) -> None:
    old_sequences.filter_wheel(backend, "Alpaca:FilterWheel:0")


def test_mount(backend: Any) -> None:
    old_sequences.mount(backend, "ALPACA:mount:0")


@pytest.mark.parametrize("name", ["ALPACA:camera:x", "ALPACA:camera:7", "ALPACA:camera", "ALPACA:focuser:0", "junk:"])
def test_names_that_are_none(backend: Any, name: str) -> None:
    camera = backend.newCamera()
    assert camera.connect(name) is False
    assert camera.is_connected() is False


def test_names_of_devices(backend: Any) -> None:
    assert backend.getDevicesByClass("camera") == backend.getDevicesByClass("ccd") == ["ALPACA:camera:0"]
    assert backend.getDevicesByClass("filter") == ["ALPACA:filterwheel:0"]
    assert backend.getDevicesByClass("mount") == backend.getDevicesByClass("telescope") == ["ALPACA:telescope:0"]


def test_the_server_is_told_of_connecting(backend: Any) -> None:
    focuser = backend.newFocuser()
    assert focuser.connect("ALPACA:focuser:0")
    assert backend.get_prop("focuser/0", "connected") is True
    assert focuser.disconnect()
    assert backend.get_prop("focuser/0", "connected") is False


def test_members_by_name(backend: Any) -> None:
    camera = backend.newCamera()
    assert camera.get_prop("gain") is None, "not connected yet"
    assert camera.set_prop("gain", {"Gain": 3}) is False
    assert camera.connect("ALPACA:camera:0")
    gain = camera.get_prop("gain")
    assert type(gain) is int
    assert camera.set_prop("gain", {"Gain": gain + 7}) is True
    assert camera.get_prop("gain") == gain + 7 == camera.get_camera_gain()
    reply = camera.get_prop("gain", returndict=True)
    assert (reply["Value"], reply["ErrorNumber"]) == (gain + 7, 0)
    assert camera.get_prop("no such member") is None
    assert camera.set_prop("gain", {"Gain": 10**6}) is False
    assert camera.set_prop("gain", {"Gain": gain}) is True
    assert backend._base_url() == f"http://{backend.observatory.address.partition('://')[2]}/api/v1"


def test_a_device_of_any_kind_by_its_name(backend: Any) -> None:
    device = AlpacaDevice(backend)
    assert device.connect("ALPACA:focuser:0")
    assert device.get_prop("maxstep") > 0
    assert device.disconnect()


def test_progress_is_what_the_server_tells(backend: Any) -> None:
    camera = backend.newCamera()
    assert camera.connect(None)
    assert camera.supports_progress() is True
    assert camera.start_exposure(100)
    until(lambda: 0 < camera.get_exposure_progress() < 100)
    until(camera.check_exposure)


def test_cooler_waits_for_its_switch(backend: Any) -> None:
    camera = backend.newCamera()
    assert camera.connect(None)
    assert camera.set_cooler_state(False)
    assert camera.set_target_temperature(-12)
    assert camera.get_cooler_state() is False, "setting a temperature does not switch the cooler on"
    assert camera.get_target_temperature() == -12
    assert camera.set_target_temperature(-400) is False
    assert camera.set_cooler_state(True)
    until(camera.get_cooler_state, 10)
    assert camera.get_prop("setccdtemperature") == -12
    assert camera.set_cooler_state(False)


def test_image_in_base64(backend: Any) -> None:
    camera = backend.newCamera()
    assert camera.connect(None)
    assert camera.set_frame(0, 0, 40, 30)
    assert camera.start_exposure(1)
    until(camera.check_exposure)
    columns = numpy.frombuffer(base64.b64decode(backend.get_base64("camera/0")), "<i4").reshape(40, 30)
    assert numpy.array_equal(columns.T, camera.get_image_data())
    assert backend.get_base64("camera/9") is None


def test_without_a_server() -> None:
    backend = DeviceBackend("127.0.0.1", 1)
    assert backend.connect() is False
    assert backend.connect() is False, "also the second time"
    assert backend.isConnected() is False
    assert backend.newCamera().connect("ALPACA:camera:0") is False
    assert backend.getDevicesByClass("camera") == []
    assert backend.get_prop("camera/0", "gain") is None
    assert backend.disconnect() is True
