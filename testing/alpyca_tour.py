"""Drives every device of an Alpaca server with alpyca, ASCOM's own Python client, and fails where something is off.

    python testing/alpyca_tour.py HOST:PORT [NAME ...]     only these devices, all without names

Prints a line for each thing that worked. Devices that are moved are moved back.
"""

import sys
import time
from datetime import datetime, timezone

from alpaca import exceptions, management
from alpaca.camera import Camera, CameraStates, ImageArrayElementTypes
from alpaca.filterwheel import FilterWheel
from alpaca.focuser import Focuser
from alpaca.telescope import DriveRates, Telescope, TelescopeAxes

LONGEST = 90.0


def until(what, so):
    """Asks until it is so."""
    end = time.monotonic() + LONGEST
    while not so():
        assert time.monotonic() < end, f"{what} is not so after {LONGEST} s"
        time.sleep(0.02)


def refused(error, do):
    try:
        do()
    except error:
        return
    except Exception as other:
        raise AssertionError(f"was refused with {other!r} instead of {error.__name__}") from other
    raise AssertionError(f"was not refused with {error.__name__}")


def optional(read):
    """The value of a member that a device need not have."""
    try:
        return read()
    except exceptions.NotImplementedException:
        return None


def common(device):
    refused(exceptions.ActionNotImplementedException, lambda: device.Action("no such action", ""))
    device.Connect()
    until("connecting ends", lambda: not device.Connecting)
    assert device.Connected
    device.Connected = True
    assert device.Connected
    assert device.InterfaceVersion >= 3
    assert device.Name and device.Description and device.DriverInfo and device.DriverVersion
    assert all(isinstance(name, str) and name for name in device.SupportedActions)
    state = device.DeviceState
    print(f"{device.Name}: connected, interface {device.InterfaceVersion}, state {len(state)} members")


def camera(device):
    names = [name for name in dir(Camera) if name[0].isupper() and not callable(getattr(Camera, name, None))]
    skipped = {"ImageArray", "ImageArrayRaw", "ImageArrayInfo", "ClientTraceResult"}
    values = {}
    for name in sorted(set(names) - skipped):
        try:
            values[name] = getattr(device, name)
        except (exceptions.NotImplementedException, exceptions.InvalidOperationException) as error:
            values[name] = type(error).__name__
    print(f"{device.Name}: {len(values)} members read")
    width, height = device.CameraXSize, device.CameraYSize
    device.BinX = 1
    device.BinY = 1
    device.StartX, device.StartY, device.NumX, device.NumY = 0, 0, width, height
    whole = picture(device)
    assert whole == (width, height), whole
    if device.MaxBinX >= 2:
        device.BinX = 2
        device.BinY = 2
        device.StartX, device.StartY, device.NumX, device.NumY = 10, 20, 64, 32
        part = picture(device)
        assert part == (64, 32), part
        device.BinX = 1
        device.BinY = 1
    refused(exceptions.InvalidValueException, lambda: setattr(device, "BinX", 0))
    refused(exceptions.InvalidValueException, lambda: setattr(device, "BinX", device.MaxBinX + 1))
    device.StartX, device.StartY, device.NumX, device.NumY = width - 10, 0, 20, 20
    refused(exceptions.InvalidValueException, lambda: device.StartExposure(0.1, True))
    device.StartX, device.StartY, device.NumX, device.NumY = 0, 0, width, height
    refused(exceptions.InvalidValueException, lambda: device.StartExposure(-1.0, True))
    if device.CanAbortExposure:
        device.StartExposure(min(60.0, device.ExposureMax), True)
        assert not device.ImageReady
        device.AbortExposure()
        until("the abort is done", lambda: device.CameraState == CameraStates.cameraIdle)
        assert not device.ImageReady
        device.AbortExposure()
    gain = optional(lambda: device.Gain)
    if gain is not None:
        device.Gain = gain
        limits = optional(lambda: (device.GainMin, device.GainMax))
        if limits is not None:
            refused(exceptions.NotImplementedException, lambda: device.Gains)
            refused(exceptions.InvalidValueException, lambda: setattr(device, "Gain", limits[1] + 1))
    if device.CanSetCCDTemperature:
        refused(exceptions.InvalidValueException, lambda: setattr(device, "SetCCDTemperature", -280.0))
        device.SetCCDTemperature = -5.0
        assert device.SetCCDTemperature == -5.0
        device.CoolerOn = True
        assert device.CoolerOn
        device.CoolerOn = False
    print(f"{device.Name}: settings, refusals and the abort are right")


