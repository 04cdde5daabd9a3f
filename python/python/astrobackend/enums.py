"""The choices of the device contract; members equal the numbers and words that the original, ASCOM and INDI use."""

from enum import Enum, IntEnum


class _Word(str, Enum):
    """A choice that equals its word."""

    def __str__(self) -> str:
        return str(self.value)


class DeviceKind(_Word):
    """What a device is."""

    CAMERA = "camera"
    FILTER_WHEEL = "filter wheel"
    FOCUSER = "focuser"
    MOUNT = "mount"


class CameraStatus(IntEnum):
    """What a camera is doing: the numbers of the original's `get_state()` and of ASCOM's `CameraState`."""

    UNKNOWN = -1
    IDLE = 0
    WAITING = 1
    EXPOSING = 2
    READING = 3
    DOWNLOADING = 4
    ERROR = 5


class FrameType(_Word):
    """What a picture is for; decides about the shutter."""

    LIGHT = "Light"
    DARK = "Dark"
    BIAS = "Bias"
    FLAT = "Flat"


class Control(_Word):
    """A setting that is a plain number, a switch (0 or 1) or an index into names."""

    GAIN = "gain"
    OFFSET = "offset"
    USB_BANDWIDTH = "usb-bandwidth"
    READOUT_MODE = "readout-mode"
    FAST_READOUT = "fast-readout"
    SUB_EXPOSURE = "sub-exposure"
    DEW_HEATER = "dew-heater"
    FAN = "fan"
    TEMPERATURE_COMPENSATION = "temperature-compensation"
    REVERSED = "reversed"
    BACKLASH = "backlash"
    SPEED = "speed"
    MAX_POSITION = "max-position"
    SETTLE_TIME = "settle-time"
    REFRACTION = "refraction"
    SLEW_RATE = "slew-rate"


class GuideDirection(IntEnum):
    """Where a guide pulse moves the telescope (ASCOM `GuideDirections`)."""

    NORTH = 0
    SOUTH = 1
    EAST = 2
    WEST = 3


class PierSide(_Word):
    """The pointing state of a German mount: the words of the original's `get_pier_side()`."""

    EAST = "EAST"
    WEST = "WEST"
    UNKNOWN = "UNKNOWN"


class Equinox(_Word):
    """What right ascension and declination refer to."""

    J2000 = "J2000"
    OF_DATE = "JNow"
    J2050 = "J2050"
    B1950 = "B1950"
    OTHER = "mount frame"


class Alignment(IntEnum):
    """How the axes of a mount stand (ASCOM `AlignmentMode`)."""

    ALT_AZ = 0
    POLAR = 1
    GERMAN_POLAR = 2


class Axis(IntEnum):
    """An axis of a mount (ASCOM `TelescopeAxes`)."""

    PRIMARY = 0
    SECONDARY = 1
    TERTIARY = 2


class TrackingRate(_Word):
    """The named speeds at which a mount follows the sky."""

    SIDEREAL = "sidereal"
    LUNAR = "lunar"
    SOLAR = "solar"
    KING = "king"


class EventKind(_Word):
    """What happened."""

    ADDED = "added"
    REMOVED = "removed"
    CONNECTED = "connected"
    STATE = "state"
    MESSAGE = "message"
    LINK = "link"
    FRAME = "frame"
    RESTORED = "restored"
    LAGGED = "lagged"


class Level(_Word):
    """How much a device's message matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LinkStatus(_Word):
    """The link to a server or driver."""

    UP = "up"
    LOST = "lost"
    RESTORING = "restoring"


class Verdict(_Word):
    """What the frame guard thinks of a picture."""

    OK = "ok"
    SUSPECT = "suspect"
    BAD = "bad"


class PropertyKind(_Word):
    """What an INDI property holds."""

    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"
    LIGHT = "light"
    BLOB = "BLOB"


class PropertyState(IntEnum):
    """The state of an INDI property, in the numbers of its C library (`IPState`)."""

    IDLE = 0
    OK = 1
    BUSY = 2
    ALERT = 3
