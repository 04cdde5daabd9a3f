"""The wheel has the whole command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import astrobackend
import pytest

MODULE = [sys.executable, "-m", "astrobackend"]
SCRIPT = [str(Path(sys.executable).with_name("astrobackend"))]


@pytest.mark.parametrize("command", [MODULE, SCRIPT], ids=["module", "script"])
def test_the_command_exposes_to_a_file(command: list[str], tmp_path: Path) -> None:
    arguments = ["-b", "sim://?speed=100", "--json", "expose", "--seconds", "1", "--output", "a.fits"]
    done = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert astrobackend.Image.read(tmp_path / "a.fits").shape == (3008, 3008)


def test_its_exit_codes_are_the_commands() -> None:
    def code(*arguments: str) -> int:
        return subprocess.run([*MODULE, *arguments], capture_output=True, timeout=60, check=False).returncode

    assert code("-b", "sim://", "devices") == 0
    assert code("--no-such-option") == 2
    assert code("-b", "sim://", "--device", "No Such Device", "focus", "100") == 3
    assert code("-b", "indi://127.0.0.1:1?timeout=1", "devices") == 5


@pytest.mark.skipif(os.name != "posix", reason="signals are for POSIX")
def test_ctrl_c_ends_it_and_leaves_no_file(tmp_path: Path) -> None:
    arguments = ["-v", "-b", "sim://", "expose", "--seconds", "60", "--output", "a.fits"]
    child = subprocess.Popen([*MODULE, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    try:
        # It says which camera it uses before it exposes.
        said = child.stderr.readline()
        started = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == 130, said
        assert time.monotonic() - started < 2
    finally:
        child.kill()
        child.stderr.close()
    assert list(tmp_path.iterdir()) == []


def test_it_answers_json() -> None:
    done = subprocess.run([*MODULE, "-b", "sim://", "--json", "devices"], capture_output=True, timeout=60, check=True)
    devices = json.loads(done.stdout)["devices"]
    assert len(devices) == 4
