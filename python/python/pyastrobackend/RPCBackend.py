"""Servers of the Python Astroimaging Suite's JSON RPC, and `astrobackend serve rpc`."""

from __future__ import annotations

from ._common import backend
from .RPC.Camera import Camera
from .RPC.FilterWheel import FilterWheel
from .RPC.Focuser import Focuser
from .RPC.Mount import Mount

USUAL = "127.0.0.1", 8800, "rpc://127.0.0.1:8800"


class DeviceBackend(backend.DeviceBackend):
    """The devices of an RPC server."""

    _name = "RPC"
    _schemes = ("rpc",)
    _camera = Camera
    _filter_wheel = FilterWheel
    _focuser = Focuser
    _mount = Mount

    def __init__(
        self, mainThread: bool = True, host: str = "127.0.0.1", port: int = 8800, *, address: str | None = None
    ) -> None:
        super().__init__(address or backend.server_address(self._schemes, host, port, USUAL))
