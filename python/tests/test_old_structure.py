"""What old applications do with the classes: mix-ins, proxies, attributes of their own, backends by name."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from old_sequences import until
from pyastrobackend import BackendConfig, SIMBackend

FAST = "sim://?speed=1000&sensor=generic"
USUAL = "ASCOM" if os.name == "nt" else "INDI"


@pytest.fixture(autouse=True)
def own_backends(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Backends of one test are not those of another."""
    monkeypatch.setattr(BackendConfig, "LOADED_BACKENDS", {})
    monkeypatch.delenv("PYASTROBACKEND", raising=False)
    yield
    for backend in BackendConfig.LOADED_BACKENDS.values():
        backend.disconnect()


@pytest.fixture
def backend() -> Any:
    backend = BackendConfig.get_backend(FAST)
    assert backend.connect() is True
    return backend


# -- classes ----------------------------------------------------------------------------------------------------------


class Manager:
    """A mix-in as pyastroimageview has them."""

    def __init__(self, backend: Any) -> None:
        super().__init__(backend)  # type: ignore[call-arg]
        self.lock = threading.Lock()
        self.signals = ["done"]
        self.timer = None
        self.connected = False

    def connect(self, name: str) -> bool:
        self.connected = super().connect(name)  # type: ignore[misc]
        return self.connected

    def get_state(self) -> str:
        return f"state {super().get_state()}"  # type: ignore[misc]


def test_a_mix_in_before_the_camera(backend: Any) -> None:
    plain = backend.newCamera()
    managed = type("CameraManager", (Manager, type(plain)), {})(backend)
    assert managed.get_state() == "state -1"
    assert managed.connect(None) is True
    assert managed.connected is True
    assert managed.get_state() == "state 0"
    assert set(vars(managed)) >= {"lock", "signals", "timer", "connected", "backend"}
    assert "start_exposure" in dir(managed)
    assert isinstance(managed, type(plain))


ARGUMENTS = {
    "connect": (None,), "show_chooser": ("",), "start_exposure": (1,), "save_image_data": ("/no/folder/image.fits",),
    "set_binning": (1, 1), "set_frame": (0, 0, 10, 10), "set_camera_gain": (1,), "set_target_temperature": (0,),
    "set_cooler_state": (True,), "move_absolute_position": (1000,), "set_position": (1,), "set_position_name": ("R",),
    "slew": (0, 80), "sync": (0, 80), "set_tracking": (True,), "get_prop": ("name",), "set_prop": ("name",),
}  # fmt: skip


@pytest.mark.parametrize("module", ["SIMBackend", "INDIBackend", "AlpacaBackend", "RPCBackend"])
@pytest.mark.parametrize("make", ["newCamera", "newFocuser", "newFilterWheel", "newMount"])
def test_a_mix_in_may_hold_a_lock_in_each_method(backend: Any, module: str, make: str) -> None:
    """pyastroimageview's do: no public method calls another one, or it would wait for ever."""
    backend.get_prop = backend.set_prop = lambda *arguments: {}  # What Alpaca's classes want besides.
    kind = type(getattr(importlib.import_module(f"pyastrobackend.{module}").DeviceBackend(), make)())
    lock = threading.Lock()

    def locked(name: str) -> Any:
        def method(self: Any, *arguments: Any) -> Any:
            assert lock.acquire(blocking=False), f"{name} is called from within"
            with contextlib.closing(contextlib.ExitStack()) as stack:
                stack.callback(lock.release)
                return getattr(super(managed, self), name)(*arguments)

        return method

    raw = {"send_server_request", "wait_for_response", "send_command", "send_radec_command", "event_callback"}
    raw |= {"get_scalar_value", "set_scalar_value", "get_list_value"}
    names = [name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))]
    names = [name for name in names if name not in raw and not isinstance(getattr(kind, name), type)]
    managed = type("Managed", (kind,), {name: locked(name) for name in names})
    device = managed(backend)
    for connected in (False, True):
        assert not connected or device.connect(None)
        for name in sorted(names, key=lambda name: name == "disconnect"):
            getattr(device, name)(*ARGUMENTS.get(name, ()))


