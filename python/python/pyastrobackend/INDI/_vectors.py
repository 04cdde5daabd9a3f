"""Properties of INDI devices in the shape that PyIndi gives them: vectors of elements, read anew at each look.

An element's value may be assigned; it is kept until the vector is sent, and read back as the driver's own then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from astrobackend import Error, NotFound, PropertyKind

if TYPE_CHECKING:
    from astrobackend import Properties, Property, PropertyElement

PERMISSIONS = {"ro": 0, "wo": 1, "rw": 2}
"""The numbers of libindi's `IPerm`."""


class Element:
    """A part of a vector."""

    def __init__(self, vector: Vector, name: str, label: str) -> None:
        self.name = name
        self.label = label
        self._vector = vector

    def _get(self) -> Any:
        edits = self._vector.edits
        return edits[self.name] if self.name in edits else self._vector.part(self.name).value

    def _set(self, value: Any) -> None:
        self._vector.edits[self.name] = value

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._vector.name}.{self.name}={self._get()!r}>"


class Number(Element):
    """A number with its limits."""

    @property
    def value(self) -> float:
        """The number."""
        return float(self._get())

    @value.setter
    def value(self, value: float) -> None:
        self._set(float(value))

    @property
    def min(self) -> float | None:
        """Smallest value."""
        return self._vector.part(self.name).min

    @property
    def max(self) -> float | None:
        """Largest value."""
        return self._vector.part(self.name).max

    @property
    def step(self) -> float | None:
        """Smallest change."""
        return self._vector.part(self.name).step

    @property
    def format(self) -> str | None:
        """How to show it, in the manner of `printf`."""
        return self._vector.part(self.name).format


class Text(Element):
    """A text."""

    @property
    def text(self) -> str:
        """The text."""
        return str(self._get())

    @text.setter
    def text(self, text: str) -> None:
        self._set(str(text))


class Switch(Element):
    """A switch."""

    @property
    def s(self) -> int:
        """0 off, 1 on."""
        return int(self._get())

    @s.setter
    def s(self, on: int) -> None:
        self._set(bool(on))


class Light(Element):
    """A light, which only the driver sets."""

    @property
    def s(self) -> int:
        """0 idle, 1 ok, 2 busy, 3 alert."""
        return int(self._get())


class Blob(Element):
    """A file; pictures come through the cameras."""


class Vector:
    """A property of a device."""

    element: ClassVar[type[Element]]
    type: ClassVar[int]
    """The number of libindi's `INDI_PROPERTY_TYPE`."""

    def __init__(self, properties: Properties, seen: Property) -> None:
        self.device = seen.device
        self.name = seen.name
        self.label = seen.label
        self.group = seen.group
        self.edits: dict[str, Any] = {}
        self._properties = properties
        self._seen = seen
        self._elements = [self.element(self, one.name, one.label) for one in seen.elements]

    @property
    def s(self) -> int:
        """0 idle, 1 ok, 2 busy, 3 alert."""
        return int(self.look().state)

    @property
    def p(self) -> int:
        """0 read only, 1 write only, 2 both."""
        return PERMISSIONS[self.look().perm]

    @property
    def rule(self) -> str | None:
        """Of switches: how many may be on."""
        return self.look().rule

    def getType(self) -> int:
        """0 number, 1 switch, 2 text, 3 light, 4 BLOB."""
        return self.type

    def look(self) -> Property:
        """The property as it is now, or was when its driver took it away."""
        with suppress(Error):
            self._seen = self._properties.get(self.device, self.name, timeout=0)
        return self._seen

    def part(self, name: str) -> PropertyElement:
        """An element as it is now.

        Raises:
            NotFound: when the property has no such element.
        """
        for one in self.look().elements:
            if one.name == name:
                return one
        raise NotFound(f"{self.name} has no element {name!r}", self.device)

    def send(self, kept: Mapping[str, Any] | None = None) -> None:
        """Sends what was assigned to the elements, or `kept` alone.

        Raises:
            Error: when the driver does not take it.
        """
        values = self.edits if kept is None else kept
        if not values:
            values = {one.name: one.value for one in self.look().elements}
        try:
            self._seen = self._properties.set(self.device, self.name, dict(values))
        finally:
            self.edits = {}

    def __len__(self) -> int:
        return len(self._elements)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._elements)

    def __getitem__(self, index: int) -> Any:
        return self._elements[index]

    def find(self, name: str) -> Any:
        """The element of a name, or None."""
        return next((one for one in self._elements if one.name == name), None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.device}.{self.name}>"


class NumberVector(Vector):
    """Numbers."""

    element = Number
    type = 0


class SwitchVector(Vector):
    """Switches."""

    element = Switch
    type = 1


class TextVector(Vector):
    """Texts."""

    element = Text
    type = 2


class LightVector(Vector):
    """Lights."""

    element = Light
    type = 3


class BlobVector(Vector):
    """Files."""

    element = Blob
    type = 4


VECTORS: dict[PropertyKind, type[Vector]] = {
    PropertyKind.NUMBER: NumberVector,
    PropertyKind.SWITCH: SwitchVector,
    PropertyKind.TEXT: TextVector,
    PropertyKind.LIGHT: LightVector,
    PropertyKind.BLOB: BlobVector,
}


def vector_of(properties: Properties, seen: Property) -> Any:
    """The vector for a property."""
    return VECTORS[seen.kind](properties, seen)
