"""The mount of the old interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astrobackend import DeviceKind, Equinox, PierSide, RaDec

from ..BaseBackend import BaseMount
from .device import Device
from .guard import UNCONNECTED, command, getter, number

if TYPE_CHECKING:
    import astrobackend


class Mount(Device, BaseMount):
    """A mount; right ascension in hours and declination in degrees, in the mount's own equinox."""

    _kind = DeviceKind.MOUNT
    _device: astrobackend.Mount = UNCONNECTED

    @getter(False)
    def can_park(self) -> bool:
        """True when it can park."""
        return self._device.caps().park

    @getter(False)
    def is_parked(self) -> bool:
        """True when it is parked."""
        return self._device.state().parked

    @command
    def park(self) -> None:
        """Begins to park; `is_slewing` and `is_parked` tell when it is."""
        self._device.start_park()

    @command
    def unpark(self) -> None:
        """Begins to leave the park position."""
        self._device.start_unpark()

    @getter((None, None))
    def get_position_altaz(self) -> tuple[float | None, float | None]:
        """Altitude and azimuth in degrees; None for both when unknown."""
        horizon = self._device.state().horizon
        return (None, None) if horizon is None else (horizon.alt, horizon.az)

    @getter((None, None))
    def get_position_radec(self) -> tuple[float | None, float | None]:
        """Right ascension and declination where it points now, also on its way."""
        position = self._device.state().position
        return position.ra, position.dec

    @getter(None)
    def get_pier_side(self) -> str | None:
        """'EAST', 'WEST', or None when the mount does not say."""
        return word_of(self._device.state().pier_side)

    @getter(None)
    def get_side_physical(self) -> str | None:
        """The side of the pier that the telescope is on: what the mount says."""
        return word_of(self._device.state().pier_side)

    @getter(None)
    def get_side_pointing(self) -> str | None:
        """The side of the meridian that it looks at, by its hour angle."""
        state = self._device.state()
        if state.sidereal_time is None:
            return None
        hour_angle = (state.sidereal_time - state.position.to(Equinox.OF_DATE).ra + 12) % 24 - 12
        return "EAST" if hour_angle < 0 else "WEST"

    @getter(False)
    def is_slewing(self) -> bool:
        """True from the command until it has arrived."""
        return self._device.state().slewing

    @command
    def abort_slew(self) -> None:
        """Stops it."""
        self._device.abort()

    @command
    def slew(self, ra: float, dec: float) -> None:
        """Begins to point to a place; `is_slewing` tells when it is there."""
        self._device.start_slew(self._place(ra, dec))

    @command
    def sync(self, ra: float, dec: float) -> None:
        """Declares that it points there."""
        self._device.sync(self._place(ra, dec))

    @command
    def set_tracking(self, onoff: bool) -> None:
        """Switches the following of the sky."""
        self._device.set_tracking(bool(onoff))

    @getter(False)
    def get_tracking(self) -> bool:
        """True when it follows the sky."""
        return self._device.state().tracking.on

    def _place(self, ra: float, dec: float) -> RaDec:
        return RaDec(number(ra), number(dec), self._device.caps().equinox)


def word_of(side: PierSide) -> str | None:
    """'EAST', 'WEST' or None."""
    return None if side == PierSide.UNKNOWN else str(side)
