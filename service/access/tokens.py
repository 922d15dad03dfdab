"""JWT bearer tokens of an OpenID Connect provider: signature, issuer, audience and times are held (RFC 7519, RFC 8725).

Only asymmetric algorithms are taken: a token can't be signed with what everybody may read. Keys come from the
provider's JWKS, kept for some minutes; a token that none of them signed fetches them anew, not more often than every
half minute. While the provider is away the last keys go on, and it is not asked with each request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from service.access.principal import Principal, is_name, scopes_of
from service.domain.errors import Problem, Unauthenticated, Unavailable

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_KEY_TYPES: Final = ("RSA", "EC", "OKP")
_KEPT_S: Final = 300.0
_AGAIN_S: Final = 30.0
_SOON_S: Final = 5.0
"""After so long a provider is asked again that gave no keys yet; until then callers are answered at once."""
_LEEWAY_S: Final = 30
_JWKS_BYTES: Final = 1024 * 1024
_TIMES_S: Final = (3.0, 5.0, 10.0)
"""To connect, without a byte, and in all: callers wait for it."""
_TOKEN_CHARACTERS: Final = 16_384

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Provider:
    """Who signs tokens for this deployment; ``jwks`` is an https address or a file."""

    issuer: str
    audience: str
    jwks: str
    sender_claim: str = "client_id"
    ca_file: str = ""


class Tokens:
    """Reads bearer tokens; used from several threads."""

    def __init__(
        self,
        provider: Provider,
        fetch: Callable[[Provider], bytes] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the provider; nothing is fetched before the first token comes."""
        self._provider, self._fetch, self._clock, self._now = provider, fetch or fetched, clock, now
        self._lock = threading.Lock()
        self._keys: Any = None
        self._at = self._next = float("-inf")
        self._why = ""

    def principal(self, token: str) -> Principal:
        """The caller that a token names; raises Unauthenticated, or Unavailable where the keys can't be had."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        if len(token) > _TOKEN_CHARACTERS:
            raise refused("the token is longer than a token is")
        try:
            read = self._read(token)
            registry = jwt.JWTClaimsRegistry(
                now=int(self._now()),
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": self._provider.issuer},
                aud={"essential": True, "value": self._provider.audience},
                exp={"essential": True},
            )
            registry.validate(read.claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise refused(f"the token is not valid ({type(error).__name__})") from None
        return self._of(read.claims)

    def _of(self, claims: dict[str, Any]) -> Principal:
        sender = claims.get(self._provider.sender_claim)
        if not is_name(sender):
            raise refused(f"the token names no sender (claim {self._provider.sender_claim})")
        who = str(claims.get("sub") or sender)
        if not is_name(who):
            raise refused("the token names nobody (claim sub)")
        said = claims.get("scope", claims.get("scp", ""))
        words = " ".join(map(str, said)) if isinstance(said, list) else str(said)
        return Principal(who, sender, scopes_of(words))

    def _read(self, token: str) -> Any:
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            return jwt.decode(token, self._key_set(_KEPT_S), algorithms=ALGORITHMS)
        except (JoseError, ValueError):  # a new key id, or a new key under no id or the old one
            return jwt.decode(token, self._key_set(_AGAIN_S), algorithms=ALGORITHMS)

    def _key_set(self, oldest_s: float) -> Any:
        with self._lock:
            now = self._clock()
            if (self._keys is None or now - self._at > oldest_s) and now >= self._next:
                try:
                    self._keys = _usable(self._fetch(self._provider))
                    self._at = self._clock()
                except (OSError, ValueError) as error:
                    self._why = type(error).__name__
                    self._next = self._clock() + (_SOON_S if self._keys is None else _AGAIN_S)
                    _log.warning("token keys not fetched", error=self._why, why=_said(error))
            if self._keys is None:
                why = f"the keys of the token provider can't be had ({self._why})"
                raise Unavailable(Problem("headers:Authorization", "jwks", why))
            return self._keys


def _said(error: Exception) -> str:
    """Why keys could not be had, in our words or the system's; nothing of what came."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "what came holds no key that can verify"


def _usable(document: bytes) -> Any:
    """The keys of a JWKS that can verify, without the others (RFC 7517 5); raises ValueError where there is none."""
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet, import_key

    said = orjson.loads(document)
    rows = said.get("keys") if isinstance(said, dict) else None
    found: list[Any] = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or row.get("kty") not in _KEY_TYPES:
            continue
        try:
            found.append(import_key(row))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    if not found:
        raise ValueError("no key that can verify")
    return KeySet(found)


def fetched(provider: Provider) -> bytes:
    """The JWKS document, bounded in size and time; raises OSError."""
    if "://" not in provider.jwks:
        return Path(provider.jwks).read_bytes()
    from service.delivery.destination import Failed
    from service.delivery.http import HttpPeer
    from service.delivery.policy import Timeouts
    from service.delivery.settings import Tls

    try:
        peer = HttpPeer(Timeouts(*_TIMES_S), Tls(ca_file=provider.ca_file), None)
        reply = peer.ask("GET", provider.jwks, {"Accept": "application/json"}, most=_JWKS_BYTES)
    except Failed as failed:
        raise OSError(str(failed)) from failed
    if reply.status != HTTPStatus.OK:
        raise OSError(f"status {reply.status}")
    return reply.content


def refused(why: str) -> Unauthenticated:
    """A 401 that says why, without anything of the token."""
    return Unauthenticated(Problem("headers:Authorization", "credentials", why))
