"""What a program must be able to rely on while it waits: threads run, Ctrl-C works, forks work, nothing leaks."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import astrobackend
import pytest
from conftest import served

unix = pytest.mark.skipif(os.name != "posix", reason="signals and forks are for POSIX")


def run(program: str, *, timeout: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a program in an interpreter of its own."""
    command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(program)]
    variables = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=variables, check=False)


WAITS = {
    "expose": "camera.expose(600)",
    "move_to": "focuser.move_to(60000)",
    "slew": "mount.slew(astrobackend.RaDec(mount.state().position.ra, 30, 'JNow'))",
    "select": "wheel.select(7)",
    "event": "observatory.events().next()",
    "iteration": "list(observatory.events())",
}

INTERRUPTED = """
    import astrobackend, os, signal, threading, time
    observatory = astrobackend.open("sim://?speed=0.1&slew=1")
    camera, focuser = observatory.camera(), observatory.focuser()
    mount, wheel = observatory.mount(), observatory.filter_wheel()
    for device in (camera, focuser, mount, wheel):
        device.connect()
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    try:
        {wait}
    except KeyboardInterrupt:
        print(time.monotonic() - started - 0.3)
    assert not camera.state().busy and not focuser.state().moving and not mount.state().slewing
"""


@unix
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait_and_stops_what_was_started(wait: str) -> None:
    done = run(INTERRUPTED.format(wait=WAITS[wait]))
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.5, "seconds after the signal"


