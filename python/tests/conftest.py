"""Servers for the tests: real ones, each started on a free port and ended by its own process.

indiserver listens on all interfaces, so it is started only in a network of the tests' own (`./check python` makes
one). What cannot run here is skipped with the reason; with ASTROBACKEND_REQUIRE_PEERS=1 that is a failure.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

INSIDE = "ASTROBACKEND_PRIVATE_NETWORK"
REQUIRED = os.environ.get("ASTROBACKEND_REQUIRE_PEERS") == "1"
START = 30.0
DRIVERS = ["telescope", "ccd", "focus", "wheel"]
STAND_INS = Path(__file__).parents[2] / "testing" / "bin"
"""Programs that real drivers call: `gsc`, which gives INDI's CCD simulator its stars."""

unix = pytest.mark.skipif(os.name != "posix", reason="signals and forks are for POSIX")


def run(program: str, *, timeout: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a program in an interpreter of its own."""
    command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(program)]
    variables = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=variables, check=False)


def missing(why: str) -> None:
    """Skips the test, or fails it where every peer must be there."""
    if REQUIRED:
        pytest.fail(f"a peer is required and missing: {why}")
    pytest.skip(why)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def ended(command: list[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    """A program that is ended with the block."""
    child = subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def indiserver(folder: Path, *, stars: bool = False) -> Iterator[str]:
    """Debian's indiserver with its four simulators; its address."""
    if INSIDE not in os.environ:
        missing("indiserver wants a network of its own: run ./check python")
    drivers = [f"indi_simulator_{driver}" for driver in DRIVERS]
    for program in ["indiserver", *drivers]:
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            missing(f"there is no {program} on this machine")
    port = free_port()
    environment = {**os.environ, "HOME": str(folder)}
    if stars:
        environment["PATH"] = f"{STAND_INS}:{environment['PATH']}"
    command = ["indiserver", "-p", str(port), "-m", "1000", "-u", str(folder / "socket"), *drivers]
    with open(folder / "log", "w") as log, ended(command, env=environment, stdout=log, stderr=log) as child:
        wait_for_drivers(port, child)
        yield f"indi://127.0.0.1:{port}"


def wait_for_drivers(port: int, child: subprocess.Popen[str]) -> None:
    """Waits until each driver has told who it is."""
    deadline = time.monotonic() + START
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=START)
            break
        except OSError:
            assert child.poll() is None, "indiserver has ended"
            assert time.monotonic() < deadline, "indiserver does not listen"
            time.sleep(0.02)
    with connection:
        connection.sendall(b"<getProperties version='1.7'/>\n")
        told = b""
        while told.count(b'name="DRIVER_INFO"') < len(DRIVERS):
            told += connection.recv(65536) or pytest.fail("indiserver closed the connection")


@contextlib.contextmanager
def served(backend: str, how: str, *options: str) -> Iterator[str]:
    """Our own server over a backend; its address."""
    command = [sys.executable, "-m", "astrobackend", "--json", "-b", backend, "serve", how, "--listen", "127.0.0.1:0"]
    with ended([*command, *options], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = json.loads(child.stdout.readline())
        yield f"{how}://{said['listening']}"


@pytest.fixture(scope="session")
def indi_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with indiserver(tmp_path_factory.mktemp("indi")) as address:
        yield address


@pytest.fixture
def indi_stars_address(tmp_path: Path) -> Iterator[str]:
    with indiserver(tmp_path, stars=True) as address:
        yield address


@pytest.fixture(scope="session")
def alpaca_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    state = tmp_path_factory.mktemp("alpaca") / "state.json"
    with served("sim://?speed=100", "alpaca", "--discovery-port", "off", "--state", str(state)) as address:
        yield address


@pytest.fixture(scope="session")
def rpc_address() -> Iterator[str]:
    with served("sim://?speed=100", "rpc") as address:
        yield address
