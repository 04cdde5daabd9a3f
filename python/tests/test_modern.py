"""The modern package on every framework: one night on the simulator, on indiserver, and through our own servers."""

from __future__ import annotations

import copy
import datetime
import pickle
from collections.abc import Iterator
from pathlib import Path

import astrobackend
import numpy
import pytest
from astrobackend import (
    CameraStatus,
    Control,
    DeviceKind,
    Equinox,
    Frame,
    FrameType,
    Observatory,
    PierSide,
    RaDec,
    TrackingRate,
)

WAIT = 120.0


@pytest.fixture(params=["sim", "indi", "alpaca", "rpc"])
def observatory(request: pytest.FixtureRequest) -> Iterator[Observatory]:
    framework = request.param
    address = "sim://?speed=100" if framework == "sim" else request.getfixturevalue(f"{framework}_address")
    with astrobackend.open(address, timeout=WAIT) as observatory:
        yield observatory


def wheel_name(observatory: Observatory) -> str | None:
    """The CCD simulator of INDI has a wheel too."""
    names = [device.name for device in observatory.devices() if device.kind == DeviceKind.FILTER_WHEEL]
    return "Filter Simulator" if len(names) > 1 else None


def test_a_picture_with_everything_around_it(observatory: Observatory, tmp_path: Path) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    with (
        observatory.filter_wheel(wheel_name(observatory)) as wheel,
        observatory.camera() as camera,
    ):
        names = [filter.name for filter in wheel.filters()]
        told: list[CameraStatus] = []
        image = camera.expose(
            1, filter=names[1], binning=2, object="M 42", timeout=WAIT, on_progress=lambda now: told.append(now.status)
        )
        assert wheel.state().position == 1 and not wheel.state().moving
        assert CameraStatus.EXPOSING in told or CameraStatus.DOWNLOADING in told, told
        caps = camera.caps()
        assert image.shape == (caps.height // 2, caps.width // 2)
        assert image.exposure == pytest.approx(1, abs=0.01)
        assert image.frame_type == FrameType.LIGHT == "Light"
        image.to_fits(tmp_path / "m42.fits")
        assert names[1] in (image.header["FILTER"], names[1])
    with fits.open(tmp_path / "m42.fits") as file:
        numpy.testing.assert_array_equal(file[0].data, image.data)
        assert file[0].header["OBJECT"] == "M 42" and file[0].header["XBINNING"] == 2
        assert file[0].header["FILTER"] == names[1]
    with pytest.raises(astrobackend.FileError) as refused:
        image.to_fits(tmp_path / "m42.fits")
    assert isinstance(refused.value, OSError) and "m42.fits" in str(refused.value)


def test_a_region_and_the_settings_of_a_camera(observatory: Observatory) -> None:
    with observatory.camera() as camera:
        camera.set_frame(Frame(16, 8, 64, 32))
        assert camera.frame() == Frame(16, 8, 64, 32, 1, 1)
        image = camera.expose(0.1, frame_type="dark", timeout=WAIT)
        assert image.shape == (32, 64) and image.frame_type == FrameType.DARK
        with pytest.raises(astrobackend.InvalidValue) as refused:
            camera.set_frame(Frame(0, 0, 100_000, 10))
        assert isinstance(refused.value, ValueError) and refused.value.device == camera.name
        gains = [info for info in camera.controls() if info.control == Control.GAIN]
        for gain in gains:
            camera.set_control("gain", gain.min)
            assert camera.control(Control.GAIN) == gain.min


def test_an_exposure_is_started_watched_and_thrown_away(observatory: Observatory) -> None:
    with observatory.camera() as camera:
        camera.start_exposure(3000)
        state = camera.state()
        assert state.busy and state.status in (CameraStatus.WAITING, CameraStatus.EXPOSING) and not state.image_ready
        with pytest.raises(astrobackend.Busy):
            camera.start_exposure(1)
        camera.abort_exposure()
        assert camera.state().status == CameraStatus.IDLE == 0
        with pytest.raises(astrobackend.InvalidOperation):
            camera.image()


def test_a_focuser_stands_where_it_was_sent(observatory: Observatory) -> None:
    with observatory.focuser() as focuser:
        start = focuser.state().position
        assert start is not None
        focuser.move_to(start + 500, timeout=WAIT)
        assert focuser.state().position == start + 500 and not focuser.state().moving
        focuser.move_by(-500, timeout=WAIT)
        assert focuser.state().position == start
        with pytest.raises(astrobackend.InvalidValue):
            focuser.start_move(focuser.caps().max_position + 1)
        with pytest.raises(astrobackend.InvalidValue, match="out of range"):
            focuser.move_to(2**40)
        assert focuser.state().position == start


def test_a_mount_slews_syncs_and_parks(observatory: Observatory) -> None:
    with observatory.mount() as mount:
        if mount.state().parked:
            mount.unpark(timeout=WAIT)
        mount.set_tracking(True)
        state = mount.state()
        assert state.tracking.on and state.tracking.rate == TrackingRate.SIDEREAL
        pole = RaDec(state.position.ra, 75.0, state.position.equinox)
        mount.slew(pole, timeout=WAIT)
        here = mount.state().position
        assert here.separation(RaDec(pole.ra, pole.dec, here.equinox)) < 0.05
        assert isinstance(mount.state().pier_side, PierSide)
        mount.park(timeout=WAIT)
        assert mount.state().parked
        with pytest.raises(astrobackend.Parked):
            mount.start_slew(pole)
        mount.unpark(timeout=WAIT)
        assert not mount.state().parked


def test_unknown_devices_are_named_with_those_there_are(observatory: Observatory) -> None:
    with pytest.raises(astrobackend.NotFound) as missing:
        observatory.camera("No Such Camera")
    assert "No Such Camera" in str(missing.value) and isinstance(missing.value, LookupError)


def test_events_tell_of_a_move(observatory: Observatory) -> None:
    with observatory.focuser() as focuser, observatory.events() as events:
        position = focuser.state().position
        assert position is not None
        focuser.start_move(position + 300)
        for event in events:
            is_there = event.kind == "state" and event.device == focuser.name and not event.state.moving
            if is_there and event.state.position == position + 300:
                break
        assert event.at.tzinfo is datetime.timezone.utc
    assert events.closed and list(events) == []


def test_places_are_converted() -> None:
    m42 = RaDec(5.588, -5.391)
    now = datetime.datetime(2026, 1, 15, 21, 30, tzinfo=datetime.timezone.utc)
    of_date = m42.to(Equinox.OF_DATE, now)
    assert of_date.equinox == "JNow" and 0.2 < of_date.to("j2000", now).separation(m42) + 0.3 < 0.31
    assert 0.3 < RaDec(of_date.ra, of_date.dec).separation(m42) < 0.4
    site = astrobackend.Site(37.2236, -2.5463, 2168)
    seen = m42.to_altaz(site, now)
    assert 40 < seen.alt < 50 and 150 < seen.az < 180
    assert seen.to_radec(site, now).separation(m42) < 0.01
    with pytest.raises(astrobackend.InvalidValue):
        RaDec(24.5, 0)
    with pytest.raises(astrobackend.InvalidValue, match="there are J2000"):
        RaDec(5, 0, "B1900")


def test_records_compare_and_print_by_value() -> None:
    frame = Frame(1, 2, 3, 4)
    assert frame == Frame(1, 2, 3, 4, 1, 1) != Frame(1, 2, 3, 5)
    assert repr(frame) == "Frame(x=1, y=2, width=3, height=4, bin_x=1, bin_y=1)"
    assert frame.as_dict() == {"x": 1, "y": 2, "width": 3, "height": 4, "bin_x": 1, "bin_y": 1}
    with pytest.raises(AttributeError):
        frame.x = 5  # type: ignore[misc]
    assert {frame, Frame(1, 2, 3, 4)} == {frame}


def test_records_are_pickled_and_copied() -> None:
    with (
        astrobackend.open("sim://") as observatory,
        observatory.camera() as camera,
        observatory.mount() as mount,
        observatory.focuser() as focuser,
        observatory.filter_wheel() as wheel,
    ):
        records = [
            camera.state(), camera.caps(), camera.frame(), camera.info, *camera.controls(), mount.state(), mount.caps(),
            mount.site(), mount.state().position, focuser.state(), focuser.caps(), wheel.state(), *wheel.filters(),
            observatory.link(), astrobackend.Tracking(), astrobackend.AltAz(45, 90),
        ]  # fmt: skip
        for record in records:
            assert pickle.loads(pickle.dumps(record)) == copy.deepcopy(record) == record


def test_wrong_arguments_are_typed_errors_that_name_the_device() -> None:
    with (
        astrobackend.open("sim://") as observatory,
        observatory.camera() as camera,
        observatory.focuser() as focuser,
        observatory.mount() as mount,
        observatory.filter_wheel() as wheel,
    ):
        wrong = [
            lambda: camera.start_exposure(float("nan")),
            lambda: camera.expose(-1),
            lambda: camera.expose(1, binning=0),
            lambda: focuser.move_to(2**40),
            lambda: wheel.select(-1),
            lambda: wheel.select("No Such Filter"),
            lambda: camera.set_cooler(float("nan")),
        ]
        for call in wrong:
            with pytest.raises((astrobackend.InvalidValue, astrobackend.NotFound), match="Simulator: "):
                call()
        for odd in ("2020-01-01", datetime.date(2020, 1, 1)):
            with pytest.raises(astrobackend.InvalidValue, match="no datetime"):
                mount.set_time(odd)  # type: ignore[arg-type]
        with pytest.raises(astrobackend.InvalidValue, match="out of range"):
            Frame(-1, 0, 1, 1)
        assert not camera.state().busy and not focuser.state().moving


def test_a_block_leaves_a_device_as_it_was_found() -> None:
    with astrobackend.open("sim://") as observatory:
        camera = observatory.camera()
        with camera:
            assert camera.is_connected()
        assert not camera.is_connected()
        camera.connect()
        with camera:
            pass
        assert camera.is_connected(), "it was connected before"
    with pytest.raises(astrobackend.InvalidOperation, match="closed"):
        camera.is_connected()
    assert observatory.closed


def test_a_rig_names_devices_by_role(tmp_path: Path) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text(
        'observer = "C. Messier"\n[devices]\nmain = "sim:///Camera Simulator?speed=100"\n'
        'wheel = "sim:///Filter Wheel Simulator?speed=100"\n[optics.main]\nfocal_length_mm = 800\nwheel = "wheel"\n'
    )
    assert astrobackend.check_rig(rig) == []
    with astrobackend.open_rig(rig) as observatory, observatory.camera("@main") as camera:
        assert camera.info.role == "main"
        header = camera.expose(1, filter="Ha", binning=4).header
        assert header["OBSERVER"] == "C. Messier" and header["FOCALLEN"] == 800 and header["FILTER"] == "Ha"
    rig.write_text("[devises]\n")
    assert astrobackend.check_rig(rig) and "devices" in astrobackend.check_rig(rig)[0]
    with pytest.raises(astrobackend.InvalidValue, match="devises"):
        astrobackend.open_rig(rig)


def test_what_a_framework_lacks_is_unsupported() -> None:
    with astrobackend.open("sim://") as observatory:
        for ask in (
            observatory.properties,
            lambda: observatory.rpc("get_info"),
            lambda: observatory.choose("camera"),
        ):
            with pytest.raises(astrobackend.Unsupported):
                ask()
    with pytest.raises(astrobackend.Unsupported) as refused:
        astrobackend.open("ascom:///ASCOM.Simulator.Camera")
    assert isinstance(refused.value, NotImplementedError)
    with pytest.raises(astrobackend.Unreachable) as gone:
        astrobackend.open("indi://127.0.0.1:1?timeout=2")
    assert isinstance(gone.value, ConnectionError)


def test_raw_properties_of_indi(indi_address: str) -> None:
    with astrobackend.open(indi_address) as observatory:
        properties = observatory.properties()
        [camera] = properties.devices("ccd")
        assert camera.name == "CCD Simulator" and camera.interfaces & 2
        properties.connect("CCD Simulator")
        gain = properties.get("CCD Simulator", "CCD_GAIN", timeout=5)
        assert gain.kind == "number" and gain.perm == "rw" and gain.state in (0, 1)
        changed = properties.set("CCD Simulator", "CCD_GAIN", {"GAIN": 42})
        assert [element.value for element in changed.elements] == [42.0]
        with pytest.raises(astrobackend.InvalidValue):
            properties.set("CCD Simulator", "CCD_GAIN", {"GAIN": 1e9})
        assert "CCD_GAIN" in properties.dump("CCD Simulator")


def test_raw_requests_of_the_other_wires(alpaca_address: str, rpc_address: str) -> None:
    with astrobackend.open(alpaca_address) as observatory:
        observatory.alpaca("put", "camera/0/connected", {"Connected": True})
        reply = observatory.alpaca("get", "camera/0/cameraxsize")
        assert reply["Value"] == 3008 and reply["ErrorNumber"] == 0
        with pytest.raises(astrobackend.InvalidValue, match="4"):
            observatory.alpaca("put", "camera/0/binx", {"BinX": 99})
    with astrobackend.open(rpc_address) as observatory, observatory.focuser():
        assert observatory.rpc("focuser_is_moving") == {"is_moving": False}
        with pytest.raises(astrobackend.Error, match="no_such"):
            observatory.rpc("no_such_method")


def test_servers_are_found(alpaca_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTROBACKEND_ALPACA_SERVERS", alpaca_address.split("//")[1])
    assert alpaca_address in astrobackend.discover("alpaca", timeout=1)
    assert any(address.startswith("sim") for address in astrobackend.discover(timeout=0.5))
    with pytest.raises(astrobackend.NotFound, match="there are ASCOM, ALPACA"):
        astrobackend.discover("no such framework")
