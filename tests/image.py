"""What the Dockerfile gives to whatever runs in the image."""

from __future__ import annotations

import re
from pathlib import Path

DOCKERFILE = (Path(__file__).resolve().parents[1] / "Dockerfile").read_text(encoding="utf-8")


def environment() -> dict[str, str]:
    """The variables of the last stage; a deployment's own are laid over them."""
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :].replace("\\\n", " ")
    said = " ".join(re.findall(r"^ENV (.*)$", last, re.MULTILINE))
    return dict(re.findall(r"(\w+)=(\S+)", said))
