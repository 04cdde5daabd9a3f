"""Cameras behind an RPC server."""

from __future__ import annotations

import json
import os

from astrobackend import Unsupported

from .._common import camera
from .._common.guard import getter
from .RPCDeviceBase import RPCDevice, RPCDeviceThread


class RPCCameraThread(RPCDeviceThread):
    """A connection for a camera's raw requests."""


class Camera(RPCDevice, camera.Camera):
    """A camera behind an RPC server."""

    _thread_class = RPCCameraThread

    @getter(False)
    def supports_progress(self) -> bool:
        """True when the server tells how far an exposure is; the original's does not."""
        reply = self._observatory().rpc("get_exposure_progress", {"device": self._device.name})
        return "exposure_progress" in reply

    def _save(self, path: str | os.PathLike[str], overwrite: bool) -> None:
        try:
            super()._save(path, overwrite)
        except Unsupported:
            # The server keeps the image to itself, and saves it on its own computer.
            saving = {"filename": os.fspath(path), "overwrite": overwrite}
            self._device.action("rpc:save-image", json.dumps(saving))
