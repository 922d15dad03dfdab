"""A worker that starts beside requests, as inside `serve`: what it needs is imported before, not beside them."""

import subprocess
import sys

STARTS = """
import sys
from service.workflows.watching import Watching
from service.workflows.worker import Worker

Worker.run = lambda self: None
Worker("sqlite://", {}, Watching()).start()
print("sqlalchemy.orm" in sys.modules)
"""
"""Starts a worker whose thread does nothing."""


def test_no_statement_meets_a_half_imported_mapper() -> None:
    said = subprocess.run([sys.executable, "-c", STARTS], capture_output=True, text=True, check=True, timeout=180)
    assert said.stdout == "True\n"
