"""Nothing is left behind: no memory, no thread, no descriptor, and an interpreter that ends."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import astrobackend
import pytest
from conftest import run


def test_raw_properties_end_with_their_observatory(indi_address: str) -> None:
    with astrobackend.open(indi_address) as observatory:
        properties = observatory.properties()
        assert properties.devices()
    with pytest.raises(astrobackend.InvalidOperation, match="closed"):
        properties.devices()


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
