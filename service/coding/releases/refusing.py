"""How a loader refuses: the file, the line and what to do about it; no text of a release is quoted whole."""

from typing import NoReturn

from service.domain.errors import Invalid, Problem, TooLarge, Unreadable

LAYOUT = "release-layout"
MIXED = "release-mixed"
TRUNCATED = "release-truncated"
LIMIT = "release-limit"


def _at(file: str, line: int) -> str:
    return f"{file}:{line}" if line else file


def wrong_layout(file: str, line: int, why: str) -> NoReturn:
    """Not what the published layout has at this line; raises Invalid."""
    raise Invalid(Problem(_at(file, line), LAYOUT, why))


def mixed(file: str, line: int, why: str) -> NoReturn:
    """Parts that do not belong together; raises Invalid."""
    raise Invalid(Problem(_at(file, line), MIXED, why))


def truncated(file: str, line: int, why: str) -> NoReturn:
    """A part is missing; raises Unreadable."""
    raise Unreadable(Problem(_at(file, line), TRUNCATED, why))


def too_large(file: str, why: str) -> NoReturn:
    """A limit of the deployment is passed; raises TooLarge."""
    raise TooLarge(Problem(file, LIMIT, why))
