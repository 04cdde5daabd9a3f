"""The command built for Windows, under Wine, on the COM test drivers, as others see it: astropy, alpyca, and our own
clients of this system.

    python testing/windows/end_to_end.py FOLDER         FOLDER is that of testing/windows/setup

Needs the programs that `./check windows` builds: astrobackend.exe there, and the conformance suite here.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from astropy.io import fits

HERE = Path(__file__).resolve().parent
DRIVERS = ["Test.Camera", "Test.Focuser", "Test.FilterWheel", "Test.Telescope"]
LONGEST = 600


def settings_of_wine(folder):
    """The environment for Windows programs: what the file `env` says, beside our own."""
    said = subprocess.run(
        ["bash", "-c", '. "$0" && env -0', str(folder / "env")], check=True, capture_output=True, timeout=LONGEST
    ).stdout
    return dict(entry.split("=", 1) for entry in said.decode().split("\0") if entry)


class Windows:
    """Runs astrobackend.exe."""

    def __init__(self, folder):
        self.environment = settings_of_wine(folder)
        built = Path(self.environment["CARGO_TARGET_DIR"]) / self.environment["CARGO_BUILD_TARGET"]
        self.command = ["wine", str(built / "debug" / "astrobackend.exe"), "--backend", "ascom://"]

    def run(self, *arguments, where="."):
        done = subprocess.run(
            [*self.command, *arguments], env=self.environment, cwd=where, capture_output=True, timeout=LONGEST
        )
        assert done.returncode == 0, f"{arguments}: {done.returncode} {done.stdout.decode()}{done.stderr.decode()}"
        return done.stdout.decode()

    def serve(self, kind, *arguments, where="."):
        command = [*self.command, *devices(), "--json", "serve", kind, "--listen", "127.0.0.1:0", *arguments]
        process = subprocess.Popen(command, env=self.environment, cwd=where, stdout=subprocess.PIPE)
        told = json.loads(process.stdout.readline())
        return process, told["listening"]


def devices():
    return [word for driver in DRIVERS for word in ("--device", driver)]


def looks_at_the_drivers(windows):
    listed = [device["name"] for device in json.loads(windows.run("devices", "--json"))["devices"]]
    assert set(DRIVERS) <= set(listed), listed
    print("devices:", ", ".join(listed))


def exposes(windows, folder):
    options = "expose --seconds 0.5 --filter R --focus 31000 --cool -5 --gain 20 --output night.fits --preview"
    windows.run(*devices(), *options.split(), where=folder)
    with fits.open(folder / "night.fits") as opened:
        opened.verify("exception")
        header, pixels = opened[0].header, opened[0].data
    assert pixels.shape == (480, 640) and pixels.dtype == np.uint16, (pixels.shape, pixels.dtype)
    # The driver's slope: 200 a second at the first corner, twice and three times that on the way along the axes.
    first, right, down = (np.median(part) for part in (pixels[:8, :8], pixels[:8, -8:], pixels[-8:, :8]))
    assert abs(right - first - 100) < 10 and abs(down - first - 200) < 10, (first, right, down)
    for keyword, value in {"INSTRUME": "Test.Camera", "FILTER": "R", "EXPTIME": 0.5, "GAIN": 20, "FOCUSPOS": 31000}.items():
        assert header[keyword] == value, f"{keyword} is {header[keyword]!r}"
    assert (folder / "night.png").read_bytes().startswith(b"\x89PNG")
    print("expose:", repr(header), sep="\n")


def serves(windows, folder):
    alpaca, at_alpaca = windows.serve("alpaca", "--discovery-port", "off", "--state", "state.json", where=folder)
    rpc, at_rpc = windows.serve("rpc", "--no-connect", where=folder)
    try:
        subprocess.run([sys.executable, HERE.parent / "alpyca_tour.py", at_alpaca], check=True, timeout=LONGEST)
        targets = f"alpaca(ascom(wine))=alpaca://{at_alpaca} rpc(ascom(wine))=rpc://{at_rpc}"
        suite = "cargo test -q --workspace --locked --test conformance -- ascom(wine))::"
        environment = {**os.environ, "ASTROBACKEND_CONFORMANCE": targets, "ASTROBACKEND_REQUIRE_PEERS": "0"}
        subprocess.run(suite.split(), check=True, timeout=LONGEST, env=environment, cwd=HERE)
    finally:
        for process in (alpaca, rpc):
            process.kill()
            process.wait()


def main(folder):
    windows = Windows(folder.resolve())
    looks_at_the_drivers(windows)
    with tempfile.TemporaryDirectory() as temporary:
        exposes(windows, Path(temporary))
        serves(windows, Path(temporary))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
