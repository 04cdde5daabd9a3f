"""What every backend and device has: the abstract classes that a program may check with `isinstance`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any


class BaseDeviceBackend(ABC):
    """The way to the devices of one framework."""

    @abstractmethod
    def connect(self) -> bool:
        """Opens the way; True when it is open."""

    @abstractmethod
    def disconnect(self) -> bool:
        """Closes the way; True when it is closed."""

    @abstractmethod
    def isConnected(self) -> bool:
        """True while the way is open and the other end answers."""

    @abstractmethod
    def newCamera(self) -> BaseCamera:
        """A camera, not connected yet."""

    @abstractmethod
    def newFocuser(self) -> BaseFocuser:
        """A focuser, not connected yet."""

    @abstractmethod
    def newFilterWheel(self) -> BaseFilterWheel:
        """A filter wheel, not connected yet."""

    @abstractmethod
    def newMount(self) -> BaseMount:
        """A mount, not connected yet."""


class _BaseDevice(ABC):
    """What all devices have."""

    @abstractmethod
    def has_chooser(self) -> bool:
        """True when there is a window in which a person picks a driver."""

    @abstractmethod
    def show_chooser(self, last_choice: str | None) -> str | None:
        """Opens that window; the name of what was picked, or None."""

    @abstractmethod
    def connect(self, name: str | None) -> bool:
        """Connects to the device of that name; True only when it is connected."""

    @abstractmethod
    def disconnect(self) -> bool:
        """Lets go of the device."""

    @abstractmethod
    def is_connected(self) -> bool:
        """True while the device is connected."""


class BaseCamera(_BaseDevice):
    """A camera. Regions are in binned pixels, times in seconds, temperatures in degrees Celsius."""

    @abstractmethod
    def get_camera_name(self) -> str | None:
        """The name that the framework gives it."""

    @abstractmethod
    def get_camera_description(self) -> str | None:
        """What it says of itself."""

    @abstractmethod
    def get_driver_info(self) -> str | None:
        """Which driver it has."""

    @abstractmethod
    def get_driver_version(self) -> str | None:
        """The driver's version."""

    @abstractmethod
    def get_state(self) -> int:
        """-1 unknown, 0 idle, 2 busy, 5 error; Alpaca and ASCOM also tell 1 waiting, 3 reading, 4 downloading."""

    @abstractmethod
    def get_settings(self) -> dict[str, Any] | None:
        """Twelve settings at once: binning, framesize, roi, pixelsize, egain, camera_gain ..."""

    @abstractmethod
    def start_exposure(self, expos: float) -> bool:
        """Starts an exposure of the sky and returns; True when the camera took it."""

    @abstractmethod
    def stop_exposure(self) -> bool:
        """Ends the exposure now, with its image where the camera can do that."""

    @abstractmethod
    def check_exposure(self) -> bool:
        """True when the exposure is over, be it well, aborted or failed."""

    @abstractmethod
    def check_exposure_success(self) -> bool:
        """True when the image of the last exposure is there."""

    @abstractmethod
    def supports_progress(self) -> bool:
        """True when the camera tells how far an exposure is."""

    @abstractmethod
    def get_exposure_progress(self) -> int:
        """Percent done; -1 when unknown."""

    @abstractmethod
    def supports_saveimage(self) -> bool:
        """True when `save_image_data` works."""

    @abstractmethod
    def save_image_data(self) -> bool:
        """Writes the last image to a FITS file; the real ones take `path` and `overwrite`."""

    @abstractmethod
    def get_image_data(self) -> Any:
        """The last image, or None: FITS HDUs from INDI, else an array of rows and columns."""

    @abstractmethod
    def get_pixelsize(self) -> tuple[float, float] | None:
        """Width and height of a pixel in micrometres."""

    @abstractmethod
    def get_egain(self) -> float | None:
        """Electrons per ADU."""

    @abstractmethod
    def get_camera_gain(self) -> float | None:
        """The gain setting."""

    @abstractmethod
    def set_camera_gain(self, gain: float) -> bool:
        """Sets the gain."""

    @abstractmethod
    def get_current_temperature(self) -> float | None:
        """Temperature of the sensor."""

    @abstractmethod
    def get_target_temperature(self) -> float | None:
        """Temperature that the cooler is to reach."""

    @abstractmethod
    def set_target_temperature(self, temp_c: float) -> bool:
        """Sets the temperature to reach."""

    @abstractmethod
    def get_cooler_state(self) -> bool:
        """True when the cooler is on."""

    @abstractmethod
    def set_cooler_state(self, onoff: bool) -> bool:
        """Switches the cooler."""

    @abstractmethod
    def get_cooler_power(self) -> float | None:
        """Power of the cooler in percent."""

    @abstractmethod
    def get_binning(self) -> tuple[int, int] | None:
        """Binning across and down."""

    @abstractmethod
    def set_binning(self, binx: int, biny: int) -> bool:
        """Sets the binning."""

    @abstractmethod
    def get_max_binning(self) -> int | None:
        """The largest binning."""

    @abstractmethod
    def get_size(self) -> tuple[int, int] | None:
        """Columns and rows of the sensor, unbinned."""

    @abstractmethod
    def get_frame(self) -> tuple[int, int, int, int] | None:
        """The region that is read: x, y, width, height."""

    @abstractmethod
    def set_frame(self, minx: float, miny: float, width: float, height: float) -> bool:
        """Sets the region to read."""


