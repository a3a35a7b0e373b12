"""The soak (``python -m soak``) can be begun: a few seconds of it, in which nothing goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent


def test_a_short_soak_sees_nothing_wrong() -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    command = [sys.executable, "-m", "soak", "--minutes", "0.1", "--store", "sqlite"]
    ran = subprocess.run(
        [*command, "--visitors", "6"], env=environ, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "look: " in ran.stdout and "broken line" not in ran.stdout
