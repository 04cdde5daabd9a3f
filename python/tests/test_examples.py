"""The examples run, on the simulator, as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
ARGUMENTS = {"expose": ["sim://?speed=100"]}
FILES = {"expose": {"m42.fits", "m42.png"}, "old_program": {"old.fits"}}


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.py")))
def test_example(name: str, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *ARGUMENTS.get(name, [])]
    variables = {**os.environ, "PYASTROBACKEND": "SIM"}
    done = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in tmp_path.iterdir()} == FILES.get(name, set())
    if name == "autofocus":
        best = int(done.stdout.split("best focus ")[1].split(",")[0])
        assert abs(best - 25_000) < 50, done.stdout
