"""ASCOM drivers through COM, on Windows."""

from __future__ import annotations

from ._common import backend
from .ASCOM.Camera import Camera
from .ASCOM.FilterWheel import FilterWheel
from .ASCOM.Focuser import Focuser
from .ASCOM.Mount import Mount


class DeviceBackend(backend.DeviceBackend):
    """The ASCOM drivers of this computer; on a system without COM it does not connect, and the log says why."""

    _name = "ASCOM"
    _schemes = ("ascom", "com")
    _camera = Camera
    _filter_wheel = FilterWheel
    _focuser = Focuser
    _mount = Mount

    def __init__(self, mainThread: bool = True, *, address: str | None = None) -> None:
        super().__init__(address or backend.environment_address(self._schemes) or "ascom://")
