"""`python -m cntk` as a person meets it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cntk as C
from cntk._cli.data import mnist_folder, scanned_digits
from cntk._cli.main import main
from tests.cli.mnist_files import idx, write_mnist

SOURCE = Path(C.__file__).resolve().parent.parent


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    env = dict(
        os.environ, PYTHONPATH=os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
    )
    return subprocess.run(
        [sys.executable, "-m", "cntk", *map(str, arguments)],
        env=env, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=250,
    )  # fmt: skip


def accuracy(output: str) -> float:
    found = re.search(r"([\d.]+)% of [\d,]+ digits never seen before", output)
    assert found, output
    return float(found[1]) / 100


def test_version() -> None:
    ended = command("--version")
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"cntk-torch {C.__version__} (PyTorch ")


@pytest.mark.slow
def test_demo_learns_and_writes_picture_and_model(tmp_path: Path) -> None:
    ended = command("demo", "--out", tmp_path / "new" / "folder")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert accuracy(ended.stdout) >= 0.97
    written = tmp_path / "new" / "folder"
    assert sorted(path.name for path in written.iterdir()) == ["digits.model", "digits.png"]
    picture = (written / "digits.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    assert (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")) == (
        1400,
        900,
    )

    digits = scanned_digits()
    model = C.Function.load(str(written / "digits.model"))
    right = (model.eval(digits.test_images).argmax(axis=1) == digits.test_labels).mean()
    assert right == pytest.approx(accuracy(ended.stdout), abs=1e-4)


def test_wrong_folder_ends_with_one_line_and_status_2(tmp_path: Path) -> None:
    ended = command("demo", "--data", tmp_path / "nowhere", "--out", tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"cntk demo: error: {tmp_path / 'nowhere'}: no such folder\n"


def test_truncated_file_ends_with_one_line_and_status_2(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    images = tmp_path / "t10k-images-idx3-ubyte.gz"
    images.write_bytes(images.read_bytes()[:-100])
    ended = command("demo", "--data", tmp_path, "--out", tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"cntk demo: error: {images}: truncated: the compressed data end early\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "not an idx file"),
        (b"\0\0\x08\x03" + b"\xff" * 1000, "are not read"),
        (idx(np.zeros((20, 11, 13), np.uint8))[:-1], "truncated"),
    ],
)
def test_file_of_another_kind(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    write_mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    assert main(["demo", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert re.fullmatch(r"cntk demo: error: .*train-images-idx3-ubyte: .*\n", told.err)
    assert message in told.err
    assert not (tmp_path / "out").exists()


def test_folder_to_write_to_is_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").touch()
    assert main(["demo", "--out", str(tmp_path / "out")]) == 2
    assert re.fullmatch(r"cntk demo: error: .*out: File exists\n", capfd.readouterr().err)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["train"],
        ["demo", "--epochs", "0"],
        ["demo", "--epochs", "1.5"],
        ["demo", "--seed", "-1"],
        ["demo", "mnist"],
    ],
)
def test_misuse_ends_with_status_2(capfd: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m cntk" in capfd.readouterr().err


def test_same_seed_same_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The folder has a name that a terminal's markup and a picture's formulas would trip over."""
    folder = tmp_path / "a[" / "b] $\\frac$"
    folder.mkdir(parents=True)
    write_mnist(folder, counts=(200, 50))
    scores = []
    for seed in ("3", "3", "4"):
        assert (
            main(
                [
                    "demo",
                    "--data",
                    str(folder),
                    "--out",
                    str(folder),
                    "--epochs",
                    "2",
                    "--seed",
                    seed,
                ]
            )
            == 0
        )
        assert f"picture: {folder / 'digits.png'}\n" in capfd.readouterr().out
        model = C.Function.load(str(folder / "digits.model"))
        scores.append(model.eval(mnist_folder(folder).test_images).tobytes())
    assert scores[0] == scores[1] != scores[2]


