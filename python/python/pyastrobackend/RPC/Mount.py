"""Mounts behind an RPC server."""

from __future__ import annotations

from .._common import mount
from .RPCDeviceBase import RPCDevice, RPCDeviceThread


class RPCMountThread(RPCDeviceThread):
    """A connection for a mount's raw requests."""


class Mount(RPCDevice, mount.Mount):
    """A mount behind an RPC server."""

    _thread_class = RPCMountThread

    def send_radec_command(self, cmd: str, ra: float, dec: float) -> bool:
        """Sends a raw command with a place in the sky; True when the server did it."""
        return self.send_command(cmd, {"ra": ra, "dec": dec})