class BaseFocuser(_BaseDevice):
    """A focuser; positions in steps."""

    @abstractmethod
    def get_absolute_position(self) -> int | None:
        """Where it is."""

    @abstractmethod
    def move_absolute_position(self, abspos: float) -> bool:
        """Begins to move to a position; `is_moving` tells when it is there."""

    def get_max_absolute_position(self) -> int | None:
        """The outermost position."""
        return None

    @abstractmethod
    def get_current_temperature(self) -> float | None:
        """Temperature in degrees Celsius."""

    @abstractmethod
    def stop(self) -> bool:
        """Stops it."""

    @abstractmethod
    def is_moving(self) -> bool:
        """True from the command until it stands."""


class BaseFilterWheel(_BaseDevice):
    """A filter wheel; the first position is 0."""

    @abstractmethod
    def get_position(self) -> int | None:
        """The position, -1 while it turns."""

    @abstractmethod
    def get_position_name(self) -> str | None:
        """The filter in the light; None while it turns."""

    @abstractmethod
    def set_position(self, abspos: int) -> bool:
        """Begins to turn to a position; `is_moving` tells when it is there."""

    @abstractmethod
    def set_position_name(self, name: str) -> bool:
        """Begins to turn to a filter by name."""

    @abstractmethod
    def is_moving(self) -> bool:
        """True from the command until it stands."""

    @abstractmethod
    def get_names(self) -> Sequence[str] | None:
        """The filters by position."""

    @abstractmethod
    def get_num_positions(self) -> int | None:
        """How many positions there are."""


class BaseMount(_BaseDevice):
    """A mount; right ascension in hours and declination in degrees, in the mount's own equinox."""

    @abstractmethod
    def can_park(self) -> bool:
        """True when it can park."""

    @abstractmethod
    def is_parked(self) -> bool:
        """True when it is parked."""

    @abstractmethod
    def park(self) -> bool:
        """Begins to park."""

    @abstractmethod
    def unpark(self) -> bool:
        """Begins to leave the park position."""

    @abstractmethod
    def get_position_altaz(self) -> tuple[float | None, float | None]:
        """Altitude and azimuth in degrees."""

    @abstractmethod
    def get_position_radec(self) -> tuple[float | None, float | None]:
        """Right ascension and declination."""

    @abstractmethod
    def get_pier_side(self) -> str | None:
        """'EAST', 'WEST', or None when the mount does not say."""

    @abstractmethod
    def get_side_physical(self) -> str | None:
        """The side of the pier that the telescope is on, 'EAST', 'WEST' or None."""

    @abstractmethod
    def get_side_pointing(self) -> str | None:
        """The side of the meridian that it looks at, 'EAST', 'WEST' or None."""

    @abstractmethod
    def is_slewing(self) -> bool:
        """True from the command until it has arrived."""

    @abstractmethod
    def abort_slew(self) -> bool:
        """Stops it."""

    @abstractmethod
    def slew(self, ra: float, dec: float) -> bool:
        """Begins to point to a place; `is_slewing` tells when it is there."""

    @abstractmethod
    def sync(self, ra: float, dec: float) -> bool:
        """Declares that it points there."""

    @abstractmethod
    def set_tracking(self, onoff: bool) -> bool:
        """Switches the following of the sky."""

    @abstractmethod
    def get_tracking(self) -> bool:
        """True when it follows the sky."""
