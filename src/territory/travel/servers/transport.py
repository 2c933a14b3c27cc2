"""The transport of requests, with a deadline that a server cannot stretch by sending a byte now and then.

The timeouts of HTTP libraries hold for one read from the socket. A server that sends its headers letter by letter,
each in time, keeps its client for hours. So the deadline of the whole request is kept here, below the HTTP protocol:
no read, write or handshake gets more time than is left.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

import httpcore2
import httpx2

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

__all__ = ["DEADLINE", "DeadlineTransport"]

#: The extension of a request that holds its deadline, in seconds of `time.monotonic`.
DEADLINE: Final = "territory.deadline"

#: Errors of the layer below, and what httpx2 calls them; the most specific first.
_NAMES: Final = (
    (httpcore2.ConnectTimeout, httpx2.ConnectTimeout),
    (httpcore2.ReadTimeout, httpx2.ReadTimeout),
    (httpcore2.WriteTimeout, httpx2.WriteTimeout),
    (httpcore2.PoolTimeout, httpx2.PoolTimeout),
    (httpcore2.ConnectError, httpx2.ConnectError),
    (httpcore2.ReadError, httpx2.ReadError),
    (httpcore2.WriteError, httpx2.WriteError),
    (httpcore2.LocalProtocolError, httpx2.LocalProtocolError),
    (httpcore2.RemoteProtocolError, httpx2.RemoteProtocolError),
    (httpcore2.UnsupportedProtocol, httpx2.UnsupportedProtocol),
)
_BELOW: Final = tuple(below for below, _ in _NAMES)


class DeadlineTransport(httpx2.BaseTransport):
    """HTTP/1.1 over a pool of connections; requests end by the deadline in their extensions.

    Parameters
    ----------
    connections : int
        Connections at once.
    tls : bool
        Whether the server is asked by ``https``: reading the certificates of this system takes a while.
    """

    def __init__(self, connections: int, *, tls: bool) -> None:
        self._until = threading.local()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context() if tls else None,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=4.0,  # servers close theirs after 5 s by default
            network_backend=_Backend(self._until),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; the body of the response is read in the same thread."""
        self._until.at = request.extensions.get(DEADLINE)
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        below = httpcore2.Request(
            method=request.method,
            url=url,
            headers=request.headers.raw,
            content=request.read(),
            extensions={key: value for key, value in request.extensions.items() if key != DEADLINE},
        )
        try:
            response = self._pool.handle_request(below)
        except _BELOW as error:
            raise _renamed(error) from error
        return httpx2.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx2.SyncByteStream):
    """The body of a response as it comes in."""

    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._response.iter_stream()
        except _BELOW as error:
            raise _renamed(error) from error

    def close(self) -> None:
        self._response.close()


class _Backend(httpcore2.NetworkBackend):
    """Opens connections that keep the deadline of the thread that uses them."""

    def __init__(self, until: threading.local) -> None:
        self._until = until
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(self._until, timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options), self._until)


class _Stream(httpcore2.NetworkStream):
    """One connection."""

    def __init__(self, inner: httpcore2.NetworkStream, until: threading.local) -> None:
        self._inner, self._until = inner, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._until, timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._until, timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(self._until, timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(until: threading.local, timeout: float | None, error: type[Exception]) -> float | None:
    """Return the timeout, or what is left until the deadline if that is less."""
    at = getattr(until, "at", None)
    if at is None:
        return timeout
    left: float = at - time.monotonic()
    if left <= 0:
        raise error("the deadline has passed")
    return left if timeout is None else min(timeout, left)


def _renamed(error: Exception) -> httpx2.TransportError:
    name = next(name for below, name in _NAMES if isinstance(error, below))
    return name(str(error))
