"""How an answer goes out: its head in one message with what comes first of its body.

gunicorn sends the head by itself. Each message is a moment in which the interpreter goes to another thread, and wakes
the receiver once more.
"""

import ssl
from typing import Any, Protocol, cast


class Sending(Protocol):
    """What is asked of a socket here."""

    def sendall(self, data: bytes) -> None:
        """Send all of it; raises OSError."""

    def sendmsg(self, buffers: list[bytes]) -> int:
        """Send what may be sent now; how many bytes it was; raises OSError."""

    def sendfile(self, file: Any, offset: int, count: int | None) -> int:
        """Send so many bytes of a file; how many it was; raises OSError."""


class Together:
    """A socket that keeps the first that is to be sent, the head of an answer, and sends it with the second.

    All else is the socket's own.
    """

    def __init__(self, socket: Sending | ssl.SSLSocket) -> None:
        """Take the connected socket of one request."""
        self._socket, self._head, self._begun = socket, b"", False

    def __getattr__(self, name: str) -> Any:
        """What the socket has."""
        return getattr(self._socket, name)

    def sendall(self, data: bytes) -> None:
        """Send this and what was kept; raises OSError."""
        if not self._begun:
            self._head, self._begun = data, True
            return
        head, self._head = self._head, b""
        if not head:
            self._socket.sendall(data)
        elif isinstance(self._socket, ssl.SSLSocket):  # it has no sendmsg
            self._socket.sendall(head)
            self._socket.sendall(data)
        else:
            sent = self._socket.sendmsg([head, data])
            if sent < len(head):
                self._socket.sendall(head[sent:])
            if sent < len(head) + len(data):
                self._socket.sendall(cast("bytes", memoryview(data)[max(0, sent - len(head)) :]))

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a file, after what was kept; how many bytes of it were sent; raises OSError."""
        self.end()
        sent: int = self._socket.sendfile(file, offset, count)
        return sent

    def end(self) -> None:
        """Send what is still kept, the head of an answer without a body; raises OSError."""
        head, self._head = self._head, b""
        if head:
            self._socket.sendall(head)
