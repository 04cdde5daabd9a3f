"""Old programs on the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import old_sequences
import pytest
from pyastrobackend.SIMBackend import DeviceBackend


@pytest.fixture
def backend() -> Iterator[Any]:
    backend = DeviceBackend(address="sim://?speed=100&sensor=generic")
    assert backend.connect() is True
    yield backend
    assert backend.disconnect() is True


def test_camera(backend: Any, tmp_path: Path) -> None:
    old_sequences.camera(backend, None, tmp_path, 10)


def test_focuser(backend: Any) -> None:
    old_sequences.focuser(backend, "")


def test_filter_wheel(backend: Any) -> None:
    old_sequences.filter_wheel(backend, None)


def test_mount(backend: Any) -> None:
    old_sequences.mount(backend, "Mount Simulator")


def test_names_of_devices(backend: Any) -> None:
    for device_class in ("camera", "ccd", "focuser", "filter", "filterwheel", "telescope", "mount"):
        [name] = backend.getDevicesByClass(device_class)
        assert isinstance(name, str)
    assert backend.getDevicesByClass("teapot") == []
