"""An answer that says that its connection closes: it is closed, and the client is told (RFC 9112 9.6).

The header is the server's (PEP 3333), so gunicorn drops it from an answer and says of its own what it will do. It gives
each request to a hook first, in the thread that answers it; so the request is told.
"""

from collections.abc import Callable, Iterable
from threading import local
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_CLOSE: Final = ("connection", "close")
_here: Final = local()


def begun(_worker: object, request: Any) -> None:
    """Keep gunicorn's request while it is answered; its hook ``pre_request``."""
    _here.request = request


class Connections:
    """An application some of whose answers close their connection."""

    def __init__(self, app: "WSGIApplication") -> None:
        """Take the application."""
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""

        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            if any((name.lower(), said.lower()) == _CLOSE for name, said in headers):
                _here.request.force_close()
            return start(status, headers, *error)

        return self._app(environ, begin)
