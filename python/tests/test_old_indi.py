"""Old programs on Debian's indiserver with its simulators."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import old_sequences
import pytest
from conftest import DRIVERS, ended, free_port, wait_for_drivers
from old_sequences import until
from pyastrobackend.INDI import IndiHelper
from pyastrobackend.INDIBackend import DeviceBackend

CCD = "CCD Simulator"


@pytest.fixture
def backend(indi_address: str) -> Iterator[Any]:
    _, _, port = indi_address.rpartition(":")
    backend = DeviceBackend("127.0.0.1", int(port))
    assert backend.connect() is True
    assert backend.connect() is True, "a second connect"
    yield backend
    assert backend.disconnect() is True
    assert backend.isConnected() is False
    assert backend.indiclient is None


def test_camera(backend: Any, tmp_path: Path) -> None:
    old_sequences.camera(backend, CCD, tmp_path)


def test_focuser(backend: Any) -> None:
    old_sequences.focuser(backend, "Focuser Simulator", stops=False)


def test_filter_wheel(backend: Any) -> None:
    old_sequences.filter_wheel(backend, "Filter Simulator")


def test_mount(backend: Any) -> None:
    old_sequences.mount(backend, "Telescope Simulator")


def test_image_is_what_the_driver_sent(backend: Any) -> None:
    from astropy.io import fits

    camera = backend.newCamera()
    assert camera.connect(CCD)
    assert camera.set_binning(1, 1)
    assert camera.set_frame(0, 0, 64, 48)
    assert camera.start_exposure(0.2)
    until(camera.check_exposure)
    image = camera.get_image_data()
    assert isinstance(image, fits.HDUList)
    assert image[0].data.dtype == "uint16"
    assert image[0].header["INSTRUME"] == CCD
    assert image[0].header["EXPTIME"] == 0.2
    info = camera.get_info()
    assert camera.get_size() == (info.CCD_MAX_X, info.CCD_MAX_Y)
    assert info.CCD_BITSPERPIXEL == 16
    assert pytest.approx(5.2) == info.CCD_PIXEL_SIZE_X


def test_the_driver_stays_connected(backend: Any) -> None:
    """Other programs use it too."""
    camera = backend.newCamera()
    assert camera.connect(CCD)
    assert camera.disconnect()
    assert backend.indiclient.getDevice(CCD).isConnected()


def test_a_device_without_a_name(backend: Any) -> None:
    assert backend.newCamera().connect(None) is True, "the only camera"
    assert backend.newMount().connect("Focuser Simulator") is False, "it is no mount"
    assert backend.newFilterWheel().connect("") is False, "there are two"


def test_names_of_devices(backend: Any) -> None:
    assert backend.getDevicesByClass("ccd") == backend.getDevicesByClass("camera") == [CCD]
    assert backend.getDevicesByClass("telescope") == backend.getDevicesByClass("mount") == ["Telescope Simulator"]
    assert set(backend.getDevicesByClass("filter")) == {CCD, "Filter Simulator"}
    assert set(backend.getDevicesByClass("guider")) == {CCD, "Telescope Simulator"}
    assert backend.getDevicesByClass("teapot") == []


def test_a_server_that_is_not_there() -> None:
    backend = DeviceBackend(address="indi://127.0.0.1:1?timeout=2")
    for _ in range(2):
        assert backend.connect() is False
        assert backend.isConnected() is False
    assert backend.newFocuser().connect("Focuser Simulator") is False
    assert backend.getDevicesByClass("ccd") == []


@contextlib.contextmanager
def server_on(port: int, home: Path) -> Iterator[None]:
    command = ["indiserver", "-p", str(port), "-u", str(home / "socket"), *(f"indi_simulator_{one}" for one in DRIVERS)]
    quiet = subprocess.DEVNULL
    with ended(command, env={**os.environ, "HOME": str(home)}, stdout=quiet, stderr=quiet) as server:
        wait_for_drivers(port, server)
        yield


def test_a_server_that_goes_and_comes_back(indi_address: str, tmp_path: Path) -> None:
    port = free_port()
    backend = DeviceBackend("127.0.0.1", port)
    with server_on(port, tmp_path):
        assert backend.connect()
        camera, mount = backend.newCamera(), backend.newMount()
        assert camera.connect(CCD)
        assert mount.connect("Telescope Simulator")
        assert camera.start_exposure(600)
        assert mount.slew(3, 60)
    until(lambda: not backend.isConnected(), 10)
    assert camera.check_exposure() is True, "callers do not hang"
    assert camera.check_exposure_success() is False
    assert mount.is_slewing() is False
    assert camera.get_state() == -1
    assert camera.is_connected() is False
    assert camera.connect(CCD) is False
    with server_on(port, tmp_path):
        until(lambda: backend.isConnected() and camera.is_connected(), 30)
        assert camera.connect(CCD) is True
        assert camera.start_exposure(0.2)
        until(camera.check_exposure)
        assert camera.check_exposure_success() is True
        assert backend.disconnect()


def test_news(backend: Any) -> None:
    client = backend.indiclient
    events = client.getEventQueue()
    assert events is client.eventQueue
    client.clearBlobEvent()
    camera = backend.newCamera()
    assert camera.connect(CCD)
    assert camera.start_exposure(0.2)
    assert client.getBlobEvent() is client.blobEvent
    assert client.blobEvent.wait(20), "the picture has come"
    assert not events.empty()
    client.clearBlobEvent()
    assert not client.blobEvent.is_set()
    listener = client._listener
    backend.disconnect()
    listener.join(10)
    assert not listener.is_alive()


# -- raw properties ---------------------------------------------------------------------------------------------------


@pytest.fixture
def telescope(backend: Any) -> Any:
    assert IndiHelper.connectDevice(backend.indiclient, "Telescope Simulator") is True
    device = backend.indiclient.getDevice("Telescope Simulator")
    assert device.isConnected()
    # The driver defines the rest a moment later.
    until(lambda: device.getNumber("GEOGRAPHIC_COORD") is not None)
    return device


def test_devices(backend: Any, telescope: Any) -> None:
    client = backend.indiclient
    assert client.isServerConnected()
    names = {IndiHelper.findDeviceName(device) for device in IndiHelper.findDevices(client)}
    assert names == {"Telescope Simulator", CCD, "Focuser Simulator", "Filter Simulator"}
    assert IndiHelper.findDeviceInterfaces(telescope) == ["telescope", "guider"]
    assert backend.findDeviceInterfaces(telescope) == ["telescope", "guider"]
    assert telescope.getDriverInterface() == 5
    assert telescope.getDriverExec() == "indi_simulator_telescope"
    assert client.getDevice("no such device") is None
    assert IndiHelper.connectDevice(client, "no such device", 0.2) is False


def test_numbers(backend: Any, telescope: Any) -> None:
    client = backend.indiclient
    site: Any = IndiHelper.getNumber(telescope, "GEOGRAPHIC_COORD")
    assert (site.device, site.name, site.getType()) == ("Telescope Simulator", "GEOGRAPHIC_COORD", 0)
    assert [element.name for element in site] == ["LAT", "LONG", "ELEV"]
    assert len(site) == 3
    assert site.p == 2
    latitude = IndiHelper.findNumber(site, "LAT")
    assert latitude is site[0]
    assert (latitude.min, latitude.max) == (-90, 90)
    assert IndiHelper.setfindNumberValue(client, telescope, "GEOGRAPHIC_COORD", "LAT", 41) is True
    assert IndiHelper.getfindNumberValue(telescope, "GEOGRAPHIC_COORD", "LAT") == 41
    assert latitude.value == 41, "what was found is not a copy"
    assert IndiHelper.getNumberState(telescope, "GEOGRAPHIC_COORD") == site.s == 1
    site[2].value = 250
    assert site[2].value == 250
    assert client.sendNewNumber(site) is True
    assert IndiHelper.getfindNumber(telescope, "GEOGRAPHIC_COORD", "ELEV").value == 250
    wrong: Any
    for wrong in (91, "north", None):
        assert IndiHelper.setfindNumberValue(client, telescope, "GEOGRAPHIC_COORD", "LAT", wrong) is False
    assert latitude.value == 41
    assert IndiHelper.setfindNumberValue(client, telescope, "GEOGRAPHIC_COORD", "NONE", 1) is False
    assert IndiHelper.setfindNumberValue(client, telescope, "NO_SUCH", "NONE", 1) is False
    assert IndiHelper.getNumber(telescope, "CONNECTION", 0) is None, "those are switches"
    assert IndiHelper.getfindNumberValue(telescope, "NO_SUCH", "LAT") is None
    assert IndiHelper.getNumberState(telescope, "NO_SUCH") is None


def test_texts(backend: Any, telescope: Any) -> None:
    assert IndiHelper.getfindTextText(telescope, "DRIVER_INFO", "DRIVER_NAME") == "Telescope Simulator"
    assert IndiHelper.findText(IndiHelper.getText(telescope, "DRIVER_INFO"), "NONE") is None
    assert IndiHelper.setfindTextText(backend.indiclient, telescope, "DRIVER_INFO", "DRIVER_NAME", "x") is False
    client = backend.indiclient
    assert IndiHelper.connectDevice(client, "Filter Simulator") is True
    wheel = client.getDevice("Filter Simulator")
    assert IndiHelper.setfindTextText(client, wheel, "FILTER_NAME", "FILTER_SLOT_NAME_8", "Dark") is True
    until(lambda: IndiHelper.getfindTextText(wheel, "FILTER_NAME", "FILTER_SLOT_NAME_8") == "Dark", 5)


def test_switches(backend: Any, telescope: Any) -> None:
    client = backend.indiclient
    assert IndiHelper.getfindSwitchState(telescope, "CONNECTION", "CONNECT") is True
    assert IndiHelper.getfindSwitchState(telescope, "CONNECTION", "DISCONNECT") is False
    assert IndiHelper.setfindSwitchState(client, telescope, "TELESCOPE_SLEW_RATE", "1x", True) is True
    assert IndiHelper.setfindSwitchState(client, telescope, "TELESCOPE_SLEW_RATE", "2x", False) is True, "it is off"
    assert IndiHelper.setfindSwitchState(client, telescope, "TELESCOPE_SLEW_RATE", "1x", False) is False, (
        "one must be on"
    )
    rates: Any = IndiHelper.getSwitch(telescope, "TELESCOPE_SLEW_RATE")
    assert IndiHelper.findSwitch(rates, "1x").s == 1
    rates[0].s, rates[1].s = 0, 1
    assert client.sendNewSwitch(rates) is True
    until(lambda: [switch.s for switch in rates][:2] == [0, 1], 5)
    assert IndiHelper.getfindSwitch(telescope, "NO_SUCH", "1x") is None
    assert IndiHelper.getfindSwitchState(telescope, "NO_SUCH", "1x") is None


def test_lights(backend: Any, telescope: Any) -> None:
    assert IndiHelper.getLight(telescope, "NO_SUCH", 0) is None
    assert IndiHelper.findLight(None, "NONE") is None
    assert IndiHelper.getfindLight(telescope, "NO_SUCH", "NONE") is None
    assert IndiHelper.getfindLightState(telescope, "NO_SUCH", "NONE") is None
    assert IndiHelper.setfindLightState(backend.indiclient, telescope, "NO_SUCH", "NONE", 1) is False


def test_words() -> None:
    assert [IndiHelper.strISState(state) for state in (0, 1)] == ["Off", "On"]
    assert [IndiHelper.strIPState(state) for state in (0, 1, 2, 3, 4)] == ["Idle", "Ok", "Busy", "Alert", "Unknown"]
    assert [IndiHelper.strGetType(kind) for kind in (0, 1, 2, 3, 4, 31)] == [
        "Number", "Switch", "Text", "Light", "BLOB", "Unknown",
    ]  # fmt: skip


def test_lists_for_people(telescope: Any) -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        IndiHelper.dump_Device(telescope)
        IndiHelper.dump_INumberVectorProperty(IndiHelper.getNumber(telescope, "GEOGRAPHIC_COORD"))
        IndiHelper.dump_ITextVectorProperty(telescope.getText("DRIVER_INFO"))
        IndiHelper.dump_ISwitchVectorProperty(telescope.getSwitch("CONNECTION"))
        IndiHelper.dump_Number(IndiHelper.getfindNumber(telescope, "GEOGRAPHIC_COORD", "LAT"))
    lines = said.getvalue()
    assert "Telescope Simulator: telescope, guider" in lines
    assert "Telescope Simulator.CONNECTION (Connection), Switch, Ok" in lines
    assert "CONNECT (Connect) = 1" in lines
    assert "DRIVER_EXEC (Exec) = 'indi_simulator_telescope'" in lines
    assert "[-90.0 to 90.0]" in lines
