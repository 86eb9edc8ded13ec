"""Dead addresses are answered from mirrors whose bytes are checked, or with what to do. A server
here is the mirror.
"""

from __future__ import annotations

import hashlib
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.error import URLError

import pytest

from cntk._old_programs import addresses
from cntk._old_programs.addresses import ADDRESSES, Address, find
from cntk._old_programs.hook import Hook
from cntk._old_programs.table import DOWNLOADS
from cntk._old_programs.tell import Teller

DATA = b"the data"
OLD = "http://www.dead.example/data.gz"


class Mirror(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(DATA)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    server = HTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    ).start()
    url = f"http://127.0.0.1:{server.server_port}/data.gz"
    table = [
        Address(
            "dead.example/data.gz", url, len(DATA), "sha256:" + hashlib.sha256(DATA).hexdigest()
        ),
        Address("dead.example/other.gz", url, 0, "md5:" + hashlib.md5(b"other").hexdigest()),
        Address("dead.example/", advice="look in the attic"),
    ]
    monkeypatch.setattr(addresses, "ADDRESSES", table)
    with Hook(DOWNLOADS, Teller()):
        yield url
    server.shutdown()
    server.server_close()


def test_the_mirror_answers(
    mirror: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert urllib.request.urlopen(OLD).read() == DATA
    assert (
        urllib.request.urlopen(urllib.request.Request(OLD, headers={"User-Agent": "x"})).read()
        == DATA
    )
    path, headers = urllib.request.urlretrieve(OLD, tmp_path / "data.gz")
    assert Path(path).read_bytes() == DATA and headers is not None
    told = capsys.readouterr().err
    assert (
        told.count("\n") == 1
        and f"{OLD}: dead; read from its mirror, and checked: {mirror}\n" in told
    )
    assert "test_addresses.py:" in told


def test_other_addresses_are_left_alone(mirror: str) -> None:
    assert urllib.request.urlopen(mirror).read() == DATA


def test_other_bytes_are_not_used(mirror: str) -> None:
    with pytest.raises(URLError, match="has other bytes than the file that it stands for"):
        urllib.request.urlopen("http://dead.example/other.gz")


def test_without_a_mirror_it_is_said_what_to_do(mirror: str) -> None:
    with pytest.raises(URLError, match=r"http://dead.example/third.gz is dead: look in the attic"):
        urllib.request.urlopen("http://dead.example/third.gz")


def test_requests(mirror: str) -> None:
    requests = pytest.importorskip("requests")
    assert requests.get(OLD).content == DATA
    assert b"".join(requests.get(OLD, stream=True).iter_content(3)) == DATA
    with pytest.raises(URLError, match="look in the attic"):
        requests.get("http://dead.example/third.gz")


@pytest.mark.parametrize(
    ("url", "old"),
    [
        (
            "http://yann.lecun.com/exdb/mnist/train-labels-idx1-ubyte.gz",
            "yann.lecun.com/exdb/mnist/train-labels-idx1-ubyte.gz",
        ),
        ("https://www.cntk.ai/Models/AlexNet/AlexNet.model", "cntk.ai/Models/"),
        ("https://cntk.ai/jup/dat/x.csv", "cntk.ai/"),
        (
            "https://S3.amazonaws.com/text-datasets/imdb.npz?a=b",
            "s3.amazonaws.com/text-datasets/imdb.npz",
        ),
        ("https://www.google.com/finance/historical?q=x", "google.com/finance/"),
        ("https://s3.amazonaws.com/text-datasets/nietzsche.txt", None),
        ("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", None),
        ("file:///cntk.ai/a", None),
    ],
)
def test_addresses_are_found(url: str, old: str | None) -> None:
    row = find(url)
    assert (row and row.old) == old


def test_every_address_has_a_mirror_with_a_checksum_or_an_advice() -> None:
    for row in ADDRESSES:
        kind, _, digest = row.digest.partition(":")
        assert bool(row.new) == bool(digest) != bool(row.advice), row.old
        assert not row.new or len(digest) == {"sha256": 64, "md5": 32}[kind]
