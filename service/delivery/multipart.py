"""multipart/related bodies, written and read (RFC 2387, PS3.18 8.6)."""

import re
from hashlib import sha256
from typing import Final

_BOUNDARY: Final = re.compile(r'boundary="?([^";]{1,70})"?', re.IGNORECASE)  # RFC 2046 5.1.1: at most 70 characters


def related(content: bytes, media_type: str) -> tuple[bytes, str]:
    """One part as a body, and its Content-Type. The boundary is derived: the same content makes the same request."""
    boundary = f"lesionbridge-{sha256(content).hexdigest()[:32]}"
    head = f"--{boundary}\r\nContent-Type: {media_type}\r\n\r\n".encode()
    body = head + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f'multipart/related; type="{media_type}"; boundary={boundary}'


def first_part(content_type: str, body: bytes) -> bytes | None:
    """The content of the first part; None where the body is none that was announced."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        return None
    delimiter = b"--" + found[1].encode()
    start = body.find(delimiter)
    end = body.find(b"\r\n" + delimiter, start + len(delimiter))
    if start < 0 or end < 0:
        return None
    head, blank, content = body[start + len(delimiter) : end].partition(b"\r\n\r\n")
    return content if blank and len(head) < 8_192 else None
