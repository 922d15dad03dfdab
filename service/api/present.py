"""The present request and what it carries, themselves: Flask's proxies look for them anew with every member asked.

Worth it where several members are asked of a request, or it is handed on.
"""

from typing import Any, cast

from flask import Request, g, request


def present() -> Request:
    """The request of this thread; raises RuntimeError where there is none."""
    return cast("Request", request._get_current_object())  # type: ignore[attr-defined]  # the proxy passes for a Request


def carried() -> Any:
    """What is kept with this thread's request (``flask.g``); raises RuntimeError where there is none."""
    return g._get_current_object()
