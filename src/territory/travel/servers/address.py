"""Where a server is, with its credentials apart from everything that is ever shown."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from territory.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Address", "address_of"]

#: Shorter secrets are not blotted out of messages: they would blot out half of the text as well.
_SHORTEST_SECRET: Final = 4


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a server.

    Attributes
    ----------
    url : str
        Scheme, host, port and path without a slash at its end; never a credential.
    user : tuple of (name, password), optional
    keys : tuple of (name, value)
        Parameters that go with every request, e.g. an API key.
    headers : tuple of (name, value)
        Headers that go with every request.
    """

    url: str
    user: tuple[str, str] | None = field(default=None, repr=False)
    keys: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def host(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def blotted(self, text: str) -> str:
        """Return a text without any secret that a server may have sent back."""
        secrets = [value for _, value in (*self.keys, *self.headers)]
        # what follows "Bearer" is the secret as well
        secrets += [value.partition(" ")[2] for _, value in self.headers]
        if self.user is not None:
            both = ":".join(self.user)
            secrets += [self.user[1], quote(self.user[1]), b64encode(both.encode()).decode()]
        secrets += [quote(value, safe="") for _, value in self.keys]
        for secret in sorted((s for s in secrets if len(s) >= _SHORTEST_SECRET), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


def address_of(url: str, headers: Mapping[str, str] | None = None) -> Address:
    """Take an address apart.

    Parameters
    ----------
    url : str
        ``http`` or ``https``. A name and password before the host, and parameters after ``?``, are sent with every
        request, and never shown.
    headers : mapping of str to str, optional
        Sent with every request, and never shown.

    Raises
    ------
    InputError
        What is no such address, and headers that are no text. The message quotes nothing of them.
    """
    problems: list[Problem] = []
    address = None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except (AttributeError, TypeError, ValueError):
        problems.append(Problem("bad-url", "expected the address of a server as text", "url"))
    else:
        if parts.scheme not in {"http", "https"} or not host or not _is_clean(url):
            hint = "Maybe http://localhost:5000?"
            message = "expected an address that begins with http:// or https://"
            problems.append(Problem("bad-url", message, "url", hint=hint))
        else:
            shown = f"[{host}]" if ":" in host else host
            netloc = shown if port is None else f"{shown}:{port}"
            user = None
            if parts.username is not None:
                user = (unquote(parts.username), unquote(parts.password or ""))
            keys = tuple(parse_qsl(parts.query, keep_blank_values=True))
            address = Address(f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}", user, keys)
    pairs = tuple((headers or {}).items())
    if not all(isinstance(text, str) and _is_clean(text) for pair in pairs for text in pair):
        problems.append(Problem("bad-header", "expected names and values that are one line of text", "headers"))
    if address is None or problems:
        raise InputError(problems, "address of a server")
    return Address(address.url, address.user, address.keys, pairs)


def _is_clean(text: str) -> bool:
    return text.isprintable() and text.isascii()