@pytest.mark.parametrize("make", ["newCamera", "newFocuser", "newFilterWheel", "newMount"])
def test_a_mix_in_behind(backend: Any, make: str) -> None:
    class Behind:
        def __init__(self) -> None:
            super().__init__()
            self.behind = True

    kind = type(getattr(backend, make)())
    mixed = type("Mixed", (kind, Behind), {})(backend)
    assert mixed.behind is True
    assert mixed.connect("") is True
    assert mixed.backend is backend


def test_a_subclass_that_forgets_its_parents_constructor(backend: Any) -> None:
    class Wanderer(SIMBackend.Mount):
        def __init__(self) -> None:
            self.steps = 3

    mount = Wanderer()
    assert mount.is_slewing() is False
    mount.backend = backend
    assert mount.connect(None) is True


def test_a_proxy_as_the_backend(backend: Any) -> None:
    class BackendProxy:
        """As pyastroimageview's: no backend by type, all of it by attribute."""

        def __init__(self, real: Any) -> None:
            object.__setattr__(self, "real", real)

        def __getattribute__(self, name: str) -> Any:
            return getattr(object.__getattribute__(self, "real"), name)

    proxy = BackendProxy(backend)
    camera = SIMBackend.Camera(proxy)
    assert camera.connect(None) is True
    assert camera.get_binning() == (1, 1)
    managed = type("FocuserManager", (Manager, SIMBackend.Focuser), {})(proxy)
    assert managed.connect(None) is True


def test_without_a_backend_the_usual_one_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYASTROBACKEND", FAST)
    focuser = SIMBackend.Focuser()
    assert focuser.connect(None) is True
    assert focuser.backend is BackendConfig.get_backend("SIM")
    from pyastrobackend.RPC.Camera import Camera

    assert Camera().get_max_binning() is None


def test_attributes_and_methods_can_be_looked_through(backend: Any) -> None:
    """Debuggers and signals of Qt do that; nothing may be opened or raised by it."""
    unopened = SIMBackend.DeviceBackend()
    for thing in (unopened, *(getattr(unopened, make)() for make in ("newCamera", "newMount"))):
        for name in dir(thing):
            getattr(thing, name)
    assert unopened.isConnected() is False


# -- failures ---------------------------------------------------------------------------------------------------------


def test_before_connecting_everything_answers_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    camera = SIMBackend.DeviceBackend().newCamera()
    assert camera.get_max_binning() is None
    assert camera.get_min_max_exposure() is None
    assert camera.get_camera_gain() is None
    assert camera.get_settings() is None
    assert camera.get_cooler_state() is False
    assert camera.get_state() == -1
    assert camera.set_binning(1, 1) is False
    assert camera.check_exposure_success() is False
    mount = SIMBackend.DeviceBackend().newMount()
    assert mount.get_position_radec() == (None, None)
    assert (mount.is_slewing(), mount.is_parked(), mount.park(), mount.get_pier_side()) == (False, False, False, None)
    assert capfd.readouterr() == ("", "")


def test_what_was_lost_does_not_keep_anybody_waiting(backend: Any) -> None:
    camera, mount = backend.newCamera(), backend.newMount()
    assert camera.connect(None)
    assert mount.connect(None)
    assert camera.start_exposure(3600)
    assert mount.slew(0, 80)
    assert backend.disconnect() is True
    assert backend.isConnected() is False
    assert camera.check_exposure() is True
    assert camera.check_exposure_success() is False
    assert mount.is_slewing() is False
    assert camera.is_connected() is False


def test_a_backend_can_be_connected_again(backend: Any) -> None:
    camera = backend.newCamera()
    assert camera.connect(None)
    assert backend.connect() is True, "it is connected already"
    assert camera.get_binning() == (1, 1)
    backend.disconnect()
    assert camera.get_binning() is None
    assert backend.connect() is True
    assert backend.isConnected() is True
    assert camera.connect(None) is True
    assert camera.get_binning() == (1, 1)


