"""What can go wrong: a class for each kind, so that a program can act on it; the sentence is for people."""

from __future__ import annotations

from typing import Any


class Error(Exception):
    """Everything that this package raises by itself."""

    kind: str = "error"
    """The kind in one word, as the command's JSON has it."""

    def __init__(self, message: str, device: str | None = None, code: int | None = None) -> None:
        super().__init__(f"{device}: {message}" if device else message)
        self.message = message
        """The sentence without the device's name."""
        self.device = device
        """The device that it happened on."""
        self.code = code
        """The error number in ASCOM's scheme, 0x400 to 0xFFF."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.device, self.code)


class Unsupported(Error, NotImplementedError):
    """The device, the framework or this build cannot do that at all."""

    kind = "unsupported"


class InvalidValue(Error, ValueError):
    """An argument is out of range or malformed."""

    kind = "invalid_value"


class ValueNotSet(Error):
    """A value was read before it was ever set."""

    kind = "value_not_set"


class NotConnected(Error, ConnectionError):
    """The device is not connected."""

    kind = "not_connected"


class Parked(Error):
    """The mount is parked and must be unparked first."""

    kind = "parked"


class Slaved(Error):
    """The device is slaved to another one."""

    kind = "slaved"


class InvalidOperation(Error, RuntimeError):
    """Not possible in the present state, such as an image before an exposure."""

    kind = "invalid_operation"


class UnknownAction(Error, LookupError):
    """The device has no action of that name."""

    kind = "unknown_action"


class Cancelled(Error):
    """The operation was cancelled, by the caller or by somebody else."""

    kind = "cancelled"


class Timeout(Error, TimeoutError):
    """The deadline passed."""

    kind = "timeout"


class Unreachable(Error, ConnectionError):
    """The peer cannot be reached, or the connection was lost."""

    kind = "unreachable"


class ProtocolError(Error):
    """The peer said something that its protocol does not allow."""

    kind = "protocol"


class Busy(Error):
    """The device is busy with another request."""

    kind = "busy"


class NotFound(Error, LookupError):
    """No such device, filter, file or name."""

    kind = "not_found"


class FileError(Error, OSError):
    """A file could not be read or written."""

    kind = "io"


class DeviceError(Error):
    """The device reports a failure of its own; `code` is its driver's."""

    kind = "device"


BY_KIND: dict[str, type[Error]] = {error.kind: error for error in Error.__subclasses__()}
"""The class for each kind."""
