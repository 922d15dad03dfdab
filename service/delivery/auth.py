"""Who we are to an HTTP peer: bearer token, user and password, API key, SMART Backend Services."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import uuid4

import orjson

from service.delivery.secrets import SecretMissing
from service.delivery.settings import ApiKey, Auth, Basic, Bearer, Smart

_ASSERTION_S: Final = 300  # an assertion is good for at most five minutes (SMART App Launch 2.2)
_EARLY_S: Final = 30.0  # a token is renewed so long before it ends
_SHORTEST_S: Final = 5.0
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class NoToken(Exception):
    """The token server gave no token; the text says why, without any secret.

    ``retry_after_s`` is for how long it asks not to be asked again, where it does.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        """Keep what it asks for."""
        super().__init__(reason)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Posted:
    """What a token server answered; ``retry_after_s`` is its Retry-After (RFC 9110 10.2.3), where it has one."""

    status: int
    content: bytes
    retry_after_s: float | None = None


class Post(Protocol):
    """How a form is posted: URL and form in, the answer out; raises NoToken where there was none."""

    def __call__(self, url: str, form: Mapping[str, str]) -> Posted: ...


class Credentials(Protocol):
    """Headers that say who we are; raises SecretMissing or NoToken."""

    def headers(self) -> Mapping[str, str]:
        """The headers of a request."""
        ...

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget what the peer refused, these headers; whether another try with fresh ones makes sense."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Credentials that stand in files or the environment. They are read for each request, and the peer can't renew."""

    auth: Bearer | Basic | ApiKey | None

    def headers(self) -> Mapping[str, str]:
        """The headers of a request."""
        match self.auth:
            case Bearer(token):
                return {"Authorization": f"Bearer {_line(token.read())}"}
            case Basic(user, password):
                pair = f"{user}:{password.read()}".encode()
                return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
            case ApiKey(key, header):
                return {header: _line(key.read())}
            case None:
                return {}

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's signature
        """There is nothing to renew."""
        return False


class SmartCredentials:
    """An access token for a signed assertion, kept until shortly before it ends (SMART App Launch 2.2, RFC 7523)."""

    def __init__(
        self,
        smart: Smart,
        post: Post,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the settings; nothing is asked yet. ``clock`` never goes back, ``now`` is the time of day."""
        self._smart = smart
        self._post = post
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def headers(self) -> Mapping[str, str]:
        """The headers of a request, with a token that is still good."""
        with self._lock:
            if not self._token or self._clock() >= self._until:
                self._token, seconds = self._ask()
                self._until = self._clock() + max(seconds - _EARLY_S, _SHORTEST_S)
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the token that was refused; of several requests that it went out with the first has renewed it."""
        with self._lock:
            if refused.get("Authorization") == f"Bearer {self._token}":
                self._token = ""
        return True

    def _ask(self) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "scope": self._smart.scope,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self._assertion(),
        }
        posted = self._post(self._smart.token_url, form)
        status, told = posted.status, _object(posted.content)
        token, seconds = told.get("access_token"), told.get("expires_in", 300)
        if status != 200 or not isinstance(token, str) or not token.isascii() or not token.isprintable():
            error = told.get("error")  # a code of RFC 6749 5.2, no free text
            said = f": {error[:64]}" if isinstance(error, str) and error.isascii() and error.isprintable() else ""
            raise NoToken(f"the token server answers with status {status} and no token{said}", posted.retry_after_s)
        return token, float(seconds) if isinstance(seconds, int | float) and seconds > 0 else 300.0

    def _assertion(self) -> str:
        """The signed assertion; its ``jti`` is used once."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import ECKey, RSAKey

        smart, now = self._smart, int(self._now())
        header = {"typ": "JWT", "alg": smart.algorithm, **({"kid": smart.key_id} if smart.key_id else {})}
        claims = {
            "iss": smart.client_id,
            "sub": smart.client_id,
            "aud": smart.token_url,
            "iat": now,
            "exp": now + _ASSERTION_S,
            "jti": str(uuid4()),
        }
        kind = ECKey if smart.algorithm == "ES384" else RSAKey
        text = smart.key.read()
        try:
            key = kind.import_key(orjson.loads(text) if text.lstrip().startswith("{") else text)
            return jwt.encode(header, claims, key, algorithms=[smart.algorithm])
        except (JoseError, ValueError, TypeError) as error:
            raise NoToken(f"our key can't be used for {smart.algorithm} ({type(error).__name__})") from error


def credentials(auth: Auth | None, post: Post) -> Credentials:
    """The credentials of a setting."""
    return SmartCredentials(auth, post) if isinstance(auth, Smart) else Fixed(auth)


def _line(secret: str) -> str:
    """A secret that can stand in a header."""
    if not secret.isascii() or not secret.isprintable():
        raise SecretMissing("a secret holds characters that no header can carry")
    return secret


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        told = orjson.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
