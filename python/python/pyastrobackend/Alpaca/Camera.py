"""Alpaca cameras."""

from __future__ import annotations

from .._common import camera
from .AlpacaDevice import AlpacaDevice

NOT_IMPLEMENTED = 0x400


class Camera(AlpacaDevice, camera.Camera):
    """A camera of an Alpaca server."""

    _has_raw_states = True
    _cools_when_set = False

    def supports_progress(self) -> bool:
        """True when the camera has the member; it answers only during an exposure."""
        reply = self._get("percentcompleted", returndict=True)
        return reply is not None and reply.get("ErrorNumber") != NOT_IMPLEMENTED
