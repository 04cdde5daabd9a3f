"""Ctrl-C ends every wait, stops what was started, and loses nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import astrobackend
import pytest
from conftest import run, served, unix

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
