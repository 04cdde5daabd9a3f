"""Filter wheels behind an RPC server."""

from __future__ import annotations

from .._common import filter_wheel
from .RPCDeviceBase import RPCDevice, RPCDeviceThread


class RPCFilterWheelThread(RPCDeviceThread):
    """A connection for a filter wheel's raw requests."""


class FilterWheel(RPCDevice, filter_wheel.FilterWheel):
    """A filter wheel behind an RPC server."""

    _thread_class = RPCFilterWheelThread
