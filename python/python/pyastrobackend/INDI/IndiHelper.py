"""Finds, reads and sets raw INDI properties of the devices of an `indiclient`.

`find...` looks among what is there, `get...` waits a little for it, `getfind...` and `setfind...` go from the device
to the element. What is not there is None, what cannot be set False.
"""

from __future__ import annotations

from typing import Any

from astrobackend import Error

from .._common.guard import log, number
from ._client import IndiClient, IndiDevice
from ._vectors import LightVector, NumberVector, SwitchVector, TextVector, Vector

DEFAULT_TIMEOUT = 0.5
"""Seconds that the `get...` wait."""

INTERFACES = (
    "telescope", "ccd", "guider", "focuser", "filter", "dome", "gps", "weather", "ao", "dustcap", "lightbox",
    "detector", "rotator", "spectrograph", "correlator", "aux", "output", "input", "power", "imu", "pac",
)  # fmt: skip
"""The classes of devices, by the bits of libindi's `DRIVER_INTERFACE`."""

SAME_CLASSES = {"camera": "ccd", "mount": "telescope", "filterwheel": "filter"}

# -- devices ----------------------------------------------------------------------------------------------------------


def findDevices(indiclient: IndiClient, timeout: float = 2) -> list[IndiDevice]:
    """The devices of the server; `timeout` is unused, since it is known when the drivers have introduced themselves."""
    try:
        return indiclient.getDevices()
    except Error as error:
        log.error("INDI devices: %s", error)
        return []


def findDevicesByClass(indiclient: IndiClient, device_class: str) -> list[str]:
    """Names of the devices of a class: ccd or camera, telescope or mount, filter or filterwheel, focuser, guider ..."""
    wanted = SAME_CLASSES.get(device_class.lower(), device_class.lower())
    if wanted not in INTERFACES:
        log.error("there is no class of INDI devices %r; there are %s", device_class, ", ".join(INTERFACES))
        return []
    return [device.name for device in findDevices(indiclient) if wanted in findDeviceInterfaces(device)]


def findDeviceName(indidevice: IndiDevice) -> str:
    """The name of a device."""
    return indidevice.getDeviceName()


def findDeviceInterfaces(indidevice: IndiDevice) -> list[str]:
    """The classes that a device belongs to."""
    bits = indidevice.getDriverInterface()
    return [name for bit, name in enumerate(INTERFACES) if bits >> bit & 1]


def connectDevice(indiclient: IndiClient, devicename: str, timeout: float = 2) -> bool:
    """Connects a driver to its hardware; True only when it is connected."""
    return indiclient.connectDevice(devicename, timeout)


# -- numbers ----------------------------------------------------------------------------------------------------------


def getNumber(device: IndiDevice, name: str, timeout: float = DEFAULT_TIMEOUT) -> NumberVector | None:
    """A property of numbers."""
    return device.vector(NumberVector, name, timeout)


def findNumber(invect: NumberVector | None, name: str) -> Any:
    """A number of a property."""
    return invect and invect.find(name)


def getfindNumber(device: IndiDevice, propname: str, numname: str) -> Any:
    """A number of a device."""
    return findNumber(getNumber(device, propname), numname)


def getfindNumberValue(device: IndiDevice, propname: str, numname: str) -> float | None:
    """The value of a number."""
    found = getfindNumber(device, propname, numname)
    return None if found is None else found.value


def getNumberState(device: IndiDevice, propname: str) -> int | None:
    """The state of a property of numbers: 0 idle, 1 ok, 2 busy, 3 alert."""
    vector = getNumber(device, propname)
    return None if vector is None else vector.s


def setfindNumberValue(indiclient: IndiClient, device: IndiDevice, propname: str, numname: str, value: float) -> bool:
    """Sets a number; True when the driver took it."""
    return _send(getNumber(device, propname), numname, value, number)


# -- texts ------------------------------------------------------------------------------------------------------------


def getText(device: IndiDevice, name: str, timeout: float = DEFAULT_TIMEOUT) -> TextVector | None:
    """A property of texts."""
    return device.vector(TextVector, name, timeout)


def findText(itvect: TextVector | None, name: str) -> Any:
    """A text of a property."""
    return itvect and itvect.find(name)


def getfindText(device: IndiDevice, propname: str, txtname: str) -> Any:
    """A text of a device."""
    return findText(getText(device, propname), txtname)


def getfindTextText(device: IndiDevice, propname: str, txtname: str) -> str | None:
    """The text itself."""
    found = getfindText(device, propname, txtname)
    return None if found is None else found.text


def setfindTextText(indiclient: IndiClient, device: IndiDevice, propname: str, txtname: str, value: str) -> bool:
    """Sets a text; True when the driver took it."""
    return _send(getText(device, propname), txtname, value, str)