def test_reasons_are_in_the_log(backend: Any, caplog: pytest.LogCaptureFixture) -> None:
    wheel = backend.newFilterWheel()
    with caplog.at_level(logging.INFO, "pyastrobackend"):
        assert wheel.connect("No Wheel") is False
        assert wheel.connect(None) is True
        assert wheel.set_position(99) is False
        assert wheel.get_position() is not None
    levels = [(record.levelname, record.name.split(".")[0]) for record in caplog.records]
    assert levels == [("ERROR", "pyastrobackend"), ("WARNING", "pyastrobackend")]
    assert "No Wheel" in caplog.text
    assert "99" in caplog.text


def test_mistakes_of_the_program_are_raised(backend: Any) -> None:
    camera = backend.newCamera()
    with pytest.raises(TypeError):
        camera.start_exposure()
    with pytest.raises(TypeError):
        camera.set_frame(1, 2, 3)


def test_devices_are_used_by_several_threads(backend: Any) -> None:
    camera, focuser = backend.newCamera(), backend.newFocuser()
    assert camera.connect(None)
    assert focuser.connect(None)
    seen: list[bool] = []

    def poll() -> None:
        for _ in range(300):
            seen.append(type(focuser.get_absolute_position()) is int and camera.get_state() in (0, 2))

    threads = [threading.Thread(target=poll) for _ in range(4)]
    for thread in threads:
        thread.start()
    for step in range(20):
        assert focuser.move_absolute_position(25000 + step) is True
        assert focuser.connect(None) is True
    for thread in threads:
        thread.join(30)
    assert len(seen) == 1200
    assert all(seen)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_is_told_that_the_devices_are_not_its_own(backend: Any) -> None:
    focuser = backend.newFocuser()
    assert focuser.connect(None)
    child = os.fork()
    if child == 0:
        with contextlib.redirect_stderr(io.StringIO()):
            quiet = focuser.get_absolute_position() is None and focuser.move_absolute_position(1) is False
        os._exit(0 if quiet else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert type(focuser.get_absolute_position()) is int


# -- backends by name -------------------------------------------------------------------------------------------------


def test_backend_choices() -> None:
    assert BackendConfig.get_backend_choices() == ["ASCOM", "ALPACA", "RPC", "INDI", "SIM"]


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert BackendConfig.get_backend_for_os() == USUAL
    for chosen in ("bogus", "ALPACA", "indi://pi:7624"):
        monkeypatch.setenv("PYASTROBACKEND", chosen)
        assert BackendConfig.get_backend_for_os() == chosen


@pytest.mark.parametrize("name", ["ALPACA", "RPC", "INDI", "SIM"])
def test_one_backend_for_each_name(name: str) -> None:
    backend = BackendConfig.get_backend(name)
    assert backend.name() == name
    assert BackendConfig.get_backend(name) is backend
    assert BackendConfig.get_backend(name.lower()) is backend
    assert BackendConfig.LOADED_BACKENDS[name] is backend
    assert backend.isConnected() is False
    assert backend.disconnect() is True, "there is nothing to close"


def test_a_whole_address_is_a_backend() -> None:
    backend = BackendConfig.get_backend("indi://pi.local:7000")
    assert (backend.name(), backend.address) == ("INDI", "indi://pi.local:7000")
    assert BackendConfig.get_backend("indi://pi.local:7000") is backend
    assert BackendConfig.get_backend("INDI") is not backend
    assert BackendConfig.get_backend("http://pi:11111/api/v1/camera/0").name() == "ALPACA"
    assert BackendConfig.get_backend("http://pi:11111").address == "alpaca://pi:11111"


@pytest.mark.parametrize("name", ["bogus", "", "gopher://pi"])
def test_unknown_backends(name: str) -> None:
    with pytest.raises(Exception, match=f"no implementation for backend {name} available"):
        BackendConfig.get_backend(name)


@pytest.mark.parametrize(
    ("name", "address"),
    [("INDI", "indi://pi:7000"), ("RPC", "rpc://pi:8000"), ("ALPACA", "alpaca://pi:1"), ("SIM", "sim://?seed=7")],
)
def test_the_environment_says_where_a_framework_is(monkeypatch: pytest.MonkeyPatch, name: str, address: str) -> None:
    monkeypatch.setenv("PYASTROBACKEND", address)
    assert BackendConfig.get_backend(name).address == address
    for other in {"INDI", "RPC", "ALPACA", "SIM"} - {name}:
        assert "pi" not in BackendConfig.get_backend(other).address


def test_constructors_take_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyastrobackend import AlpacaBackend, ASCOMBackend, INDIBackend, RPCBackend

    assert INDIBackend.DeviceBackend().address == "indi://localhost"
    assert INDIBackend.DeviceBackend("pi").address == "indi://pi:7624"
    assert INDIBackend.DeviceBackend(port=7000).address == "indi://localhost:7000"
    assert INDIBackend.DeviceBackend("::1", 7000).address == "indi://[::1]:7000"
    assert AlpacaBackend.DeviceBackend().address == "alpaca://127.0.0.1:11111"
    assert AlpacaBackend.DeviceBackend("10.0.0.9", 80).address == "alpaca://10.0.0.9:80"
    assert RPCBackend.DeviceBackend(False).address == "rpc://127.0.0.1:8800"
    assert RPCBackend.DeviceBackend(host="pi").address == "rpc://pi:8800"
    assert ASCOMBackend.DeviceBackend().name() == "ASCOM"
    monkeypatch.setenv("PYASTROBACKEND", "indi://elsewhere")
    assert INDIBackend.DeviceBackend().address == "indi://elsewhere", "old programs name no server"
    assert INDIBackend.DeviceBackend("pi").address == "indi://pi:7624", "who names one gets it"
    assert INDIBackend.DeviceBackend(address="indi://pi").address == "indi://pi"


@pytest.mark.skipif(os.name == "nt", reason="Windows has COM")
def test_ascom_without_com_says_what_to_use() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"ALPACA .* INDI .* SIM"):
        BackendConfig.get_backend("ASCOM")
    with pytest.raises(ModuleNotFoundError):
        BackendConfig.get_backend("ascom://")
    from pyastrobackend.ASCOM.Camera import Camera
    from pyastrobackend.ASCOMBackend import DeviceBackend

    backend = DeviceBackend()
    assert backend.connect() is False
    assert backend.newCamera().connect("ASCOM.Simulator.Camera") is False
    assert Camera().connect is not None


