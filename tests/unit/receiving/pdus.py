"""PDUs written by hand (PS3.8 9.3), for what no library would send."""

from __future__ import annotations

import socket
import struct

EXPLICIT, VERIFICATION = "1.2.840.10008.1.2.1", "1.2.840.10008.1.1"
P_DATA, ABORT, REJECT, ACCEPT = 4, 7, 3, 2
STORE, ECHO = 0x0001, 0x0030


def announced(kind: int, length: int) -> bytes:
    """The head of a PDU."""
    return struct.pack(">BBI", kind, 0, length)


def request(*contexts: tuple[int, str], syntax: str = EXPLICIT) -> bytes:
    """An A-ASSOCIATE-RQ of presentation contexts, numbers and abstract syntaxes (PS3.8 9.3.2)."""
    listed = b"".join(
        _item(0x20, bytes((number, 0, 0, 0)) + _item(0x30, abstract.encode()) + _item(0x40, syntax.encode()))
        for number, abstract in contexts
    )
    user = _item(0x50, _item(0x51, struct.pack(">I", 16_384)) + _item(0x52, b"1.2.3"))
    titles = b"LESIONBRIDGE".ljust(16) + b"NORTHAI".ljust(16) + bytes(32)
    body = struct.pack(">HH", 1, 0) + titles + _item(0x10, b"1.2.840.10008.3.1.1.1") + listed + user
    return announced(1, len(body)) + body


def data(content: bytes, *, command: bool = False, last: bool = True, context: int = 1) -> bytes:
    """A P-DATA-TF of one fragment (PS3.8 9.3.5, E.2)."""
    value = struct.pack(">IBB", len(content) + 2, context, command | last << 1) + content
    return announced(P_DATA, len(value)) + value


def command(field: int, sop_class: str, instance: str = "", *, without: int | None = None, context: int = 1) -> bytes:
    """A command set (PS3.7 6.3): a C-STORE-RQ with a data set to come, a C-ECHO-RQ without; one element left out."""
    elements = {
        0x0002: _uid(sop_class),
        0x0100: struct.pack("<H", field),
        0x0110: struct.pack("<H", 1),
    }
    if field == STORE:
        elements[0x0700] = struct.pack("<H", 0)
    elements[0x0800] = struct.pack("<H", 0 if field == STORE else 0x0101)
    if instance:
        elements[0x1000] = _uid(instance)
    elements.pop(without or 0, None)
    return _commands(elements, context)


def echoed() -> bytes:
    """A C-ECHO-RSP of success (PS3.7 9.3.5.2), with no request before it."""
    numbers = {0x0100: 0x8030, 0x0120: 1, 0x0800: 0x0101, 0x0900: 0}
    told = {number: struct.pack("<H", value) for number, value in numbers.items()}
    return _commands({0x0002: _uid(VERIFICATION), **told}, 1)


def received(connected: socket.socket) -> tuple[int, bytes] | None:
    """Kind and content of the next PDU; None where the connection ended."""
    head = _exactly(connected, 6)
    if len(head) < 6:
        return None
    return head[0], _exactly(connected, struct.unpack(">I", head[2:])[0])


def status(answer: tuple[int, bytes] | None) -> int:
    """The status (0000,0900) of a response."""
    assert answer is not None
    assert answer[0] == P_DATA, answer
    at = answer[1].index(b"\0\0\0\x09\2\0\0\0") + 8
    return int(struct.unpack_from("<H", answer[1], at)[0])


def element(answer: tuple[int, bytes], number: int) -> bytes | None:
    """The value of an element of a response, without its padding; None where it has none (PS3.7 6.3.1)."""
    content, at = answer[1], 6
    while at < len(content):
        _, found, length = struct.unpack_from("<HHI", content, at)
        if found == number:
            return content[at + 8 : at + 8 + length].rstrip(b"\0 ")
        at += 8 + length
    return None


def _commands(elements: dict[int, bytes], context: int) -> bytes:
    body = b"".join(_element(number, value) for number, value in elements.items())
    return data(_element(0, struct.pack("<I", len(body))) + body, command=True, context=context)


def _exactly(connected: socket.socket, count: int) -> bytes:
    come = b""
    while len(come) < count:
        try:
            more = connected.recv(count - len(come))
        except ConnectionError:
            return come
        if not more:
            return come
        come += more
    return come


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(content)) + content


def _element(element: int, value: bytes) -> bytes:
    return struct.pack("<HHI", 0, element, len(value)) + value


def _uid(uid: str) -> bytes:
    return uid.encode() + b"\0" * (len(uid) % 2)
