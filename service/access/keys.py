"""API keys: ``lb_ID_SECRET``. The id finds the key; of the secret, 256 random bits, only the SHA-256 is kept.

A digest without a salt is enough for a secret of that size: there is nothing to guess.
"""

import hmac
import re
import secrets
from hashlib import sha256

KEY = re.compile(r"lb_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


def new_key() -> tuple[str, str, str]:
    """A new key as it is shown once, its id, and the digest that is kept."""
    identity, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"lb_{identity}_{secret}", identity, digest(secret)


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return sha256(secret.encode()).hexdigest()


def parts(text: str) -> tuple[str, str] | None:
    """Id and secret of what may be a key."""
    match = KEY.fullmatch(text)
    return (match[1], match[2]) if match is not None else None


def fits(secret: str, kept: str) -> bool:
    """Whether a secret is the one that was kept, in a time that tells nothing."""
    return hmac.compare_digest(digest(secret), kept)
