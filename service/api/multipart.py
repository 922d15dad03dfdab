"""Several outputs in one answer: multipart/related (RFC 2387), the first part its root."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

BOUNDARY: Final = "lesionbridge-ZQXZQXZQZQZXXQZXZQXZXQZXQZXXZQXZQXZQZXQZXQZQXZQX"
"""What stands between the parts, unless one holds it; that is seen twice as soon with letters that JSON seldom has."""
_BOUNDARY: Final = BOUNDARY.encode("ascii")


class Part(NamedTuple):
    """One part; ``name`` makes its Content-ID and its file name."""

    name: str
    media_type: str
    content: bytes


def related(parts: Sequence[Part]) -> tuple[str, bytes]:
    """Content-Type and body; the same parts give the same bytes, and no part holds the boundary (RFC 2046 5.1.1)."""
    boundary = BOUNDARY
    if any(_BOUNDARY in part.content for part in parts):
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