def run(code: str, **environment: str) -> str:
    """What another Python says."""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("module", ["INDIBackend", "AlpacaBackend", "RPCBackend", "SIMBackend", "ASCOMBackend"])
def test_an_import_brings_nothing_heavy(module: str) -> None:
    heavy = run(
        f"import sys, pyastrobackend.BackendConfig, pyastrobackend.{module}; "
        "print(*{'asyncio', 'numpy', 'astropy', 'requests', 'ssl'} & set(sys.modules))"
    )
    assert heavy == ""
    assert run("import sys, pyastrobackend; print('astrobackend' in sys.modules)") == "False"


def test_a_program_of_the_documentation_runs_on_the_simulator() -> None:
    """As in the document's introduction; it ends by itself, and says nothing."""
    program = """if True:
        import time
        from pyastrobackend.BackendConfig import get_backend, get_backend_for_os
        backend = get_backend(get_backend_for_os())
        assert backend.connect()
        cam = backend.newCamera()
        assert cam.connect('Camera Simulator')
        assert cam.start_exposure(0.5)
        while not cam.check_exposure():
            time.sleep(0.05)
        print(cam.check_exposure_success(), cam.get_image_data().shape)
    """
    assert run(program, PYASTROBACKEND="sim://?speed=100&sensor=generic") == "True (1024, 1280)"


def test_nothing_stays_behind(backend: Any) -> None:
    before = threading.active_count()
    other = SIMBackend.DeviceBackend(address=FAST)
    assert other.connect()
    camera = other.newCamera()
    assert camera.connect(None)
    assert camera.start_exposure(1)
    until(camera.check_exposure)
    other.disconnect()
    assert threading.active_count() == before
