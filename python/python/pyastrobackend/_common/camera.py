"""The camera of the old interface."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from astrobackend import Busy, DeviceKind, Error, Frame, InvalidOperation, InvalidValue, Timeout, Unsupported

from ..BaseBackend import BaseCamera
from .device import Device
from .guard import FAILURES, UNCONNECTED, command, getter, log, number, whole

if TYPE_CHECKING:
    import astrobackend


class Camera(Device, BaseCamera):
    """A camera. Regions are in binned pixels."""

    _kind = DeviceKind.CAMERA
    _has_raw_states: ClassVar[bool] = False
    """`get_state` tells ASCOM's six states instead of idle, busy and error."""
    _cools_when_set: ClassVar[bool] = True
    """Setting the temperature to reach switches the cooler on."""

    _device: astrobackend.Camera = UNCONNECTED
    _accepted: bool | None = None
    """Whether the last exposure asked for here was accepted: if not, an older image is none of it."""
    _target: float | None = None
    """The temperature to reach, kept while the cooler is off."""

    def _let_go(self) -> bool:
        self._accepted = self._target = None
        return super()._let_go()

    # -- what it is ---------------------------------------------------------------------------------------------------

    @getter(None)
    def get_camera_name(self) -> str:
        """The name that the framework gives it."""
        return self._device.name

    @getter(None)
    def get_camera_description(self) -> str | None:
        """What it says of itself."""
        return self._device.info.description

    @getter(None)
    def get_driver_info(self) -> str | None:
        """Which driver it has."""
        return self._device.info.driver

    @getter(None)
    def get_driver_version(self) -> str | None:
        """The driver's version."""
        return self._device.info.driver_version

    @getter(None)
    def get_settings(self) -> dict[str, Any]:
        """Twelve settings at once; those that the camera does not have are None."""
        caps, state, frame = self._device.caps(), self._device.state(), self._device.frame()
        return {
            "binning": (frame.bin_x, frame.bin_y),
            "framesize": (caps.width, caps.height),
            "roi": (frame.x, frame.y, frame.width, frame.height),
            "pixelsize": caps.pixel_size,
            "egain": state.electrons_per_adu,
            "camera_gain": self._setting("gain"),
            "camera_offset": self._setting("offset"),
            "camera_usbbandwidth": self._usb_bandwidth(),
            "camera_current_temperature": state.temperature,
            "camera_target_temperature": self._aim(state),
            "cooler_state": bool(state.cooler_on),
            "cooler_power": state.cooler_power,
        }

    # -- exposures ----------------------------------------------------------------------------------------------------

    @getter(-1)
    def get_state(self) -> int:
        """-1 unknown, 0 idle, 2 busy, 5 error; Alpaca and ASCOM also tell 1 waiting, 3 reading, 4 downloading."""
        state = self._device.state()
        return 2 if state.busy and not self._has_raw_states else int(state.status)

    @command
    def start_exposure(self, expos: float) -> None:
        """Starts an exposure of the sky and returns; True when the camera took it."""
        before, self._accepted = self._accepted, True
        try:
            self._device.start_exposure(number(expos))
        except FAILURES:
            # One that is under way goes on, and its image counts.
            self._accepted = before if self._is_busy() else False
            raise

    @command
    def stop_exposure(self) -> None:
        """Ends the exposure now, with its image where the camera can do that."""
        if self._device.caps().stop:
            self._device.stop_exposure()
        else:
            self._device.abort_exposure()

    def check_exposure(self) -> bool:
        """True when the exposure is over, be it well, aborted or failed, or the camera lost."""
        try:
            state = self._device.state()
        except (Timeout, Busy):
            return False
        except Error:
            return True
        return not state.busy and (self._accepted is not None or state.image_ready)

    @getter(False)
    def check_exposure_success(self) -> bool:
        """True when the image of the last exposure is there."""
        state = self._device.state()
        if state.error is not None:
            log.warning("the exposure has failed: %s", state.error)
        return self._accepted is not False and state.image_ready

    def supports_progress(self) -> bool:
        """True when the camera tells how far an exposure is."""
        return True

    @getter(-1)
    def get_exposure_progress(self) -> int:
        """Percent done; -1 when unknown."""
        state = self._device.state()
        if state.percent is not None:
            return int(state.percent)
        return 100 if state.image_ready and self._accepted is not False else -1

    @getter(None)
    def get_min_max_exposure(self) -> tuple[float, float]:
        """Shortest and longest exposure in seconds."""
        return self._device.caps().exposure

    # -- images -------------------------------------------------------------------------------------------------------

    def supports_saveimage(self) -> bool:
        """True: the image is written here, whatever the framework."""
        return True

    @command
    def save_image_data(  # type: ignore[override]  # The original's abstract class has no parameters.
        self, path: str | os.PathLike[str], overwrite: bool = False
    ) -> None:
        """Writes the last image to a FITS file, whole or not at all."""
        self._save(path, bool(overwrite))

    @getter(None)
    def get_image_data(self) -> Any:
        """The last image as an array of rows and columns, which is the caller's; None without one."""
        import numpy

        return numpy.array(self._image())

    @getter(False)
    def _is_busy(self) -> bool:
        return self._device.state().busy

    def _save(self, path: str | os.PathLike[str], overwrite: bool) -> None:
        self._image().to_fits(path, overwrite=overwrite)

    def _image(self) -> astrobackend.Image:
        if self._accepted is False:
            raise InvalidOperation("there is no image: the exposure was refused")
        return self._device.image()

    # -- settings -----------------------------------------------------------------------------------------------------

    @getter(None)
    def get_pixelsize(self) -> tuple[float, float] | None:
        """Width and height of a pixel in micrometres."""
        return self._device.caps().pixel_size

    @getter(None)
    def get_egain(self) -> float | None:
        """Electrons per ADU."""
        return self._device.state().electrons_per_adu

    def get_camera_gain(self) -> float | None:
        """The gain setting; None without one."""
        return self._setting("gain")

    @command
    def set_camera_gain(self, gain: float) -> None:
        """Sets the gain."""
        self._device.set_control("gain", number(gain))

    def get_camera_offset(self) -> float | None:
        """The offset setting; None without one."""
        return self._setting("offset")

    def get_camera_usbbandwidth(self) -> int | None:
        """The setting of the USB traffic; None without one."""
        return self._usb_bandwidth()

    def _setting(self, name: str) -> float | None:
        try:
            return self._device.control(name)
        except FAILURES as error:
            log.debug("%s: %s", name, error)
            return None

    def _usb_bandwidth(self) -> int | None:
        value = self._setting("usb-bandwidth")
        return None if value is None else round(value)

    @getter(None)
    def get_size(self) -> tuple[int, int]:
        """Columns and rows of the sensor, unbinned."""
        caps = self._device.caps()
        return caps.width, caps.height

    @getter(None)
    def get_max_binning(self) -> int:
        """The largest binning; None before the camera is connected."""
        return self._device.caps().max_bin[0]

    @getter(None)
    def get_binning(self) -> tuple[int, int]:
        """Binning across and down."""
        frame = self._device.frame()
        return frame.bin_x, frame.bin_y

    @command
    def set_binning(self, binx: float, biny: float) -> None:
        """Sets the binning; the same part of the sensor is read as before."""
        bin_x, bin_y = whole(binx), whole(biny)
        if min(bin_x, bin_y) < 1:
            raise InvalidValue(f"there is no binning {binx} x {biny}")
        now, caps = self._device.frame(), self._device.caps()
        x, width = rebinned(now.x, now.width, now.bin_x, bin_x, caps.width)
        y, height = rebinned(now.y, now.height, now.bin_y, bin_y, caps.height)
        self._device.set_frame(Frame(x, y, width, height, bin_x, bin_y))

    @getter(None)
    def get_frame(self) -> tuple[int, int, int, int]:
        """The region that is read: x, y, width, height."""
        frame = self._device.frame()
        return frame.x, frame.y, frame.width, frame.height

    @command
    def set_frame(self, minx: float, miny: float, width: float, height: float) -> None:
        """Sets the region to read; fractions of pixels are cut off."""
        x, y, across, down = (int(number(value)) for value in (minx, miny, width, height))
        now = self._device.frame()
        self._device.set_frame(Frame(x, y, across, down, now.bin_x, now.bin_y))

    # -- cooler -------------------------------------------------------------------------------------------------------

    @getter(None)
    def get_current_temperature(self) -> float | None:
        """Temperature of the sensor."""
        return self._device.state().temperature

    @getter(None)
    def get_target_temperature(self) -> float | None:
        """Temperature that the cooler is to reach, None when unknown."""
        return self._aim(self._device.state())

    @command
    def set_target_temperature(self, temp_c: float) -> None:
        """Sets the temperature to reach."""
        target = number(temp_c)
        if self._cools_when_set or self._device.state().cooler_on:
            self._device.set_cooler(target)
        else:
            self._check_target(target)
        self._target = target

    @getter(False)
    def get_cooler_state(self) -> bool:
        """True when the cooler is on."""
        return bool(self._device.state().cooler_on)

    @command
    def set_cooler_state(self, onoff: bool) -> None:
        """Switches the cooler; on, it goes to the temperature that was set last, or stays at the present one."""
        state = self._device.state()
        if not onoff:
            self._device.set_cooler(None)
        elif not state.cooler_on:
            target = self._aim(state)
            self._device.set_cooler(self._present_target(state) if target is None else target)

    @getter(None)
    def get_cooler_power(self) -> float | None:
        """Power of the cooler in percent."""
        return self._device.state().cooler_power

    def _aim(self, state: astrobackend.CameraState) -> float | None:
        """The temperature to reach: the camera's word, but what was set while the cooler was off is known only here."""
        return state.set_point if state.cooler_on or self._target is None else self._target

    def _check_target(self, target: float) -> None:
        limits = self._device.caps().set_point
        if limits is None:
            raise Unsupported("the camera has no cooler that can be set")
        if not limits[0] <= target <= limits[1]:
            raise InvalidValue(f"{target} degrees are not within {limits[0]} to {limits[1]}")

    def _present_target(self, state: astrobackend.CameraState) -> float:
        limits = self._device.caps().set_point
        if limits is None or state.temperature is None:
            raise Unsupported("the camera has no cooler that can be set")
        return min(max(state.temperature, limits[0]), limits[1])


def rebinned(start: int, length: int, old: int, new: int, sensor: int) -> tuple[int, int]:
    """Start and length of a part of an axis in pixels of another binning; the whole axis stays the whole."""
    if start == 0 and length == sensor // old:
        return 0, sensor // new
    return start * old // new, max(length * old // new, 1)
