"""The bad documents as data."""

from tests.bad_input.across import ACROSS
from tests.bad_input.case import Case
from tests.bad_input.measurements import MEASUREMENTS
from tests.bad_input.members import MEMBERS
from tests.bad_input.shapes import SHAPES
from tests.bad_input.texts import TEXTS

CASES: list[Case] = [*TEXTS, *MEMBERS, *MEASUREMENTS, *SHAPES, *ACROSS]
"""Every bad document that fits on a page."""