@pytest.mark.skipif(
    "CNTK_TEST_DATA" not in os.environ, reason="CNTK_TEST_DATA names no folder with mnist/ in it"
)
def test_demo_on_mnist_itself(tmp_path: Path) -> None:
    ended = command(
        "demo",
        "--data",
        Path(os.environ["CNTK_TEST_DATA"]) / "mnist",
        "--out",
        tmp_path,
        "--epochs",
        "1",
    )
    assert ended.returncode == 0, ended.stderr
    assert accuracy(ended.stdout) >= 0.97


def test_missing_extra_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["demo"]) == 2
    told = (
        "needs rich and matplotlib and sklearn; install them with: pip install 'cntk-torch[demo]'"
    )
    assert capfd.readouterr().err == f"cntk demo: error: {told}\n"


def test_interrupted(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def interrupted(options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("cntk._cli.main._demo", interrupted)
    assert main(["demo"]) == 130
    assert capfd.readouterr().err == "interrupted\n"


def test_convert_both_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, binary, again = tmp_path / "data.ctf", tmp_path / "data.bin", tmp_path / "again.ctf"
    text.write_text("0 |F 1 2 |L 1:1\n0 |F 3 4\n1 |F 5 6 |L 0:1\n")
    header = tmp_path / "header.txt"
    header.write_text("features F dense 2\n\nlabels L sparse 3\n")
    assert (
        main(["convert", "--input", str(text), "--output", str(binary), "--header", str(header)])
        == 0
    )
    assert capsys.readouterr().out.splitlines()[1] == f"{binary}: {binary.stat().st_size:,} bytes"
    assert main(["convert", "--input", str(binary), "--output", str(again)]) == 0
    assert again.read_text() == (
        "0\t|features 1.0 2.0 |labels 1:1.0\n0\t|features 3.0 4.0\n1\t|features 5.0 6.0 |labels "
        "0:1.0\n"
    )
    streams = [
        "--stream",
        "features features dense 2",
        "--stream",
        "labels labels sparse 3",
        "--precision",
        "double",
    ]
    assert (
        main(
            [
                "convert",
                "--input",
                str(again),
                "--output",
                str(binary),
                *streams,
                "--chunk_size",
                "10",
            ]
        )
        == 0
    )
    assert (
        C.io.MinibatchSource(C.io.CBFDeserializer(str(binary))).streams.features.dtype == np.float64
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_convert_what_windows_wrote(
    tmp_path: Path, encoding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text, binary, header = tmp_path / "data.ctf", tmp_path / "data.bin", tmp_path / "header.txt"
    text.write_bytes("|größe 1 |# für\r\n|größe 2\r\n".encode(encoding))
    header.write_bytes("größe größe dense 1\r\n".encode(encoding))
    arguments = ["convert", "--input", str(text), "--output", str(binary), "--header", str(header)]
    for _ in range(2):
        assert main(arguments) == 0
        assert C.io.MinibatchSource(C.io.CBFDeserializer(str(binary)))["größe"].sample_shape == (1,)
    header.write_bytes("größe größe dense 1\r\n".encode("utf-16"))
    assert main(arguments) == 2
    assert "the file is text in UTF-16" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("streams", "reason"),
    [
        ([], "give its streams, with --header or --stream"),
        (["--stream", "x x"], "expected 'name alias dense|sparse width' for a stream, got 'x x'"),
        (["--stream", "x x dense 1"], "line 2, stream 'x': expected a number"),
        (["--header", "nowhere.txt"], "nowhere.txt: No such file or directory"),
    ],
)
def test_convert_says_what_is_wrong(
    streams: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, binary = tmp_path / "data.ctf", tmp_path / "data.bin"
    text.write_text("|x 1\n|x a\n")
    assert main(["convert", "--input", str(text), "--output", str(binary), *streams]) == 2
    printed = capsys.readouterr()
    assert (
        printed.out == ""
        and printed.err.startswith("cntk convert: error: ")
        and reason in printed.err
    )
    assert not binary.exists()