@unix
@pytest.mark.parametrize("ask", ["astrobackend.open(address)", "astrobackend.open(address, timeout=60)"])
def test_ctrl_c_ends_a_call_to_a_server_that_says_nothing(ask: str) -> None:
    done = run(
        f"""
        import astrobackend, os, signal, socket, threading, time
        silent = socket.create_server(("127.0.0.1", 0))
        address = "alpaca://127.0.0.1:%d?timeout=30" % silent.getsockname()[1]
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        started = time.monotonic()
        try:
            {ask}
        except KeyboardInterrupt:
            print(time.monotonic() - started - 0.3)
        """
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.5


@unix
def test_a_device_hears_of_ctrl_c_though_the_program_ends_at_once(tmp_path: Path) -> None:
    """The server answers late, the program does not wait for it, and the exposure ends nevertheless."""
    with served("sim://", "alpaca", "--discovery-port", "off", "--state", str(tmp_path / "state")) as address:
        with late(address, seconds=0.45) as through:
            done = run(
                """
                import astrobackend, os, signal, threading
                with astrobackend.open(os.environ["ADDRESS"]) as observatory:
                    camera = observatory.camera()
                    camera.connect()
                    observe = threading.Thread(target=lambda: (wait(camera), os.kill(os.getpid(), signal.SIGINT)))
                    def wait(camera):
                        while not camera.state().busy:
                            pass
                    observe.start()
                    camera.expose(60)
                """,
                ADDRESS=through,
            )
        assert "KeyboardInterrupt" in done.stderr
        with astrobackend.open(address) as observatory, observatory.camera() as camera:
            assert not camera.state().busy


@contextlib.contextmanager
def late(address: str, *, seconds: float) -> Iterator[str]:
    """The same server, each of whose replies comes late."""
    host, port = address.split("//")[1].split(":")
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket, delay: float) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                time.sleep(delay)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((host, int(port)))
                threading.Thread(target=pump, args=(client, server, 0), daemon=True).start()
                threading.Thread(target=pump, args=(server, client, seconds), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"alpaca://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


@unix
def test_an_interrupted_wait_takes_no_event_along() -> None:
    with astrobackend.open("sim://?speed=10") as observatory, observatory.focuser() as focuser:
        events, other = observatory.events(), observatory.events()

        def interrupt(number: int, frame: object) -> None:
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            with pytest.raises(KeyboardInterrupt):
                while True:
                    events.next(60)
        finally:
            signal.signal(signal.SIGINT, before)
        focuser.move_to(10_000)

        def moves(listener: astrobackend.Events) -> list[astrobackend.Event]:
            seen = []
            for event in listener:
                if isinstance(event.state, astrobackend.FocuserState):
                    if event.state.position == 10_000 and not event.state.moving:
                        return seen
                    seen += [event] if event.state.moving else []
            return seen

        assert moves(events) == moves(other) != []


def test_the_end_of_a_subscription_ends_a_wait() -> None:
    with astrobackend.open("sim://") as observatory:
        for close in (lambda events: events.close(), lambda events: observatory.close()):
            if observatory.closed:
                break
            events = observatory.events()
            threading.Timer(0.1, close, (events,)).start()
            started = time.monotonic()
            assert events.next(60) is None and list(events) == []
            assert time.monotonic() - started < 2


def test_blocks_within_blocks_leave_a_device_to_the_outermost() -> None:
    with astrobackend.open("sim://") as observatory:
        camera = observatory.camera()
        with camera:
            with camera:
                pass
            assert camera.is_connected()
        assert not camera.is_connected()


@unix
def test_the_old_package_connects_anew_in_a_forked_child() -> None:
    done = run(
        """
        import os, sys
        from pyastrobackend.SIMBackend import DeviceBackend
        backend = DeviceBackend()
        assert backend.connect() and backend.newCamera().connect("")
        child = os.fork()
        if child == 0:
            assert backend.connect() and backend.newCamera().connect("")
            os._exit(7)
        assert os.waitpid(child, 0)[1] >> 8 == 7
        """
    )
    assert done.returncode == 0, done.stderr


@unix
def test_a_forked_child_may_close_what_its_parent_opened() -> None:
    done = run(
        """
        import astrobackend, os, threading
        observatory = astrobackend.open("sim://")
        stop = threading.Event()
        def ask():
            while not stop.is_set():
                observatory.camera()
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(300):
            child = os.fork()
            if child == 0:
                observatory.close()
                os._exit(0)
            os.waitpid(child, 0)
        stop.set()
        """,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_raw_properties_end_with_their_observatory(indi_address: str) -> None:
    with astrobackend.open(indi_address) as observatory:
        properties = observatory.properties()
        assert properties.devices()
    with pytest.raises(astrobackend.InvalidOperation, match="closed"):
        properties.devices()


def test_other_threads_run_while_one_waits() -> None:
    with astrobackend.open("sim://?speed=1") as observatory, observatory.camera() as camera:
        turns = 0
        done = threading.Event()

        def count() -> None:
            nonlocal turns
            while not done.wait(0.001):
                turns += 1

        counting = threading.Thread(target=count)
        counting.start()
        camera.expose(0.5, binning=4)
        done.set()
        counting.join()
        assert turns > 50


def test_many_threads_share_a_device() -> None:
    with astrobackend.open("sim://?speed=1000&sensor=generic") as observatory, observatory.camera() as camera:
        failures: list[BaseException] = []
        taken = []

        def work() -> None:
            try:
                for _ in range(5):
                    camera.state()
                    try:
                        taken.append(camera.expose(0.1).shape)
                    except (astrobackend.Busy, astrobackend.InvalidOperation):
                        camera.frame()
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not failures and taken and set(taken) == {(1024, 1280)}


def test_a_call_is_left_at_its_own_deadline(alpaca_address: str) -> None:
    with astrobackend.open("sim://") as observatory, observatory.camera() as camera:
        started = time.monotonic()
        with pytest.raises(astrobackend.Timeout) as late:
            camera.expose(30, timeout=0.2)
        assert time.monotonic() - started < 2 and isinstance(late.value, TimeoutError)
        assert late.value.device == camera.name and not camera.state().busy
        with pytest.raises(astrobackend.InvalidValue):
            camera.state(timeout=-1)
    with astrobackend.open(alpaca_address) as observatory, observatory.camera() as camera:
        with pytest.raises(astrobackend.Timeout, match="state did not finish"):
            camera.state(timeout=0)
        assert camera.state(timeout=30).image_ready in (True, False)


def test_a_wait_is_cancelled_from_another_thread() -> None:
    with astrobackend.open("sim://") as observatory, observatory.camera() as camera:
        cancel = astrobackend.Cancel()
        threading.Timer(0.1, cancel.cancel).start()
        with pytest.raises(astrobackend.Cancelled):
            camera.expose(60, cancel=cancel)
        assert cancel.is_cancelled() and not camera.state().busy


def test_an_exception_of_the_one_who_is_told_ends_the_exposure() -> None:
    with astrobackend.open("sim://") as observatory, observatory.camera() as camera:

        def told(progress: astrobackend.Progress) -> None:
            raise ZeroDivisionError(progress.status)

        with pytest.raises(ZeroDivisionError):
            camera.expose(60, on_progress=told)
        assert not camera.state().busy


@unix
def test_a_forked_child_opens_its_own() -> None:
    done = run(
        """
        import astrobackend, os
        observatory = astrobackend.open("sim://?speed=100&sensor=generic")
        camera = observatory.camera()
        camera.connect()
        camera.expose(1)
        child = os.fork()
        if child == 0:
            try:
                camera.state()
            except astrobackend.InvalidOperation as error:
                assert "forked" in str(error)
            with astrobackend.open("sim://?speed=100&sensor=generic") as own, own.camera() as other:
                assert other.expose(1).shape == (1024, 1280)
            del camera, observatory
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert camera.expose(1).shape == (1024, 1280)
        """
        if sys.version_info >= (3, 9)
        else ""
    )
    assert done.returncode == 0, done.stderr


@unix
def test_a_forked_child_leaves_the_connection_of_its_parent_alone(indi_address: str) -> None:
    done = run(
        """
        import astrobackend, gc, os, sys
        observatory = astrobackend.open(sys.argv[1] if len(sys.argv) > 1 else os.environ["ADDRESS"])
        camera = observatory.camera()
        camera.connect()
        for _ in range(5):
            child = os.fork()
            if child == 0:
                del camera, observatory
                gc.collect()
                sys.exit(0)
            os.waitpid(child, 0)
        assert camera.expose(0.1, timeout=30).width
        assert observatory.link().status == "up"
        """,
        ADDRESS=indi_address,
    )
    assert done.returncode == 0, done.stderr


def shape_of_a_picture(speed: int) -> tuple[int, ...]:
    with astrobackend.open(f"sim://?speed={speed}&sensor=generic") as observatory, observatory.camera() as camera:
        return camera.expose(1).shape


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing(method: str) -> None:
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(shape_of_a_picture, [100, 200, 300]) == [(1024, 1280)] * 3


def test_errors_cross_process_borders() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(astrobackend.Timeout("the slew did not finish", "Mount", 0xFF0)))
    assert type(error) is astrobackend.Timeout
    assert (str(error), error.device, error.code) == ("Mount: the slew did not finish", "Mount", 0xFF0)


@pytest.mark.parametrize("how", ["at the end", "by sys.exit", "by an exception"])
def test_the_interpreter_ends_with_devices_open(how: str, rpc_address: str) -> None:
    ending = {"at the end": "", "by sys.exit": "import sys; sys.exit(0)", "by an exception": "raise SystemExit(0)"}[how]
    done = run(
        f"""
        import astrobackend, os, threading
        for address in ("sim://", os.environ["ADDRESS"]):
            observatory = astrobackend.open(address)
            camera, events = observatory.camera(), observatory.events()
            camera.connect()
            threading.Thread(target=lambda: list(events), daemon=True).start()
            threading.Thread(target=lambda: camera.expose(100), daemon=True).start()
        {ending}
        """,
        ADDRESS=rpc_address,
        timeout=30,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_import_is_quick_and_pulls_in_nothing_large() -> None:
    done = run(
        """
        import sys
        import astrobackend, pyastrobackend, pyastrobackend.BackendConfig, pyastrobackend.INDIBackend
        large = {"asyncio", "numpy", "astropy", "multiprocessing", "http", "xml"} & set(sys.modules)
        assert not large, large
        """
    )
    assert done.returncode == 0, done.stderr


def test_the_log_is_quiet_until_asked_for() -> None:
    program = """
        import astrobackend, logging, sys
        {setup}
        with astrobackend.open("sim://?speed=100") as observatory, observatory.focuser() as focuser:
            focuser.move_to(20000)
    """
    quiet = run(program.format(setup=""))
    assert quiet.returncode == 0 and quiet.stderr == quiet.stdout == ""


def test_the_log_of_the_library_reaches_logging() -> None:
    done = run(
        """
        import astrobackend, logging, sys
        logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s %(levelname)s %(message)s")
        with astrobackend.open("sim://") as observatory, observatory.camera() as camera:
            events = observatory.events()
            camera.disconnect()
            while events.next(1):
                pass
        """
    )
    assert done.returncode == 0, done.stderr
    assert "astrobackend INFO" in done.stdout and "Camera Simulator: disconnected" in done.stdout, done.stdout


def memory() -> int:
    """Bytes of this process that are in memory."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def threads_and_files() -> tuple[int, int]:
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


def wait_until_no_more(than: tuple[int, int]) -> None:
    """Threads that have nothing to do end after some seconds."""
    deadline = time.monotonic() + 20
    while any(now > then for now, then in zip(threads_and_files(), than)):
        assert time.monotonic() < deadline, f"{threads_and_files()} threads and files are left of {than}"
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is measured by /proc")
def test_ten_thousand_exposures_leave_nothing_behind() -> None:
    with astrobackend.open("sim://?speed=100000&sensor=generic") as observatory, observatory.camera() as camera:
        camera.set_frame(astrobackend.Frame(0, 0, 64, 64))
        for _ in range(500):
            camera.expose(0.001).data.sum()
        before, others = memory(), threads_and_files()
        for _ in range(10_000):
            camera.expose(0.001).data.sum()
        grown = memory() - before
        print(f"{grown / 1024:.0f} KiB more after 10,000 exposures of 8 KiB")
        assert grown < 4 << 20
        wait_until_no_more(others)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted by /proc")
def test_opening_and_closing_leaves_nothing_behind(rpc_address: str, alpaca_address: str) -> None:
    def once() -> None:
        for address in (rpc_address, alpaca_address, "sim://"):
            with astrobackend.open(address) as observatory, observatory.camera() as camera:
                camera.state()

    once()
    before = threads_and_files()
    for _ in range(20):
        once()
    wait_until_no_more(before)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
