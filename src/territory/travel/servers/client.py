"""JSON over HTTP from servers that are slow, overloaded, broken or somebody else's.

A question costs a bounded number of requests and a bounded time; what comes back is JSON of bounded size, or an error
that says what happened. Nothing here knows what the answers mean.
"""

from __future__ import annotations

import os
import random
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from territory.errors import MissingExtraError, TravelError
from territory.travel.servers.circuit import Circuit, CircuitOpenError
from territory.travel.servers.limits import HttpLimits
from territory.travel.servers.reading import Answer, AttemptError, Moved, origin, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from territory.travel.servers.address import Address

__all__ = ["JsonClient", "Question", "first_error"]

_T = TypeVar("_T")


class _NotAskedError(TravelError):
    """A question that was left out because another one failed."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request.

    Attributes
    ----------
    path : str
        Path and parameters, as they are appended to the address of the server.
    body : bytes, optional
        JSON that is posted; None: a GET.
    """

    path: str
    body: bytes | None = None


class JsonClient:
    """Asks one server, from any number of threads; survives pickling and forks.

    Parameters
    ----------
    name : str
        What the server is called in messages, e.g. ``"OSRM"``.
    address : Address
    limits : HttpLimits, optional
    transport : httpx2.BaseTransport, optional
        What sends the requests; default: plain connections to the server, without any proxy.
    clock : callable, optional
        Seconds that never jump back; for tests.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        limits: HttpLimits | None = None,
        transport: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.address, self.limits = name, address, HttpLimits() if limits is None else limits
        self.transport, self.clock = transport, clock
        self._live: _Live | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_live": None}  # connections and locks stay where they are

    def ask(self, question: Question, read: Callable[[Answer], _T]) -> _T:
        """Ask one question.

        Parameters
        ----------
        question : Question
        read : callable
            Makes something of the answer: of JSON with status 200, or of a JSON object with a refusal (400 to 499).

        Raises
        ------
        TravelError
            No answer, or none that can be used; `retryable` where it may be better later. What `read` raises.
        MissingExtraError
            The packages for HTTP are not installed.
        """
        return self._ask(question, read, threading.Event())

    def ask_all(self, questions: Sequence[Question], read: Callable[[int, Answer], _T]) -> list[_T | TravelError]:
        """Ask questions, some at once, and give what was made of their answers in the order of the questions.

        Once one fails, those that were not begun are not asked.

        Parameters
        ----------
        questions : sequence of Question
        read : callable
            As in `ask`, and told the position of the question; run in other threads.

        Returns
        -------
        list
            A TravelError for each question that failed or was not asked.
        """
        stop = threading.Event()

        def one(at: int) -> _T | TravelError:
            if stop.is_set():
                return _NotAskedError(f"{self._who}: not asked, as another question failed", retryable=True)
            try:
                return self._ask(questions[at], partial(read, at), stop)
            except TravelError as error:
                stop.set()
                return error
            except BaseException:
                stop.set()
                raise

        n_threads = min(self.limits.concurrency, len(questions))
        if n_threads <= 1:
            return [one(at) for at in range(len(questions))]
        with ThreadPoolExecutor(n_threads, thread_name_prefix="territory-http") as pool:
            try:
                return list(pool.map(one, range(len(questions))))
            finally:
                stop.set()  # whoever interrupts this one waits for no further request

    @property
    def _who(self) -> str:
        return f"{self.name} at {self.address.host}"

    def _ask(self, question: Question, read: Callable[[Answer], _T], stop: threading.Event) -> _T:
        live = self._lives()
        tries = _Tries(self.limits, self.clock, stop)
        try:
            for attempt in live.stamina.retry_context(on=tries.pause, attempts=self.limits.attempts, timeout=None):
                with attempt:
                    answer = self._attempt(live, question, tries)
            return read(answer)
        except AttemptError as fault:
            times = f" ({tries.requests} requests)" if tries.requests > 1 else ""
            raise TravelError(f"{self._who}: {fault}{times}", retryable=fault.retry != "never") from None
        except TravelError as error:
            raise TravelError(self.address.blotted(f"{self._who}: {error}"), error.retryable) from None

    def _attempt(self, live: _Live, question: Question, tries: _Tries) -> Answer:
        left = tries.left()
        if left <= 0 or not live.slots.acquire(timeout=left):
            raise AttemptError(f"no time left of {self.limits.total_s:g} s for another attempt", "often")
        try:
            tries.check()
            live.circuit.admit()
            try:
                answer = self._fetch(live, question, tries)
            except AttemptError as fault:
                # before anybody logs it
                fault.args = (self.address.blotted(str(fault)),)
                live.circuit.failed(str(fault))
                raise
            except BaseException:
                live.circuit.dropped()
                raise
            live.circuit.worked()
        finally:
            live.slots.release()
        return answer

    def _fetch(self, live: _Live, question: Question, tries: _Tries) -> Answer:
        """Send one request, and a second one where the server itself moved the answer."""
        url = self.url(question)
        found = self._send(live, question, url, tries)
        if isinstance(found, Moved):
            url = _followed(found, url, question)
            found = self._send(live, question, url, tries)
        if isinstance(found, Moved):
            raise AttemptError(f"status {found.status}, redirected again after one redirect")
        return found

    def _send(self, live: _Live, question: Question, url: str, tries: _Tries) -> Answer | Moved:
        http, limits = live.httpx2, self.limits
        left = max(tries.left(), 1e-3)
        tries.requests += 1
        connect_s = min(limits.connect_s, left)
        try:
            with live.client.stream(
                "GET" if question.body is None else "POST",
                url,
                content=question.body,
                headers={} if question.body is None else {"Content-Type": "application/json"},
                timeout=http.Timeout(min(limits.read_s, left), connect=connect_s, pool=left),
                extensions={live.deadline: time.monotonic() + left},
            ) as response:
                return read_answer(response, limits.max_reply_bytes, tries.left)
        except http.ConnectTimeout:
            raise AttemptError(f"timed out: no connection within {connect_s:.3g} s", "often") from None
        except http.TimeoutException:
            silent = limits.read_s < left and tries.left() > 0
            why = f"silent for {limits.read_s:g} s" if silent else f"no whole reply within {limits.total_s:g} s"
            raise AttemptError(f"timed out: {why}", "often") from None
        except (http.NetworkError, http.RemoteProtocolError) as error:
            raise AttemptError(f"the connection failed: {_words(error)}", "often") from None
        except http.DecodingError as error:
            raise AttemptError(f"a reply that cannot be unpacked: {_words(error)}", "seldom") from None
        except (http.HTTPError, http.InvalidURL) as error:
            raise AttemptError(f"the request failed: {_words(error)}") from None

    def url(self, question: Question) -> str:
        """Return the address that is asked for, with credentials."""
        keys = urlencode(self.address.keys)
        between = "&" if "?" in question.path else "?"
        return f"{self.address.url}{question.path}{between if keys else ''}{keys}"

    def _lives(self) -> _Live:
        live = self._live
        if live is None or live.pid != os.getpid():
            # a forked child shares no connection with its parent
            live = self._live = _Live(self)
            weakref.finalize(self, live.client.close)
        return live


def first_error(found: Sequence[object]) -> TravelError | None:
    """Return the first failure among what `JsonClient.ask_all` gave; None if there is none."""
    errors = [each for each in found if isinstance(each, TravelError)]
    return next((each for each in errors if not isinstance(each, _NotAskedError)), errors[0] if errors else None)


class _Tries:
    """What one question has cost so far, and whether and when it may be asked again."""

    def __init__(self, limits: HttpLimits, clock: Callable[[], float], stop: threading.Event) -> None:
        self._limits, self._clock, self._stop = limits, clock, stop
        self._until = clock() + limits.total_s
        self._failed = 0
        self.requests = 0

    def left(self) -> float:
        """Return the seconds that are left for this question."""
        return self._until - self._clock()

    def check(self) -> None:
        """Refuse an attempt for which nobody waits any more."""
        if self._stop.is_set():
            raise AttemptError("given up, as another question failed", "often")

    def pause(self, error: Exception) -> bool | float:
        """Return how long to wait before another attempt, seconds; False where there is none."""
        self._failed += 1
        limits = self._limits
        if not isinstance(error, AttemptError) or isinstance(error, CircuitOpenError) or self._stop.is_set():
            return False
        most = {"often": limits.attempts, "seldom": min(limits.attempts, limits.attempts_500), "never": 1}[error.retry]
        if self._failed >= most:
            return False
        wait = min(limits.most_wait_s, limits.first_wait_s * 2.0 ** (self._failed - 1))
        wait *= random.uniform(0.5, 1.0)  # noqa: S311 - spreads clients, hides nothing
        if error.retry_after_s is not None:
            if error.retry_after_s > limits.most_wait_s:
                return False
            wait = max(wait, error.retry_after_s)
        return wait if wait < self.left() else False


class _Live:
    """What cannot leave its process: connections and locks."""

    def __init__(self, owner: JsonClient) -> None:
        try:
            import httpx2  # noqa: PLC0415 - of an extra
            import stamina  # noqa: PLC0415 - of an extra

            from territory.travel.servers.transport import DEADLINE, DeadlineTransport  # noqa: PLC0415 - needs the extra
        except ImportError as error:
            raise MissingExtraError((error.name or "httpx2").partition(".")[0], "road") from error
        limits, address = owner.limits, owner.address
        self.pid = os.getpid()
        self.httpx2: Any = httpx2
        self.stamina: Any = stamina
        self.deadline = DEADLINE
        self.slots = threading.BoundedSemaphore(limits.concurrency)
        self.circuit = Circuit(limits.failures_to_open, limits.open_s, owner.clock)
        self.client = httpx2.Client(
            transport=owner.transport or DeadlineTransport(limits.concurrency, tls=address.url.startswith("https")),
            auth=address.user,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": "territory",
                **dict(address.headers),
            },
            follow_redirects=False,
            trust_env=False,
        )


def _followed(moved: Moved, url: str, question: Question) -> str:
    """Return where to ask instead: on the same host, and the same question."""
    target = moved.target(url)
    if origin(target) != origin(url):
        raise AttemptError(f"status {moved.status}, a redirect to another host, {origin(target)}, not followed")
    if question.body is not None and moved.status not in {307, 308}:
        raise AttemptError(f"status {moved.status}, a redirect that drops what was asked, not followed")
    return target


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
