"""The short way for simple programs: connect what there is, wait for the focuser, take a picture to a file."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from time import monotonic, sleep
from typing import Any

from .BackendConfig import get_backend, get_backend_for_os

log = logging.getLogger(__name__)

POLL = 0.1
"""Seconds between two looks at a device."""
GRACE = 2.0
"""A focuser that stands elsewhere for so long does not move any more."""
READOUT = 120.0
"""An exposure that is not over so long after its time has failed."""


class SimpleDeviceInterface:
    """Devices of one or several backends."""

    backend: Any = None
    camera_backend: Any = None
    focuser_backend: Any = None
    filterwheel_backend: Any = None
    mount_backend: Any = None

    def connect_backend(self, name: str | None = None) -> bool:
        """Connects the backend for all devices: the named one, or the usual one of this computer."""
        self.backend = get_backend(name or get_backend_for_os())
        self.camera_backend = self.focuser_backend = self.filterwheel_backend = self.mount_backend = self.backend
        return bool(self.backend.connect())

    def connect_camera(self, driver: str | None, backend_name: str | None = None) -> Any:
        """The camera of that name, connected; None when that fails."""
        self.camera_backend = self._backend(self.camera_backend, backend_name)
        return self._connect(self.camera_backend, "newCamera", driver)

    def connect_focuser(self, driver: str | None, backend_name: str | None = None) -> Any:
        """The focuser of that name, connected; None when that fails."""
        self.focuser_backend = self._backend(self.focuser_backend, backend_name)
        return self._connect(self.focuser_backend, "newFocuser", driver)

    def connect_filterwheel(self, driver: str | None, backend_name: str | None = None) -> Any:
        """The filter wheel of that name, connected; None when that fails."""
        self.filterwheel_backend = self._backend(self.filterwheel_backend, backend_name)
        return self._connect(self.filterwheel_backend, "newFilterWheel", driver)

    def connect_mount(self, driver: str | None, backend_name: str | None = None) -> Any:
        """The mount of that name, connected; None when that fails."""
        self.mount_backend = self._backend(self.mount_backend, backend_name)
        return self._connect(self.mount_backend, "newMount", driver)

    def _backend(self, present: Any, name: str | None) -> Any:
        return get_backend(name or get_backend_for_os()) if name or present is None else present

    def _connect(self, backend: Any, make: str, driver: str | None) -> Any:
        if not backend.connect():
            log.error("the backend for %s is not connected", driver)
            return None
        device = getattr(backend, make)()
        return device if device.connect(driver) else None

    def wait_on_focuser_move(self, focuser: Any, position: float | None = None, timeout: float = 60) -> bool:
        """Waits until the focuser stands; True when it does, and at `position` if one is given."""
        now = monotonic()
        until, stands_since = now + timeout, None
        while True:
            now = monotonic()
            if focuser.is_moving():
                stands_since = None
            elif not focuser.is_connected():
                # Nobody knows whether it moves.
                log.error("the focuser is not connected any more")
                return False
            elif position is None or _is_at(focuser, position):
                return True
            else:
                stands_since = now if stands_since is None else stands_since
                if now - stands_since > GRACE:
                    log.error("the focuser stands at %s, not at %s", focuser.get_absolute_position(), position)
                    return False
            if now > until:
                log.error("the focuser still moves after %s seconds", timeout)
                return False
            sleep(POLL)

    def take_exposure(
        self,
        cam: Any,
        exposure: float,
        output_filename: str | os.PathLike[str],
        roi: Sequence[float] | None = None,
        overwrite: bool = False,
    ) -> bool:
        """Takes a picture, unbinned, of the whole sensor or the region x, y, width, height, to a FITS file.

        True when the file is written. A camera that does not finish is stopped.
        """
        region = (0, 0, *(cam.get_size() or (0, 0))) if roi is None else roi
        until = monotonic() + float(exposure) + READOUT
        if not (cam.set_binning(1, 1) and cam.set_frame(*region) and cam.start_exposure(exposure)):
            log.error("the exposure cannot be started")
            return False
        try:
            while not cam.check_exposure():
                if monotonic() > until:
                    log.error("the exposure does not end")
                    cam.stop_exposure()
                    return False
                sleep(POLL)
        except BaseException:
            # Ctrl-C above all: the camera shall not go on for nobody.
            cam.stop_exposure()
            raise
        if not cam.check_exposure_success():
            log.error("the exposure has failed")
            return False
        return _save(cam, os.path.join(os.getcwd(), output_filename), overwrite)


def _is_at(focuser: Any, position: float) -> bool:
    is_at = focuser.get_absolute_position()
    return is_at is not None and abs(is_at - position) <= 1


def _save(cam: Any, path: str, overwrite: bool) -> bool:
    if cam.supports_saveimage():
        return bool(cam.save_image_data(path, overwrite=overwrite))
    from astropy.io import fits  # type: ignore[import-untyped, unused-ignore]

    image = cam.get_image_data()
    if image is None:
        return False
    try:
        (image if isinstance(image, fits.HDUList) else fits.PrimaryHDU(image)).writeto(path, overwrite=overwrite)
    except OSError as error:
        log.error("writing %s: %s", path, error)
        return False
    return True
