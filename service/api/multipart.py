"""Several outputs in one answer: multipart/related (RFC 2387), the first part its root."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

BOUNDARY: Final = "lesionbridge-4c1d7e0a9b3f52860d6e8f1a7c2b9054"
"""What stands between the parts, unless one of them holds it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part; ``name`` makes its Content-ID and its file name."""

    name: str
    media_type: str
    content: bytes


def related(parts: Sequence[Part]) -> tuple[str, bytes]:
    """Content-Type and body; the same parts give the same bytes, and no part holds the boundary (RFC 2046 5.1.1)."""
    boundary = BOUNDARY
    if any(BOUNDARY.encode() in part.content for part in parts):
        # 128 bits of the content's own digest: no content holds it by chance, and nobody can write it into one.
        boundary = f"lesionbridge-{sha256(b''.join(part.content for part in parts)).hexdigest()[:32]}"
    chunks: list[bytes] = []
    for part in parts:
        head = (
            f"--{boundary}\r\nContent-Type: {part.media_type}\r\nContent-ID: <{part.name}@lesionbridge>\r\n"
            f'Content-Disposition: attachment; filename="{part.name}"\r\nContent-Length: {len(part.content)}\r\n\r\n'
        )
        chunks += [head.encode("ascii"), part.content, b"\r\n"]
    chunks.append(f"--{boundary}--\r\n".encode("ascii"))
    root = parts[0]
    kind = root.media_type.partition(";")[0]
    head = f'multipart/related; type="{kind}"; start="<{root.name}@lesionbridge>"; boundary="{boundary}"'
    return head, b"".join(chunks)
