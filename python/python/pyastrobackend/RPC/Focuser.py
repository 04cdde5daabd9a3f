"""Focusers behind an RPC server."""

from __future__ import annotations

from .._common import focuser
from .RPCDeviceBase import RPCDevice, RPCDeviceThread


class RPCFocuserThread(RPCDeviceThread):
    """A connection for a focuser's raw requests."""


class Focuser(RPCDevice, focuser.Focuser):
    """A focuser behind an RPC server."""

    _thread_class = RPCFocuserThread
