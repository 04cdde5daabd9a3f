"""What the Python packages cost beside the Rust library under them.

    python python/benches/bench.py

Run it with the Python that has a release wheel. It wants Debian's indiserver, and for the frames the project's bench
driver and its Rust counterpart, which it has cargo build. Everything listens on loopback, but indiserver everywhere:
run it in a network namespace (`unshare -n`) or on a machine that nobody reaches.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "python" / "tests"))

import astrobackend  # noqa: E402
import conftest  # noqa: E402
import numpy  # noqa: E402
from pyastrobackend import INDIBackend  # noqa: E402

EXPOSURE = 0.01
FRAMES = 15
IMPORTS = 20
NOT_READ = {"get_image_data", "get_settings", "get_info"}
"""The methods of the old interface that are called like getters and gather more than one value."""


def report(what: str, measured: str, goal: str = "", met: bool | None = None) -> None:
    verdict = {None: "", True: "met", False: "MISSED"}[met]
    print(f"| {what} | {measured} | {goal} | {verdict} |", flush=True)


def microseconds(calls: list[Callable[[], object]]) -> list[float]:
    """The time of each call, as in the best of several rounds that are some time apart."""
    rounds = [[timeit.timeit(call, number=5_000) / 5_000 * 1e6 for call in calls] for _ in range(15)]
    return [min(times) for times in zip(*rounds)]


def getters() -> None:
    """Getters of the old interface, on indiserver's simulators."""
    with tempfile.TemporaryDirectory() as folder, conftest.indiserver(Path(folder)) as address:
        backend = INDIBackend.DeviceBackend(address=address)
        assert backend.connect()
        camera, focuser, wheel, mount = (
            backend.newCamera(),
            backend.newFocuser(),
            backend.newFilterWheel(),
            backend.newMount(),
        )
        assert camera.connect("CCD Simulator") and focuser.connect("Focuser Simulator")
        assert wheel.connect("Filter Simulator") and mount.connect("Telescope Simulator")
        calls = [
            getattr(device, name)
            for device in (camera, focuser, wheel, mount)
            for name in sorted(dir(device))
            if name.startswith(("get_", "is_", "can_", "check_")) and name not in NOT_READ
        ]
        for call, took in zip(calls, microseconds(calls)):
            kind = type(call.__self__).__name__
            report(f"INDI {kind}.{call.__name__}", f"{took:.2f} µs", "at most 3 µs", took <= 3)
        backend.disconnect()


def frames() -> None:
    """A 61-megapixel frame of an INDI driver into NumPy, beside the same in Rust."""
    build = ["cargo", "build", "--release", "--quiet", "-p", "testing", "-p", "astrobackend"]
    parts = ["--bin", "indi-bench-driver", "--example", "time_exposures"]
    subprocess.run([*build, *parts], cwd=ROOT, check=True)
    release = ROOT / "target" / "release"
    port = conftest.free_port()
    with conftest.ended([str(release / "indi-bench-driver"), "--listen", f"127.0.0.1:{port}"]) as driver:
        address = f"indi://127.0.0.1:{port}"
        wait_until_open(port, driver)
        ours: list[float] = []
        theirs: list[float] = []
        # In turns, since the machine's speed changes.
        for _ in range(9):
            rust = [str(release / "examples" / "time_exposures"), address, str(EXPOSURE), str(FRAMES)]
            theirs += [float(line) for line in said(rust).split()]
            ours += json.loads(said([sys.executable, __file__, "frames", address]))
        rust_time, python_time = statistics.median(theirs), statistics.median(ours)
        report("61-megapixel INDI frame, Rust", f"{rust_time * 1e3:.1f} ms, fastest {min(theirs) * 1e3:.1f}")
        ratio = python_time / rust_time
        report(
            "the same into NumPy",
            f"{python_time * 1e3:.1f} ms, fastest {min(ours) * 1e3:.1f}: {ratio:.2f} x Rust",
            "at most 1.05 x",
            ratio <= 1.05,
        )


def said(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def expose_frames(address: str) -> None:
    """The other process of `frames`."""
    took = []
    with astrobackend.open(address) as observatory, observatory.camera() as camera:
        for _ in range(FRAMES):
            begun = timeit.default_timer()
            data = camera.expose(EXPOSURE).data
            took.append(timeit.default_timer() - begun - EXPOSURE)
            assert data.dtype == numpy.uint16 and data.size > 61_000_000
    print(json.dumps(took))


def wait_until_open(port: int, driver: subprocess.Popen[str]) -> None:
    while driver.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            continue
        return
    raise SystemExit("the driver has ended")


def simulated_frame() -> None:
    """The frame whose time in the original is known, through both packages."""
    with tempfile.TemporaryDirectory() as folder, conftest.indiserver(Path(folder)) as address:
        backend = INDIBackend.DeviceBackend(address=address)
        camera = backend.newCamera()
        assert backend.connect() and camera.connect("CCD Simulator") and camera.start_exposure(0.1)
        while not camera.check_exposure():
            pass
        took = min(timeit.repeat(camera.get_image_data, number=1, repeat=20))
        report("INDI get_image_data, 1280 x 1024, as HDUs", f"{took * 1e3:.1f} ms", "the original: 64 ms", took < 0.064)
        backend.disconnect()


def rpc() -> None:
    """A getter over the RPC, where the original took 0.55 seconds."""
    from pyastrobackend import RPCBackend

    with conftest.served("sim://", "rpc") as address:
        backend = RPCBackend.DeviceBackend(address=address)
        focuser = backend.newFocuser()
        assert backend.connect() and focuser.connect("")
        took = min(timeit.repeat(focuser.get_absolute_position, number=500, repeat=5)) / 500
        report("RPC get_absolute_position", f"{took * 1e6:.0f} µs", "the original: 0.55 s", took < 0.55)
        backend.disconnect()


def imports() -> None:
    """What an import costs beyond starting the interpreter."""

    def run(program: str) -> float:
        return min(
            timeit.repeat(lambda: subprocess.run([sys.executable, "-c", program], check=True), number=1, repeat=IMPORTS)
        )

    bare = run("pass")
    for name in ("astrobackend", "pyastrobackend.INDIBackend, pyastrobackend.BackendConfig"):
        took = run(f"import {name}") - bare
        report(f"import {name}", f"{took * 1e3:.1f} ms", "under 50 ms", took < 0.05)


def main() -> None:
    print("| What | Measured | Goal | |\n|---|---|---|---|")
    for part in (getters, frames, simulated_frame, rpc, imports):
        part()


if __name__ == "__main__":
    if sys.argv[1:2] == ["frames"]:
        expose_frames(sys.argv[2])
    else:
        main()
