"""The focuser of the old interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astrobackend import DeviceKind

from ..BaseBackend import BaseFocuser
from .device import Device
from .guard import UNCONNECTED, command, getter, number

if TYPE_CHECKING:
    import astrobackend


class Focuser(Device, BaseFocuser):
    """A focuser; positions in steps."""

    _kind = DeviceKind.FOCUSER
    _device: astrobackend.Focuser = UNCONNECTED

    @getter(None)
    def get_absolute_position(self) -> int | None:
        """Where it is, also on its way; None when the focuser does not know."""
        return self._device.state().position

    @command
    def move_absolute_position(self, abspos: float) -> None:
        """Begins to move to the nearest step; `is_moving` tells when it is there."""
        self._device.start_move(round(number(abspos)))

    @getter(None)
    def get_max_absolute_position(self) -> int:
        """The outermost position."""
        return self._device.caps().max_position

    @getter(None)
    def get_current_temperature(self) -> float | None:
        """Temperature in degrees Celsius, None without a thermometer."""
        return self._device.state().temperature

    @command
    def stop(self) -> None:
        """Stops it; False when it cannot be stopped."""
        self._device.halt()

    @getter(False)
    def is_moving(self) -> bool:
        """True from the command until it stands."""
        return self._device.state().moving
