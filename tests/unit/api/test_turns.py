"""One conversion at a time, until its answer is sent; and nobody waits for long."""

from collections.abc import Iterable, Iterator
from threading import Event, Thread
from typing import Any

import pytest

from service.api.turns import Turns, take

LONG_S = 30.0


def ask(app: Turns) -> Iterable[bytes]:
    """An answer that is not closed yet."""
    return app({}, lambda _status, _headers, _error=None: lambda _: None)


def converting(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
    """An application that does nothing but take its turn."""
    take(environ)
    return [b"done"]


def close(answer: Iterable[bytes]) -> None:
    """What a server does once all is sent."""
    answer.close()  # type: ignore[attr-defined]  # WSGI has it: PEP 3333, the application's iterable


@pytest.fixture
def second() -> Iterator[tuple[Turns, Iterable[bytes], Event, Thread]]:
    """An application whose one turn is held, and a thread that waits for the next."""
    app, came = Turns(converting, LONG_S), Event()
    first = ask(app)

    def wait() -> None:
        close(ask(app))
        came.set()

    thread = Thread(target=wait)
    thread.start()
    yield app, first, came, thread
    close(first)
    thread.join()


def test_the_next_one_goes_on_when_the_answer_is_sent(
    second: tuple[Turns, Iterable[bytes], Event, Thread],
) -> None:
    _, first, came, thread = second
    assert not came.wait(0.05)
    assert b"".join(first) == b"done"
    assert not came.wait(0.05)
    close(first)
    thread.join(LONG_S)
    assert came.is_set()


def test_who_has_waited_for_a_while_goes_on_without_a_turn() -> None:
    app = Turns(converting, 0.001)
    first, late = ask(app), ask(app)
    close(late)
    assert not app._one.acquire(blocking=False)
    close(first)
    assert app._one.acquire(blocking=False)


def test_a_failure_ends_its_turn() -> None:
    def failing(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        take(environ)
        raise RuntimeError

    app = Turns(failing, LONG_S)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            ask(app)
    assert app._one.acquire(blocking=False)


def test_without_turns_nobody_waits() -> None:
    plain: list[dict[str, Any]] = [{}, {}]
    assert [converting(environ, None) for environ in plain] == [[b"done"]] * 2  # neither answer is closed
    assert plain == [{}, {}]


def test_a_turn_is_taken_once() -> None:
    def twice(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        take(environ)
        return converting(environ, start)

    app = Turns(twice, 0.001)
    close(ask(app))
    assert app._one.acquire(blocking=False)
