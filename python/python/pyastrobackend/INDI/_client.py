"""The INDI server and its devices in the shape that PyIndi gives them, for programs that use `indiclient`."""

from __future__ import annotations

import queue
import threading
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

from astrobackend import Error, EventKind, LinkStatus

from .._common.guard import command, getter
from ._vectors import LightVector, NumberVector, SwitchVector, TextVector, Vector, vector_of

if TYPE_CHECKING:
    from astrobackend import Events, Observatory, Properties, PropertyDevice

V = TypeVar("V", bound=Vector)

KEPT_EVENTS = 1000
"""Events that nobody takes from the queue are forgotten, the oldest first."""


class IndiDevice:
    """A device of the server."""

    def __init__(self, properties: Properties, name: str) -> None:
        self.properties = properties
        self.name = name

    def getDeviceName(self) -> str:
        """Its name."""
        return self.name

    @getter(False)
    def isConnected(self) -> bool:
        """True while the driver is connected to its hardware."""
        return self.look().connected

    @getter(0)
    def getDriverInterface(self) -> int:
        """What the driver can do: libindi's `DRIVER_INTERFACE` bits."""
        return self.look().interfaces

    @getter(None)
    def getDriverName(self) -> str | None:
        """The driver's name."""
        return self.look().driver

    @getter(None)
    def getDriverExec(self) -> str | None:
        """The driver's program."""
        return self.look().executable

    @getter(None)
    def getDriverVersion(self) -> str | None:
        """The driver's version."""
        return self.look().version

    def getProperties(self) -> list[Any]:
        """All its properties."""
        try:
            return [vector_of(self.properties, seen) for seen in self.properties.list(self.name)]
        except Error:
            return []

    def getNumber(self, name: str) -> NumberVector | None:
        """A property of numbers, or None."""
        return self.vector(NumberVector, name)

    def getText(self, name: str) -> TextVector | None:
        """A property of texts, or None."""
        return self.vector(TextVector, name)

    def getSwitch(self, name: str) -> SwitchVector | None:
        """A property of switches, or None."""
        return self.vector(SwitchVector, name)

    def getLight(self, name: str) -> LightVector | None:
        """A property of lights, or None."""
        return self.vector(LightVector, name)

    def vector(self, kind: type[V], name: str, timeout: float = 0) -> V | None:
        """A property of a kind, waiting for it; None without it."""
        try:
            found = vector_of(self.properties, self.properties.get(self.name, name, timeout=timeout))
        except Error:
            return None
        return found if isinstance(found, kind) else None

    def look(self) -> PropertyDevice:
        """What the driver says of itself now."""
        return self.properties.device(self.name, timeout=0)

    def __repr__(self) -> str:
        return f"<IndiDevice {self.name}>"


class IndiClient:
    """An open connection to a server."""

    def __init__(self, observatory: Observatory) -> None:
        self.observatory = observatory
        self.properties = observatory.properties()
        self._listener: _Listener | None = None
        self._listening = threading.Lock()

    def isServerConnected(self) -> bool:
        """True while the server answers."""
        try:
            return self.observatory.link().status == LinkStatus.UP
        except Error:
            return False

    def getDevices(self) -> list[IndiDevice]:
        """The devices that the server has told of; waits until the drivers have introduced themselves."""
        return [IndiDevice(self.properties, device.name) for device in self.properties.devices()]

    def getDevice(self, name: str, timeout: float = 0) -> IndiDevice | None:
        """A device, waiting for it; None without it."""
        try:
            return IndiDevice(self.properties, self.properties.device(name, timeout=timeout).name)
        except Error:
            return None

    @command
    def connectDevice(self, name: str, timeout: float = 5) -> None:
        """Connects a driver to its hardware; True when it is connected."""
        self.properties.connect(name, timeout=timeout)

    @command
    def disconnectDevice(self, name: str, timeout: float = 5) -> None:
        """Disconnects a driver from its hardware, for all programs."""
        self.properties.disconnect(name, timeout=timeout)

    @command
    def sendNewNumber(self, vector: Vector) -> None:
        """Sends what was assigned to the numbers of a property; True when the driver took it."""
        vector.send()

    @command
    def sendNewText(self, vector: Vector) -> None:
        """Sends what was assigned to the texts of a property; True when the driver took it."""
        vector.send()

    @command
    def sendNewSwitch(self, vector: Vector) -> None:
        """Sends what was assigned to the switches of a property; True when the driver took it."""
        vector.send()

    def setBLOBMode(self, mode: int, device: str, prop: str | None = None) -> None:
        """Does nothing: the cameras ask for their pictures themselves."""

    @property
    def eventQueue(self) -> queue.Queue[Any]:
        """News of the devices from the first look on; the oldest are dropped when nobody takes them."""
        return self._news().queue

    @property
    def blobEvent(self) -> threading.Event:
        """Set when the picture of an exposure has come, from the first look on."""
        return self._news().image

    def getEventQueue(self) -> queue.Queue[Any]:
        """The same as `eventQueue`."""
        return self.eventQueue

    def getBlobEvent(self) -> threading.Event:
        """The same as `blobEvent`."""
        return self.blobEvent

    def clearBlobEvent(self) -> None:
        """Forgets that a picture has come."""
        self.blobEvent.clear()

    def close(self) -> None:
        """Ends the listening."""
        with self._listening:
            if self._listener is not None:
                self._listener.events.close()

    def _news(self) -> _Listener:
        with self._listening:
            if self._listener is None:
                self._listener = _Listener(self.observatory.events())
                self._listener.start()
                weakref.finalize(self, self._listener.events.close)
            return self._listener


class _Listener(threading.Thread):
    """Takes the news as they come; ends with the connection."""

    def __init__(self, events: Events) -> None:
        super().__init__(name="pyastrobackend-indi-events", daemon=True)
        self.events = events
        self.queue: queue.Queue[Any] = queue.Queue(KEPT_EVENTS)
        self.image = threading.Event()

    def run(self) -> None:
        """Until there are no more."""
        ready: set[str | None] = set()
        for event in self.events:
            if self.queue.full():
                self.queue.get_nowait()
            self.queue.put(event)
            if event.kind == EventKind.STATE:
                if not getattr(event.state, "image_ready", False):
                    ready.discard(event.device)
                elif event.device not in ready:
                    ready.add(event.device)
                    self.image.set()
