"""Some hundred damaged files of each kind are refused or read, by compiled code and without;
`mutations.py` reads any number.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("PIL.Image")
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_files(seed):
    environment = dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'src'}")
    command = [sys.executable, "-m", "tests.io.mutations", "480", str(seed)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
    assert ended.returncode == 0, ended.stderr[-3000:]
    counts = [line.split() for line in ended.stdout.splitlines()]
    assert [c[0] for c in counts] == ["text", "binary", "speech", "images"]
    assert all(int(read) > 0 and int(refused) > 20 for _, read, refused in counts)
