"""Old programs on an RPC server."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import old_sequences
import original_rpc
import pytest
from old_sequences import until
from pyastrobackend.RPC.Focuser import Focuser, RPCFocuserThread
from pyastrobackend.RPC.RPCDeviceBase import RPCDevice, RPCDeviceThread
from pyastrobackend.RPCBackend import DeviceBackend


@pytest.fixture
def backend(rpc_address: str) -> Iterator[Any]:
    _, _, port = rpc_address.rpartition(":")
    backend = DeviceBackend(True, "127.0.0.1", int(port))
    assert backend.connect() is True
    yield backend
    assert backend.disconnect() is True
    assert backend.isConnected() is False


def test_camera(backend: Any, tmp_path: Path) -> None:
    old_sequences.camera(backend, None, tmp_path, 60)


def test_focuser(backend: Any) -> None:
    old_sequences.focuser(backend, None)


def test_filter_wheel(backend: Any) -> None:
    old_sequences.filter_wheel(backend, None)


def test_mount(backend: Any) -> None:
    old_sequences.mount(backend, None)


def test_progress(backend: Any) -> None:
    camera = backend.newCamera()
    assert camera.connect(None)
    assert camera.supports_progress() is True


def test_raw_requests(backend: Any) -> None:
    focuser = backend.newFocuser()
    assert focuser.connect(None)
    position = focuser.get_absolute_position()
    assert focuser.get_scalar_value("focuser_get_absolute_position", "absolute_position", [int, float]) == position
    as_float = focuser.get_scalar_value("focuser_get_absolute_position", "absolute_position", (float,))
    assert type(as_float) is float, "whole numbers are floats too"
    assert focuser.get_scalar_value("focuser_is_moving", "is_moving", bool) is False
    assert focuser.get_scalar_value("focuser_is_moving", "is_moving", [int, float]) is None
    assert focuser.get_scalar_value("focuser_is_moving", "something", [bool]) is None
    assert focuser.get_scalar_value("no_such_method", "value", [int]) is None
    assert focuser.set_scalar_value("focuser_move_absolute_position", "absolute_position", position + 50) is True
    assert focuser.is_moving() or focuser.get_absolute_position() == position + 50
    assert focuser.set_scalar_value("focuser_move_absolute_position", "absolute_position", "far") is False
    assert focuser.send_command("focuser_stop") is True
    assert focuser.send_command("no_such_method", {}) is False
    assert focuser.get_list_value("filterwheel_get_filter_names", "filter_names")[0] == "L"
    assert focuser.get_list_value("focuser_is_moving", "is_moving") is None
    number = focuser.send_server_request("mount_get_radec")
    assert set(focuser.wait_for_response(number, timeout=10)["result"]) == {"ra", "dec"}
    assert focuser.wait_for_response(number, timeout=0.1) is None, "an answer is given once"
    assert focuser.wait_for_response(None) is None
    assert focuser.disconnect()


def test_raw_places(backend: Any) -> None:
    mount = backend.newMount()
    assert mount.connect(None)
    assert mount.unpark() in (True, False)
    ra, dec = mount.get_position_radec()
    assert mount.send_radec_command("mount_sync_radec", ra, dec) is True
    assert mount.send_radec_command("mount_sync_radec", 99, dec) is False


def test_a_connection_for_raw_requests_is_closed(backend: Any) -> None:
    before = threading.active_count()
    focuser = backend.newFocuser()
    assert focuser.connect(None)
    assert threading.active_count() == before, "none unless it is used"
    assert focuser.send_command("focuser_stop")
    thread = focuser._thread
    assert isinstance(thread, RPCFocuserThread)
    assert thread.is_alive()
    focuser.disconnect()
    assert not thread.is_alive()
    assert focuser.connect(None)
    assert focuser.send_command("focuser_stop")
    thread = focuser._thread
    del focuser
    gc.collect()
    until(lambda: not thread.is_alive(), 5)


def test_events_of_the_connection(backend: Any) -> None:
    happened: list[str] = []

    class Listening(Focuser):
        def event_callback(self, event: str, *args: Any) -> None:
            happened.append(event)

    focuser = Listening(backend)
    assert focuser.connect(None)
    assert focuser.send_command("focuser_stop")
    until(lambda: "Response" in happened, 5)
    focuser.disconnect()
    assert happened == ["Connection", "Response", "Disconnected"]


def test_a_thread_of_ones_own(rpc_address: str) -> None:
    thread = RPCDeviceThread(int(rpc_address.rpartition(":")[2]), "mine", name="raw")
    assert (thread.user_data, thread.name, thread.daemon) == ("mine", "raw", True)
    thread.start()
    number = thread.queue_rpc_command("focuser_is_moving", None)
    assert number == 1
    answers: list[Any] = []

    def answered() -> bool:
        answers.append(thread.check_rpc_command_status(number))
        return answers[-1] is not None

    until(answered, 10)
    assert answers[-1]["result"] == {"is_moving": False}
    assert thread.check_rpc_command_status(number) is None
    thread.send_polling_response()
    thread.close()
    assert not thread.is_alive()
    assert thread.queue_rpc_command("focuser_is_moving", None) is None


@pytest.fixture
def odd_server() -> Iterator[tuple[int, Any]]:
    """A server that accepts, and says what the test wants."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        yield listener.getsockname()[1], listener


