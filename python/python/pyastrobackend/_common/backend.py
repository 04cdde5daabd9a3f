"""What the backends have in common: an open observatory, and the classes of its devices."""

from __future__ import annotations

import os
import threading
from typing import Any, ClassVar

import astrobackend
from astrobackend import DeviceKind, Error, LinkStatus

from ..BaseBackend import BaseDeviceBackend
from .camera import Camera
from .filter_wheel import FilterWheel
from .focuser import Focuser
from .guard import FAILURES, command, getter, log
from .mount import Mount

CLASSES = {
    "camera": DeviceKind.CAMERA,
    "ccd": DeviceKind.CAMERA,
    "filter": DeviceKind.FILTER_WHEEL,
    "filterwheel": DeviceKind.FILTER_WHEEL,
    "focuser": DeviceKind.FOCUSER,
    "mount": DeviceKind.MOUNT,
    "telescope": DeviceKind.MOUNT,
}
"""The classes of devices that old programs ask for."""


class DeviceBackend(BaseDeviceBackend):
    """The way to the devices of one framework."""

    _name: ClassVar[str]
    _schemes: ClassVar[tuple[str, ...]]
    _camera: ClassVar[type[Camera]]
    _filter_wheel: ClassVar[type[FilterWheel]]
    _focuser: ClassVar[type[Focuser]]
    _mount: ClassVar[type[Mount]]

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        """Where it connects to."""
        self.observatory: astrobackend.Observatory | None = None
        """What is open."""
        self._opening = threading.Lock()

    def name(self) -> str:
        """The name of the framework."""
        return self._name

    def connect(self) -> bool:
        """Opens the way; once open, tells whether it still is."""
        with self._opening:
            # A forked process cannot use what its parent opened.
            if self.observatory is None or self.observatory.closed:
                try:
                    self.observatory = astrobackend.open(self.address)
                except Error as error:
                    log.error("connecting to %s: %s", self._name, error)
                    return False
        return self.isConnected()

    def disconnect(self) -> bool:
        """Closes the way; devices got from it stay silent until they are connected anew."""
        with self._opening:
            observatory, self.observatory = self.observatory, None
        return observatory is None or self._close(observatory)

    @command
    def _close(self, observatory: astrobackend.Observatory) -> None:
        observatory.close()

    @getter(False)
    def isConnected(self) -> bool:
        """True while the way is open and the other end answers."""
        observatory = self.observatory
        return observatory is not None and observatory.link().status == LinkStatus.UP

    def newCamera(self) -> Camera:
        """A camera, not connected yet."""
        return self._camera(self)

    def newFocuser(self) -> Focuser:
        """A focuser, not connected yet."""
        return self._focuser(self)

    def newFilterWheel(self) -> FilterWheel:
        """A filter wheel, not connected yet."""
        return self._filter_wheel(self)

    def newMount(self) -> Mount:
        """A mount, not connected yet."""
        return self._mount(self)

    def getDevicesByClass(self, device_class: str) -> list[str]:
        """Names for `connect` of the devices of a class: camera, ccd, focuser, filterwheel, mount, telescope."""
        kind = CLASSES.get(device_class.lower())
        if kind is None or self.observatory is None:
            log.error("devices of class %s: %s", device_class, "not connected" if kind else "there is no such class")
            return []
        try:
            return [self._name_of(info) for info in self.observatory.devices() if info.kind == kind]
        except FAILURES as error:
            log.error("devices of class %s: %s", device_class, error)
            return []

    def _name_of(self, info: Any) -> str:
        return str(info.name)


def server_address(schemes: tuple[str, ...], host: str, port: int, usual: tuple[str, int, str]) -> str:
    """The address of a server. Where a program names only the usual one, `PYASTROBACKEND` may name another.

    `usual` is host, port and address of the usual server.
    """
    if (host, port) == usual[:2]:
        return environment_address(schemes) or usual[2]
    return f"{schemes[0]}://[{host}]:{port}" if ":" in host else f"{schemes[0]}://{host}:{port}"


def environment_address(schemes: tuple[str, ...]) -> str | None:
    """The whole address in `PYASTROBACKEND`, when it has one of these schemes."""
    address = os.environ.get("PYASTROBACKEND", "")
    scheme, colon, _ = address.partition(":")
    return address if colon and scheme.lower() in schemes else None
