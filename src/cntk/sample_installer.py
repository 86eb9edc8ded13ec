"""Installer of the original's samples. Their former address is gone, and an error says where they
are.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from cntk._arguments import as_flag, as_path, shown
from cntk._graph.names.late_names import hand_on
from cntk.errors import ArgumentError

_PATIENCE = 60  # seconds without a byte
_ARCHIVE = "https://github.com/microsoft/CNTK/archive/refs/tags/v2.7.zip"
_SCHEMES = ("https", "http", "file")


class SamplesGoneError(URLError):
    """Raised where the original's samples are asked for at their former address."""

    def __str__(self) -> str:
        return str(self.reason)


def default_sample_dir() -> str:
    """Return the folder that samples are unpacked in unless another is given.

    Example:
        >>> default_sample_dir()
        'CNTK-Samples-2-7'
    """
    return "CNTK-Samples-2-7"


def default_sample_url() -> str:
    """Return the original's address of samples; nothing is there any more.

    Example:
        >>> default_sample_url()
        'https://cntk.ai/Samples/CNTK-Samples-2-7.zip'
    """
    return f"https://cntk.ai/Samples/{default_sample_dir()}.zip"


def install_samples(
    url: str | None = None, directory: str | os.PathLike[str] | None = None, quiet: bool = False
) -> None:
    """Unpack an archive of samples into a folder.

    The original's own address is gone. Its samples are in the folders Examples and Tutorials of its
    repository, whose archive may be given as the address. Packages that samples need are not
    installed.

    Args:
        url: address of a zip file: ``https://``, ``http://`` or ``file://``. It must be given.
        directory: a folder that is empty or not there yet; unless given, `default_sample_dir`.
        quiet: whether nothing is printed.

    Raises:
        SamplesGoneError: if no address is given, or the original's; it is an `OSError`.
        ValueError: for a folder that has something in it, or an address of another kind.
        TypeError: for an address that is no string.
        URLError: if nothing is to be had at the address.
        BadZipFile: if it is no zip file. The folder is left as it was in all of these cases.

    Example:
        >>> install_samples()
        Traceback (most recent call last):
            ...
        cntk.sample_installer.SamplesGoneError: install_samples:
        https://cntk.ai/Samples/CNTK-Samples-2-7.zip is gone. ...
    """
    address = default_sample_url() if url is None else url
    if not isinstance(address, str):
        raise ArgumentError(
            f"install_samples: expected the address of a zip file as url, got {shown(address)}"
        )
    folder = Path(
        default_sample_dir()
        if directory is None
        else as_path(directory, "install_samples: directory", "a folder")
    )
    quiet = as_flag(quiet, "install_samples: quiet")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ValueError(f"install_samples: directory {folder} must be empty or not exist yet")
    if address == default_sample_url():
        raise SamplesGoneError(
            f"install_samples: {address} is gone. The samples are in the folders Examples and "
            f"Tutorials of https://github.com/microsoft/CNTK at release v2.7: "
            f"install_samples(url='{_ARCHIVE}') unpacks all of it"
        )
    if urlsplit(address).scheme not in _SCHEMES:
        raise ValueError(
            f"install_samples: unknown kind of address: {address!r}; it must begin with https://, "
            f"http:// or file://"
        )
    _say(quiet, f"INFO: retrieving {address}")
    with tempfile.TemporaryFile() as archive:
        with urlopen(address, timeout=_PATIENCE) as source:  # noqa: S310
            shutil.copyfileobj(source, archive)
        if not zipfile.is_zipfile(archive):
            raise zipfile.BadZipFile(f"install_samples: what {address} gives is no zip file")
        _say(quiet, f"INFO: unzipping to directory {folder}")
        _unpack(archive, folder)
    needed = folder / "requirements.txt"
    if needed.exists():
        _say(quiet, f"INFO: samples need what is listed in {needed}: pip install -r {needed}")


def _unpack(archive: IO[bytes], folder: Path) -> None:
    """Unpack an archive into a folder, completely or not at all."""
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=folder.absolute().parent) as beside,
        zipfile.ZipFile(archive) as opened,
    ):
        unpacked = Path(beside) / "unpacked"
        opened.extractall(unpacked)
        if folder.exists():
            folder.rmdir()
        unpacked.rename(folder)


def _say(quiet: bool, text: str) -> None:
    if not quiet:
        print(text)


hand_on(globals())