def test_lines_in_pieces_and_junk_between_them(odd_server: Any) -> None:
    port, listener = odd_server
    thread = RPCDeviceThread(port, None)
    number = thread.queue_rpc_command("any", {})
    assert number == 1
    thread.start()
    connection, _ = listener.accept()
    with connection:
        assert connection.recv(1000) == b'{"method": "any", "id": 1, "params": {}}\n'
        connection.sendall(b'{"Event": "Connection"}\nno JSON\n[1, 2]\n{"id": "null", "error": {}}\n{"id": 1, "res')
        assert thread.wait_for_answer(number, 0.1) is None
        connection.sendall(b'ult": {"whole": true}}\n')
        answer = thread.wait_for_answer(number, 10)
        assert answer is not None
        assert answer["result"] == {"whole": True}
        thread.close()


def test_nobody_waits_for_a_server_that_is_gone(odd_server: Any) -> None:
    port, listener = odd_server
    device = RPCDevice(type("Proxy", (), {"observatory": type("Open", (), {"address": f"rpc://127.0.0.1:{port}"})})())
    number = device.send_server_request("take_image", {"exposure": 1})
    connection, _ = listener.accept()
    threading.Timer(0.2, connection.close).start()
    assert device.wait_for_response(number, timeout=60) is None
    thread = device._thread
    assert thread is not None
    until(lambda: not thread.is_alive(), 5)
    device.disconnect()


def test_the_original_server(tmp_path: Path) -> None:
    with original_rpc.served() as port:
        backend = DeviceBackend(port=port)
        assert backend.connect() is True
        camera, focuser = backend.newCamera(), backend.newFocuser()
        assert camera.connect("ignored, as the original did") is True
        assert camera.get_size() == (40, 30)
        assert camera.get_max_binning() == 4
        assert camera.supports_progress() is False
        assert camera.get_cooler_state() is True
        assert camera.set_frame(0, 0, 20, 10)
        assert camera.start_exposure(0.3)
        assert camera.check_exposure() is False
        until(camera.check_exposure, 10)
        assert camera.check_exposure_success() is True
        image: Any = camera.get_image_data()
        assert image.shape == (10, 20)
        assert camera.save_image_data(str(tmp_path / "image.fits")) is True
        assert camera.start_exposure(60)
        assert camera.stop_exposure() is True
        until(camera.check_exposure, 10)
        assert camera.check_exposure_success() is False, "an abort is no success"
        assert camera.get_image_data() is None
        assert focuser.connect(None) is True
        assert focuser.get_absolute_position() == 20000
        assert type(focuser.get_absolute_position()) is int
        assert backend.disconnect() is True


def test_without_a_server() -> None:
    backend = DeviceBackend(port=1)
    assert backend.connect() is False
    assert backend.isConnected() is False
    camera: Any = backend.newCamera()
    assert camera.connect(None) is False
    assert camera.send_command("abort_image") is False
    assert camera.is_connected() is False
