"""Servers of the Python Astroimaging Suite's JSON RPC, and `astrobackend serve rpc`."""

from __future__ import annotations

import weakref

from ._common import backend
from .RPC.Camera import Camera
from .RPC.FilterWheel import FilterWheel
from .RPC.Focuser import Focuser
from .RPC.Mount import Mount
from .RPC.RPCDeviceBase import RPCDeviceThread

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
        self.connections: weakref.WeakSet[RPCDeviceThread] = weakref.WeakSet()
        """What devices have opened for raw requests."""

    def disconnect(self) -> bool:
        """Closes the way, and what devices have opened beside it."""
        for connection in list(self.connections):
            connection.close()
        return super().disconnect()
