"""Downloads by urllib and requests from mirrors of dead addresses, with a check of the bytes."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any
from urllib.error import URLError
from urllib.request import Request
from urllib.response import addinfourl

from cntk._old_programs.addresses import Address, find
from cntk._old_programs.rows import Changed
from cntk._old_programs.tell import Teller


def opened(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return `OpenerDirector.open`, which all of urllib goes through, with mirrors."""

    @functools.wraps(function)
    def old(opener: Any, fullurl: Any, data: Any = None, *arguments: Any, **options: Any) -> Any:
        url = fullurl if isinstance(fullurl, str) else fullurl.full_url
        address = find(url) if data is None else None
        if address is None:
            return function(opener, fullurl, data, *arguments, **options)
        target: Any = _mirror(url, address, teller)
        if not isinstance(fullurl, str):
            target = Request(target, headers=fullurl.headers)
        with function(opener, target, None, *arguments, **options) as answer:
            content = answer.read()
            _check(address, content)
            return addinfourl(io.BytesIO(content), answer.headers, answer.url, answer.status)

    return old


def requested(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return `requests.Session.request` with mirrors."""

    @functools.wraps(function)
    def old(session: Any, method: Any, url: Any, *arguments: Any, **options: Any) -> Any:
        address = find(str(url)) if str(method).upper() == "GET" else None
        if address is None:
            return function(session, method, url, *arguments, **options)
        answer = function(
            session, method, _mirror(str(url), address, teller), *arguments, **options
        )
        if answer.ok:
            _check(address, answer.content)
        return answer

    return old


def _mirror(url: str, address: Address, teller: Teller) -> str:
    """Return where to ask instead, and say so.

    Raises:
        URLError: there is no mirror; the error says what to do.
    """
    if not address.new:
        raise URLError(f"{url} is dead: {address.advice}")
    teller.say(f"{url}: dead; read from its mirror, and checked: {address.new}")
    return address.new


def _check(address: Address, content: bytes) -> None:
    if not address.fits(content):
        raise URLError(
            f"{address.new} has other bytes than the file that it stands for ({address.digest}): "
            f"not used"
        )
