"""What camera, focuser, filter wheel and mount have in common: how they come by their device, and let go of it."""

from __future__ import annotations

from typing import Any, ClassVar

from astrobackend import DeviceKind, NotConnected, NotFound

from .guard import FAILURES, UNCONNECTED, command, getter, log


class Device:
    """A device of the old interface; whoever uses it may put mix-ins before it and attributes into it.

    A mix-in may hold a lock in each public method, so none of them calls another one.
    """

    _kind: ClassVar[DeviceKind | None] = None
    """None finds devices of any kind."""
    _framework: ClassVar[str]
    """The backend to use when the constructor is given none."""
    _releases: ClassVar[bool] = False
    """Letting go disconnects the device; otherwise it stays connected, for other programs."""

    backend: Any = None
    """A `DeviceBackend`, or whatever has its attributes."""
    _device: Any = UNCONNECTED
    _asked_for: str | None = None
    """The name of the device in the program's words."""

    def __init__(self, backend: Any = None) -> None:
        super().__init__()
        self.backend = backend

    def connect(self, name: str | None) -> bool:
        """Connects to the device of that name or address; without a name, to the only one of its kind."""
        if name != self._asked_for:
            self._let_go()
        try:
            device = self._find(name or None)
            device.connect()
        except FAILURES as error:
            log.error("connecting to %s: %s", name or self._kind, error)
            return False
        self._device, self._asked_for = device, name
        return True

    def disconnect(self) -> bool:
        """Lets go of the device."""
        return self._let_go()

    def _let_go(self) -> bool:
        device, self._device = self._device, UNCONNECTED
        return self._release(device) if self._releases and device is not UNCONNECTED else True

    @command
    def _release(self, device: Any) -> None:
        device.disconnect()

    @getter(False)
    def is_connected(self) -> bool:
        """True while the device is connected."""
        return bool(self._device.is_connected())

    @getter(False)
    def has_chooser(self) -> bool:
        """True when there is a window in which a person picks a driver."""
        return self._has_chooser()

    def _has_chooser(self) -> bool:
        observatory = self.backend and self.backend.observatory
        return bool(observatory and observatory.has_chooser)

    def show_chooser(self, last_choice: str | None) -> str | None:
        """Opens that window; the name of what was picked, or None."""
        try:
            picked: str | None = self._observatory().choose(self._kind, last_choice) if self._has_chooser() else None
        except FAILURES as error:
            log.warning("show_chooser: %s", error)
            return None
        return picked

    def _observatory(self) -> Any:
        """The open observatory of the backend. Old programs do not always connect the backend first."""
        if self.backend is None:
            from ..BackendConfig import get_backend

            self.backend = get_backend(self._framework)
        if self.backend.observatory is None:
            self.backend.connect()
        observatory = self.backend.observatory
        if observatory is None:
            raise NotConnected("the backend is not connected")
        return observatory

    def _find(self, name: str | None) -> Any:
        """The device of a name or an address.

        Raises:
            NotFound: when there is none, with what there is.
        """
        observatory = self._observatory()
        missing = NotFound(f"there is no device {name!r}")
        if self._kind is not None:
            try:
                return device_of(observatory, self._kind, name)
            except NotFound as error:
                missing = error
        for info in observatory.devices():
            if self._kind in (None, info.kind) and name in (info.name, info.address):
                return device_of(observatory, info.kind, info.name)
        raise missing


def device_of(observatory: Any, kind: DeviceKind, name: str | None) -> Any:
    """The device of a kind and a name, or the only one of its kind."""
    return getattr(observatory, kind.value.replace(" ", "_"))(name)
