"""INDI servers and the devices of their drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._common import backend, camera, filter_wheel, focuser, mount
from ._common.guard import getter

if TYPE_CHECKING:
    from .INDI import _client

USUAL = "localhost", 7624, "indi://localhost"
"""Without a port, the server's socket for programs on the same computer is used where there is one: it is faster."""


class Camera(camera.Camera):
    """A camera; its name is that of the INDI device."""

    _framework = "INDI"

    class CameraSettings:
        """What `get_settings` tells, as attributes."""

        def __init__(self, **settings: Any) -> None:
            self.__dict__.update(settings)

    class CCD_INFO:
        """The chip, by the names of INDI's property: pixels, micrometres, bits."""

        def __init__(self, width: int, height: int, pixel: tuple[float, float] | None, bits: int | None) -> None:
            across, down = pixel or (None, None)
            self.CCD_MAX_X = width
            self.CCD_MAX_Y = height
            self.CCD_PIXEL_SIZE = across
            self.CCD_PIXEL_SIZE_X = across
            self.CCD_PIXEL_SIZE_Y = down
            self.CCD_BITSPERPIXEL = bits

    @getter(None)
    def get_info(self) -> CCD_INFO:
        """What the driver says of the chip."""
        caps = self._device.caps()
        return self.CCD_INFO(caps.width, caps.height, caps.pixel_size, caps.bits_per_pixel)

    @getter(None)
    def get_image_data(self) -> Any:
        """The last image as FITS HDUs of astropy, with the driver's header; None without one."""
        return self._image().to_hdulist()


class Focuser(focuser.Focuser):
    """A focuser; its name is that of the INDI device."""

    _framework = "INDI"


class FilterWheel(filter_wheel.FilterWheel):
    """A filter wheel; its name is that of the INDI device."""

    _framework = "INDI"


class Mount(mount.Mount):
    """A mount; its name is that of the INDI device."""

    _framework = "INDI"


class _IndiClientClass:
    """Stands for the class of `indiclient`, which is imported when somebody wants it."""

    def __get__(self, backend: Any, owner: Any) -> type[_client.IndiClient]:
        from .INDI._client import IndiClient

        return IndiClient


class DeviceBackend(backend.DeviceBackend):
    """An INDI server."""

    IndiClient = _IndiClientClass()

    _name = "INDI"
    _schemes = ("indi", "indi+unix")
    _camera = Camera
    _filter_wheel = FilterWheel
    _focuser = Focuser
    _mount = Mount

    indiclient: _client.IndiClient | None = None
    """The raw properties of the server, while connected."""

    def __init__(self, host: str = "localhost", port: int = 7624, *, address: str | None = None) -> None:
        super().__init__(address or backend.server_address(self._schemes, host, port, USUAL))

    def connect(self) -> bool:
        """Connects to the server."""
        connected = super().connect()
        observatory = self.observatory
        if observatory is not None and self.indiclient is None:
            self.indiclient = self.IndiClient(observatory)
        return connected

    def disconnect(self) -> bool:
        """Drops the connection; the drivers stay as they are."""
        client, self.indiclient = self.indiclient, None
        if client is not None:
            client.close()
        return super().disconnect()

    def getDevicesByClass(self, device_class: str) -> list[str]:
        """Names of the devices of a class: ccd, camera, telescope, mount, filter, filterwheel, focuser, guider ..."""
        from .INDI import IndiHelper

        client = self.indiclient
        return [] if client is None else IndiHelper.findDevicesByClass(client, device_class)

    def findDeviceInterfaces(self, indidevice: _client.IndiDevice) -> list[str]:
        """The classes that a device belongs to."""
        from .INDI import IndiHelper

        return IndiHelper.findDeviceInterfaces(indidevice)
