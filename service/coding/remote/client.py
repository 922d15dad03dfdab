"""One GET or POST to a FHIR server: with time-outs, TLS verification, a bound on the answer, a cache and a breaker.

Operations change nothing (affectsState is false), so a question may be asked again.
"""

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from service.coding.remote.cache import Cache
from service.coding.remote.circuit import Circuit

if TYPE_CHECKING:
    import requests

    from service.coding.remote.deadline import Hurried

_LONG: Final = 1_500  # characters of a query, beyond which the parameters go into a body
_CHUNK: Final = 65_536
_AGAIN: Final = frozenset({429, 502, 503, 504})
_FHIR: Final = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class RemotePolicy:
    """Where the server is and how long it is waited for; ``ca_file`` empty: the usual authorities."""

    url: str
    connect_s: float = 2.0
    read_s: float = 5.0
    total_s: float = 10.0
    attempts: int = 2
    pause_s: float = 0.2
    answer_bytes: int = 8 * 1024 * 1024
    cached: int = 10_000
    cached_s: float = 3_600.0
    failures: int = 3
    open_s: float = 30.0
    ca_file: str = ""

    def __post_init__(self) -> None:
        """Hold the URL and the numbers."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("the terminology server's URL is http(s)://host/path")
        numbers = (
            self.connect_s,
            self.read_s,
            self.total_s,
            self.attempts,
            self.answer_bytes,
            self.cached,
            self.failures,
        )
        if any(number <= 0 for number in numbers):
            raise ValueError("times and numbers of the terminology server are above 0")


class Away(Exception):
    """The server gave no answer that can be used; the text says why, without what was asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and resource of an answer."""

    status: int
    resource: Mapping[str, Any]


Parameter = tuple[str, str, str]
"""Name, FHIR type of the value, value as text."""


class Client:
    """Asks one server; safe to use from several threads."""

    def __init__(
        self,
        policy: RemotePolicy,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the policy; nothing is opened yet."""
        self.policy = policy
        self._clock = clock
        self._sleep = sleep
        self._circuit = Circuit(policy.failures, policy.open_s, clock)
        self._cache: Cache[Answer] = Cache(policy.cached, policy.cached_s, clock)
        self._local = threading.local()

    def ask(self, path: str, parameters: tuple[Parameter, ...], *, in_body: bool = False) -> Answer:
        """The answer to an operation, an OperationOutcome with 4xx included; raises Away.

        ``in_body``: words of a report are in no URL, since URLs are logged.
        """
        known = self._cache.get((path, parameters))
        if known is not None:
            return known
        if not self._circuit.allows():
            raise Away("it failed several times and is left alone for a while")
        try:
            made = self._repeated(path, parameters, in_body=in_body)
        except Away:
            self._circuit.failed()
            raise
        self._circuit.succeeded()
        self._cache.put((path, parameters), made)
        return made

    def _repeated(self, path: str, parameters: tuple[Parameter, ...], *, in_body: bool) -> Answer:
        end = self._clock() + self.policy.total_s
        for attempt in range(1, self.policy.attempts + 1):
            try:
                return self._once(path, parameters, end, in_body=in_body)
            except _Passing as passing:
                if attempt == self.policy.attempts or self._clock() + self.policy.pause_s >= end:
                    raise Away(str(passing)) from passing
                self._sleep(self.policy.pause_s * attempt)
        raise Away("it was not asked")

    def _once(self, path: str, parameters: tuple[Parameter, ...], end: float, *, in_body: bool) -> Answer:
        import requests

        query = urlencode([(name, value) for name, _, value in parameters])
        url = f"{self.policy.url.rstrip('/')}/{path}"
        body = None
        if in_body or len(query) > _LONG:
            listed = [{"name": name, f"value{kind}": _typed(kind, value)} for name, kind, value in parameters]
            body = json.dumps({"resourceType": "Parameters", "parameter": listed})
        else:
            url = f"{url}?{query}"
        hurried = self._hurried()
        try:
            with (
                hurried.within(max(end - self._clock(), 0.001)),
                hurried.session.request(
                    "GET" if body is None else "POST",
                    url,
                    data=body,
                    timeout=(self.policy.connect_s, self.policy.read_s),
                    verify=self.policy.ca_file or True,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                return self._read(response, end, hurried)
        except requests.exceptions.SSLError as error:
            raise Away(f"its certificate is not trusted (terminology_ca_file){_said_of(error)}") from error
        except (requests.ConnectionError, requests.Timeout) as error:
            if hurried.is_over:
                raise Away("its answer takes too long") from error
            raise _Passing(f"it does not answer ({type(error).__name__})") from error
        except requests.RequestException as error:
            if hurried.is_over:
                raise Away("its answer takes too long") from error
            raise Away(f"it can't be asked ({type(error).__name__})") from error

    def _read(self, response: "requests.Response", end: float, hurried: "Hurried") -> Answer:
        if response.status_code in _AGAIN:
            raise _Passing(f"it answers with status {response.status_code}")
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > self.policy.answer_bytes:
                raise Away("its answer is too large")
        if hurried.is_over or self._clock() > end:  # what was cut off may look whole
            raise Away("its answer takes too long")
        try:
            resource = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Away(f"it answers with status {response.status_code} and no JSON") from error
        told = isinstance(resource, dict) and isinstance(resource.get("resourceType"), str)
        refused = 400 <= response.status_code < 500 and response.status_code not in (401, 403)
        if not told or not (
            response.status_code == 200 or (refused and resource["resourceType"] == "OperationOutcome")
        ):
            raise Away(f"it answers with status {response.status_code} and nothing that can be used")
        return Answer(response.status_code, resource)

    def _hurried(self) -> "Hurried":
        """This thread's session."""
        from service.coding.remote.deadline import Hurried

        found: Hurried | None = getattr(self._local, "hurried", None)
        if found is None:
            found = self._local.hurried = Hurried()
            found.session.headers.update({"Accept": f"{_FHIR}; fhirVersion=4.0", "Content-Type": _FHIR})
        return found


@cache
def client_of(policy: RemotePolicy) -> Client:
    """The client of this process for a server: cache and circuit are shared by all that ask it."""
    return Client(policy)


class _Passing(Exception):
    """A failure that may be over at the next try."""


def _typed(kind: str, value: str) -> Any:
    return value == "true" if kind == "Boolean" else int(value) if kind == "Integer" else value


def _said_of(error: BaseException) -> str:
    """What OpenSSL says of a certificate, below what urllib3 and requests make of it; empty where it says nothing."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return f": {found.verify_message}"
        found = found.__cause__ or found.__context__
    return ""
