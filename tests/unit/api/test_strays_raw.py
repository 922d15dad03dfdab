"""Texts with control characters and a patient's words, wherever a library or the interpreter would print them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

RAW = "Doe^Jane\x1b[2J\x07\r\n{}\u2028\u202e\udce4\x00"
CONFINED = """
import gc, logging, sys, threading, warnings, weakref
from service.api import observe, strays
observe.configure_logging("info")
strays.confine()
warnings.simplefilter("always")
RAW = {raw!r}
class Deleted:
    def __del__(self):
        raise ValueError(RAW)
class Named(Exception):
    def __str__(self):
        raise RuntimeError(RAW)
def fail(*_):
    raise ValueError(RAW)
class Held:
    pass
"""
WAYS = {
    "deleted": ("Deleted()", "not raised", "ValueError"),
    "a weak reference": ("held = Held(); ref = weakref.ref(held, fail); del held", "not raised", "ValueError"),
    "a text that fails": (
        "def other(): raise Named()\nthreading.Thread(target=other).start()",
        "thread failed",
        "Named",
    ),
    "a thread": ("threading.Thread(target=fail, name=RAW).start()", "thread failed", "ValueError"),
    "a timer": ("threading.Timer(0.01, fail).start()", "thread failed", "ValueError"),
    "a warning": ("warnings.warn(RAW)", "warned", None),
    "a logger": ("logging.getLogger('pydicom.x').warning('%s', RAW)", "logged", None),
    "a format": ("logging.getLogger('pydicom.x').warning(RAW + '%d', RAW)", "logged", None),
    "a failure that is logged": (
        "try: fail()\nexcept ValueError: logging.getLogger('x').exception(RAW)",
        "logged",
        "ValueError",
    ),
}


@pytest.mark.parametrize(("way", "event", "error"), WAYS.values(), ids=WAYS)
def test_one_line_says_what_it_was_and_nothing_of_its_text(way: str, event: str, error: str | None) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{CONFINED.format(raw=RAW)}{way}\ngc.collect()\n"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == b""
    [line] = done.stderr.decode("ascii").splitlines()
    said = json.loads(line)
    assert (said["event"], said.get("error")) == (event, error)
    assert said["at"]
    for part in ("Doe", "Jane", "\\u001b", "\x1b", "\\u202e"):
        assert part not in line
