"""After any minibatch another process goes on with the very same ones, whatever reads them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cntk.io._text import deserializer

pytest.importorskip("PIL.Image")
pytest.importorskip("pyarrow")
from tests.io.resuming import READERS, rest, write  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """For each reader its minibatches, and what another process read from each state between them
    on.
    """
    folder = tmp_path_factory.mktemp("resume")
    write(folder)
    before = os.getcwd()
    os.chdir(folder)
    large = deserializer._LARGE
    try:
        read, states = {}, {}
        for name, (make, size, worker) in READERS.items():
            read[name], states[name] = stepwise(make(), size, worker)
    finally:
        os.chdir(before)
        deserializer._LARGE = large
    environment = dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'src'}")
    command = [sys.executable, "-m", "tests.io.resuming"]
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=json.dumps(states),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return read, json.loads(ended.stdout)


class Stepwise:
    """A reader that notes its state after each minibatch."""

    def __init__(self, reader):
        self.reader = reader
        self.states = [reader.get_checkpoint_state()]

    def next_minibatch(self, size, **partition):
        minibatch = self.reader.next_minibatch(size, **partition)
        if minibatch:
            self.states.append(self.reader.get_checkpoint_state())
        return minibatch


def stepwise(reader, size, worker):
    noted = Stepwise(reader)
    return rest(noted, size, worker), noted.states


@pytest.mark.parametrize("name", list(READERS))
def test_goes_on(resumed, name):
    read, found = (part[name] for part in resumed)
    assert len(read) > 4
    assert len(found) == len(read) + 1
    for at, after in enumerate(found):
        assert after == read[at:], f"after minibatch {at}"