# -- switches ---------------------------------------------------------------------------------------------------------


def getSwitch(device: IndiDevice, name: str, timeout: float = DEFAULT_TIMEOUT) -> SwitchVector | None:
    """A property of switches."""
    return device.vector(SwitchVector, name, timeout)


def findSwitch(iswvect: SwitchVector | None, name: str) -> Any:
    """A switch of a property."""
    return iswvect and iswvect.find(name)


def getfindSwitch(device: IndiDevice, propname: str, swname: str) -> Any:
    """A switch of a device."""
    return findSwitch(getSwitch(device, propname), swname)


def getfindSwitchState(device: IndiDevice, propname: str, swname: str) -> bool | None:
    """True when a switch is on."""
    found = getfindSwitch(device, propname, swname)
    return None if found is None else bool(found.s)


def setfindSwitchState(indiclient: IndiClient, device: IndiDevice, propname: str, swname: str, onoff: bool) -> bool:
    """Sets a switch; True when it was so already, or the driver took it."""
    vector = getSwitch(device, propname)
    found = findSwitch(vector, swname)
    if found is not None and not onoff and not found.s:
        return True
    return _send(vector, swname, onoff, bool)


# -- lights -----------------------------------------------------------------------------------------------------------


def getLight(device: IndiDevice, name: str, timeout: float = DEFAULT_TIMEOUT) -> LightVector | None:
    """A property of lights."""
    return device.vector(LightVector, name, timeout)


def findLight(ilvect: LightVector | None, name: str) -> Any:
    """A light of a property."""
    return ilvect and ilvect.find(name)


def getfindLight(device: IndiDevice, propname: str, lightname: str) -> Any:
    """A light of a device."""
    return findLight(getLight(device, propname), lightname)


def getfindLightState(device: IndiDevice, propname: str, lightname: str) -> int | None:
    """The state of a light: 0 idle, 1 ok, 2 busy, 3 alert."""
    found = getfindLight(device, propname, lightname)
    return None if found is None else found.s


def setfindLightState(indiclient: IndiClient, device: IndiDevice, propname: str, lightname: str, state: int) -> bool:
    """False: lights are the driver's to set."""
    log.warning("INDI lights cannot be set: %s.%s", propname, lightname)
    return False


def _send(vector: Vector | None, name: str, value: Any, convert: Any) -> bool:
    if vector is None or vector.find(name) is None:
        log.warning("INDI: there is no %s%s", f"{vector.name}." if vector else "property with ", name)
        return False
    try:
        vector.send({name: convert(value)})
    except (Error, ValueError) as error:
        log.warning("INDI %s.%s: %s", vector.name, name, error)
        return False
    return True


# -- words and lists for people ---------------------------------------------------------------------------------------


def strISState(s: int) -> str:
    """Off or On."""
    return "On" if s else "Off"


def strIPState(s: int) -> str:
    """Idle, Ok, Busy or Alert."""
    states = "Idle", "Ok", "Busy", "Alert"
    return states[s] if s in range(len(states)) else "Unknown"


def strGetType(o: Any) -> str:
    """Number, Switch, Text, Light or BLOB, of a property or the number of its type."""
    types = "Number", "Switch", "Text", "Light", "BLOB"
    kind = o.getType() if hasattr(o, "getType") else o
    return types[kind] if kind in range(len(types)) else "Unknown"


def dump_Number(p: Any) -> None:
    """Prints a number with its limits."""
    print(_line(p))


def dump_INumberVectorProperty(p: Any) -> None:
    """Prints a property of numbers."""
    dump_Property(p)


def dump_ITextVectorProperty(p: Any) -> None:
    """Prints a property of texts."""
    dump_Property(p)


def dump_ISwitchVectorProperty(p: Any) -> None:
    """Prints a property of switches."""
    dump_Property(p)


def dump_PropertyVector(pv: Any) -> None:
    """Prints a property, or several."""
    for vector in [pv] if isinstance(pv, Vector) else pv:
        dump_Property(vector)


def dump_Property(p: Any) -> None:
    """Prints a property with its elements."""
    print(f"{p.device}.{p.name} ({p.label}), {strGetType(p)}, {strIPState(p.s)}")
    for element in p:
        print(f"    {_line(element)}")


def dump_Device(dev: IndiDevice) -> None:
    """Prints a device with all its properties."""
    print(f"{dev.getDeviceName()}: {', '.join(findDeviceInterfaces(dev))}")
    dump_PropertyVector(dev.getProperties())


def _line(element: Any) -> str:
    if hasattr(element, "value"):
        return f"{element.name} ({element.label}) = {element.value} [{element.min} to {element.max}]"
    if hasattr(element, "text"):
        return f"{element.name} ({element.label}) = {element.text!r}"
    return f"{element.name} ({element.label}) = {getattr(element, 's', None)}"
