"""The filter wheel of the old interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astrobackend import DeviceKind, NotFound

from ..BaseBackend import BaseFilterWheel
from .device import Device
from .guard import UNCONNECTED, command, getter, whole

if TYPE_CHECKING:
    import astrobackend


class FilterWheel(Device, BaseFilterWheel):
    """A filter wheel; the first position is 0."""

    _kind = DeviceKind.FILTER_WHEEL
    _device: astrobackend.FilterWheel = UNCONNECTED

    @getter(None)
    def get_position(self) -> int:
        """The position, -1 while it turns."""
        position = self._device.state().position
        return -1 if position is None else position

    @getter(None)
    def get_position_name(self) -> str | None:
        """The filter in the light; None while it turns."""
        position = self._device.state().position
        names = self._device.names()
        return names[position] if position is not None and position < len(names) else None

    @command
    def set_position(self, pos: float) -> None:
        """Begins to turn to a position; `is_moving` tells when it is there."""
        self._device.start_move(whole(pos))

    @command
    def set_position_name(self, name: str) -> None:
        """Begins to turn to a filter by name."""
        names = self._device.names()
        if name not in names:
            raise NotFound(f"there is no filter {name!r}; there are {', '.join(names)}")
        self._device.start_move(names.index(name))

    @getter(False)
    def is_moving(self) -> bool:
        """True from the command until it stands."""
        return self._device.state().moving

    @getter(None)
    def get_names(self) -> list[str]:
        """The filters by position."""
        return self._device.names()

    @getter(None)
    def get_num_positions(self) -> int:
        """How many positions there are."""
        return len(self._device.names())
