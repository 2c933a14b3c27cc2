"""What a reply over HTTP is taken for, before anybody reads what it says."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

__all__ = ["Answer", "AttemptError", "Moved", "origin", "read_answer"]

#: "Ask again later", in other words; every other refusal stays one.
_LATER: Final = frozenset({408, 425, 429, 502, 503, 504})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
#: What can be unpacked piece by piece, so that a small reply cannot become a large one unnoticed.
_ENCODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
#: Letters of a reply that are quoted in a message.
_QUOTED: Final = 120
_PORTS: Final = {"http": 80, "https": 443}


class AttemptError(Exception):
    """An attempt that failed.

    Parameters
    ----------
    text : str
        What happened, as a clause.
    retry : str
        ``"often"``: another attempt may help; ``"seldom"``: one may, rarely; ``"never"``.
    retry_after_s : float, optional
        How long the server wants to be left alone.
    """

    def __init__(self, text: str, retry: str = "never", retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry, self.retry_after_s = retry, retry_after_s


@dataclass(frozen=True, slots=True)
class Answer:
    """JSON that a server sent.

    Attributes
    ----------
    status : int
        200, or 400 to 499.
    data : object
        As `json.loads` gives it; an object where the status is a refusal.
    """

    status: int
    data: Any


@dataclass(frozen=True, slots=True)
class Moved:
    """A redirect, not followed yet."""

    status: int
    location: str

    def target(self, url: str) -> str:
        """Return the address that it names, seen from that of the request."""
        try:
            return urljoin(url, self.location)
        except ValueError:
            return self.location  # no address at all: its origin is not that of the request


def origin(url: str) -> str:
    """Return scheme, host and port of an address, and nothing of what else stands in it."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return "an address that is none"
    return f"{parts.scheme}://{parts.hostname or ''}:{port}"


def read_answer(response: httpx2.Response, most_bytes: int, left_s: Callable[[], float]) -> Answer | Moved:
    """Read a reply that is coming in.

    Parameters
    ----------
    response : httpx2.Response
        Its body not read yet.
    most_bytes : int
        Largest body, after decompression.
    left_s : callable
        Seconds left for it.

    Raises
    ------
    AttemptError
        Whatever is no answer.
    """
    status = response.status_code
    if status in _REDIRECTS:
        return Moved(status, response.headers.get("Location", ""))
    body = _body(response, most_bytes, left_s)
    if status == 200:
        return Answer(status, _json(response, body))
    label = f"status {status} {response.reason_phrase}".strip()
    if status in _LATER:
        wait_s = _retry_after_s(response)
        wish = "" if wait_s is None else f", to be asked again after {wait_s:g} s"
        raise AttemptError(label + wish, "often", wait_s)
    if status == 500:
        raise AttemptError(label + _excerpt(body), "seldom")
    if 400 <= status < 500 and status not in {401, 403}:
        try:
            data = _json(response, body)
        except AttemptError:
            data = None
        if isinstance(data, dict):
            return Answer(status, data)
    raise AttemptError(label + _excerpt(body))


def _body(response: httpx2.Response, most_bytes: int, left_s: Callable[[], float]) -> bytes:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise AttemptError(f"a reply packed as {encoding!r:.40}, which was not asked for")
    told = response.headers.get("Content-Length", "")
    if told.isascii() and told.isdigit() and int(told[:18]) > most_bytes:
        raise AttemptError(f"a reply of {int(told[:18]):,} bytes, more than the limit of {most_bytes:,}")
    pieces, size = [], 0
    for piece in response.iter_bytes():
        size += len(piece)
        if size > most_bytes:
            raise AttemptError(f"a reply of more than the limit of {most_bytes:,} bytes")
        if left_s() <= 0:
            raise AttemptError("a reply that does not end in time", "often")
        pieces.append(piece)
    return b"".join(pieces)


def _json(response: httpx2.Response, body: bytes) -> Any:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if "html" in kind or body.lstrip()[:1] == b"<":
        raise AttemptError(f"an HTML page instead of JSON, with status {response.status_code}{_excerpt(body)}")
    if not body.strip():
        raise AttemptError(f"an empty reply, with status {response.status_code}", "seldom")
    try:
        return json.loads(body, parse_constant=_no_number)
    except RecursionError:
        raise AttemptError("a reply nested too deeply to be one") from None
    except ValueError:
        raise AttemptError(f"a reply that is broken off or no JSON{_excerpt(body)}", "seldom") from None


def _no_number(text: str) -> NoReturn:
    raise AttemptError(f"{text} in a reply, which is no number")


def _excerpt(body: bytes) -> str:
    """Return the beginning of a reply as readable text on one line; of a page, its title."""
    text = body[: 64 << 10].decode("utf-8", errors="replace")
    title = re.search(r"<title[^>]*>([^<]*)", text, re.IGNORECASE)
    words = " ".join((title[1] if title else text).split())
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in words)
    return f": {shown[:_QUOTED]!r}" if shown else ""


def _retry_after_s(response: httpx2.Response) -> float | None:
    """Return the seconds that ``Retry-After`` asks for: a number, or a date, seen from the server's own clock."""
    told = response.headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit():
        return float(told[:12])
    at = _date(told)
    if at is None:
        return None
    now = _date(response.headers.get("Date", ""))
    return max(0.0, at - (time.time() if now is None else now))


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
