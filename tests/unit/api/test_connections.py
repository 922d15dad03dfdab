"""An answer closes its connection where it says so."""

from collections.abc import Iterable
from typing import Any

import pytest

from service.api.connections import Connections, begun


class Asked:
    """What gunicorn gives to its hook."""

    closed = False

    def force_close(self) -> None:
        """Close the connection after the answer."""
        self.closed = True


@pytest.mark.parametrize(
    ("headers", "closes"),
    [([], False), ([("Connection", "keep-alive")], False), ([("connection", "Close")], True)],
)
def test_closes_where_the_answer_says_so(headers: list[tuple[str, str]], *, closes: bool) -> None:
    said: list[Any] = []

    def app(_environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", headers)
        return [b"done"]

    def start(*given: Any) -> Any:
        said.append((asked.closed, *given))

    asked = Asked()
    begun(None, asked)
    assert list(Connections(app)({}, start)) == [b"done"]
    assert said == [(closes, "200 OK", headers)]