def picture(device):
    device.StartExposure(0.2, True)
    assert not device.ImageReady
    until("the picture is ready", lambda: device.ImageReady)
    columns = device.ImageArray
    info = device.ImageArrayInfo
    assert info.ImageElementType == ImageArrayElementTypes.Int32, info.ImageElementType
    assert (info.Dimension1, info.Dimension2) == (len(columns), len(columns[0]))
    assert abs(device.LastExposureDuration - 0.2) < 0.01
    assert len(device.LastExposureStartTime) >= 19
    print(f"{device.Name}: a picture of {len(columns)} x {len(columns[0])}")
    return len(columns), len(columns[0])


def focuser(device):
    assert device.Absolute and not device.IsMoving
    place, most = device.Position, device.MaxStep
    assert 0 < device.MaxIncrement <= most
    target = place - 300 if place > most // 2 else place + 300
    for there in (target, place):
        device.Move(there)
        until("the focuser stands", lambda: not device.IsMoving)
        assert abs(device.Position - there) <= 2, device.Position
    refused(exceptions.InvalidValueException, lambda: device.Move(most + 10))
    assert not device.TempComp or device.TempCompAvailable
    print(f"{device.Name}: went to {target} and back")


def wheel(device):
    names, offsets = device.Names, device.FocusOffsets
    assert len(names) == len(offsets) > 1 and all(names)
    place = device.Position
    for there in ((place + 1) % len(names), place):
        device.Position = there
        until("the wheel stands", lambda: device.Position != -1)
        assert device.Position == there
    refused(exceptions.InvalidValueException, lambda: setattr(device, "Position", len(names)))
    refused(exceptions.InvalidValueException, lambda: setattr(device, "Position", -1))
    print(f"{device.Name}: turned among {names}")


def telescope(device):
    if device.AtPark:
        device.Unpark()
        until("it is unparked", lambda: not device.AtPark and not device.Slewing)
    site(device)
    device.Tracking = True
    assert device.Tracking and DriveRates.driveSidereal in list(device.TrackingRates)
    assert 0 <= device.SiderealTime < 24 and device.UTCDate
    ra, dec = device.RightAscension, device.Declination
    target = (ra, dec - 1.0 if dec > 0 else dec + 1.0)
    device.SlewToCoordinatesAsync(*target)
    assert device.Slewing
    until("the slew ends", lambda: not device.Slewing)
    assert abs(device.Declination - target[1]) < 0.02
    assert abs(device.TargetDeclination - target[1]) < 1e-6
    refused(exceptions.InvalidValueException, lambda: device.SlewToCoordinatesAsync(25.0, 0.0))
    refused(exceptions.InvalidValueException, lambda: device.SlewToCoordinatesAsync(0.0, 91.0))
    if device.CanSync:
        device.SyncToCoordinates(*target)
    if device.CanMoveAxis(TelescopeAxes.axisPrimary):
        rates = device.AxisRates(TelescopeAxes.axisPrimary)
        rate = rates[0].Maximum
        device.MoveAxis(TelescopeAxes.axisPrimary, rate)
        assert device.Slewing
        device.MoveAxis(TelescopeAxes.axisPrimary, 0.0)
        until("the axis stands", lambda: not device.Slewing)
        refused(exceptions.InvalidValueException, lambda: device.MoveAxis(TelescopeAxes.axisPrimary, 1e6))
    device.AbortSlew()
    if device.CanPark:
        device.Park()
        until("it is parked", lambda: device.AtPark and not device.Slewing)
        device.Park()
        refused(exceptions.ParkedException, lambda: device.SlewToCoordinatesAsync(*target))
        device.Unpark()
        until("it is unparked", lambda: not device.AtPark)
        device.Unpark()
    print(f"{device.Name}: slewed, parked, refused")


def site(device):
    """Tells a mount where it stands, and when, if it does not know."""
    try:
        device.SiteLatitude
    except exceptions.ValueNotSetException:
        device.SiteLatitude, device.SiteLongitude, device.SiteElevation = 37.2236, -2.5463, 2168.0
        device.UTCDate = datetime.now(timezone.utc)
    assert -90 <= device.SiteLatitude <= 90 and -180 <= device.SiteLongitude <= 180


KINDS = {"Camera": (Camera, camera), "Focuser": (Focuser, focuser), "FilterWheel": (FilterWheel, wheel),
         "Telescope": (Telescope, telescope)}


def main():
    address, wanted = sys.argv[1], sys.argv[2:]
    assert 1 in management.apiversions(address)
    print("server", management.description(address)["ServerName"])
    devices = management.configureddevices(address)
    used = [device for device in devices if not wanted or device["DeviceName"] in wanted]
    assert used, devices
    for entry in used:
        assert len(entry["UniqueID"]) >= 12
        make, drive = KINDS[entry["DeviceType"]]
        device = make(address, entry["DeviceNumber"])
        common(device)
        drive(device)
    print("done", len(used))


main()
