"""How failures become the values that the old interface has for them: no exception, but a line in the log."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from astrobackend import Error, InvalidValue, NotConnected

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")

S = TypeVar("S")
T = TypeVar("T")
D = TypeVar("D")

log = logging.getLogger("pyastrobackend")

FAILURES = (Error, ValueError, OverflowError)
"""What becomes False or None; anything else is a mistake in the program, and is raised."""


def getter(unknown: D) -> Callable[[Callable[[S], T]], Callable[[S], T | D]]:
    """A method that reads something, and answers `unknown` when that fails."""

    def decorate(read: Callable[[S], T]) -> Callable[[S], T | D]:
        @wraps(read)
        def guarded(self: S) -> T | D:
            try:
                return read(self)
            except FAILURES as error:
                log.debug("%s: %s", read.__qualname__, error)
                return unknown

        return guarded

    return decorate


def command(act: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], bool]:
    """A method that does something, and answers whether that was accepted."""

    @wraps(act)
    def guarded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> bool:
        try:
            act(self, *args, **kwargs)
        except FAILURES as error:
            log.warning("%s: %s", act.__qualname__, error)
            return False
        return True

    return guarded


def number(value: Any) -> float:
    """A finite number.

    Raises:
        InvalidValue: for anything else.
    """
    try:
        converted = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidValue(f"{value!r} is no number") from None
    if not math.isfinite(converted):
        raise InvalidValue(f"{value!r} is no finite number")
    return converted


def whole(value: Any) -> int:
    """A whole number, also when it is written as 2.0.

    Raises:
        InvalidValue: for anything else.
    """
    converted = number(value)
    if not converted.is_integer():
        raise InvalidValue(f"{value!r} is no whole number")
    return int(converted)


class _Unconnected:
    """Stands in for the device until there is one: whatever is asked of it fails."""

    def __getattr__(self, name: str) -> Any:
        # Python itself asks for names with underscores, and takes no for an answer.
        raise AttributeError(name) if name.startswith("__") else NotConnected("is not connected")


UNCONNECTED: Any = _Unconnected()
