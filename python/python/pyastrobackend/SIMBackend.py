"""The simulated observatory built in: old programs run on it without hardware or servers."""

from __future__ import annotations

from ._common import backend, camera, filter_wheel, focuser, mount


class Camera(camera.Camera):
    """The simulated camera."""

    _framework = "SIM"


class Focuser(focuser.Focuser):
    """The simulated focuser."""

    _framework = "SIM"


class FilterWheel(filter_wheel.FilterWheel):
    """The simulated filter wheel."""

    _framework = "SIM"


class Mount(mount.Mount):
    """The simulated mount."""

    _framework = "SIM"


class DeviceBackend(backend.DeviceBackend):
    """A simulated observatory of one's own; the address has its options, as `sim://?seed=7&speed=100`."""

    _name = "SIM"
    _schemes = ("sim",)
    _camera = Camera
    _filter_wheel = FilterWheel
    _focuser = Focuser
    _mount = Mount

    def __init__(self, *, address: str | None = None) -> None:
        super().__init__(address or backend.environment_address(self._schemes) or "sim://")
