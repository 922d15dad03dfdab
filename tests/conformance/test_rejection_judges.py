"""What others make of our rejection notes."""

import re
from pathlib import Path

import pytest

from service.amendments import REASONS
from service.formats.sr.rejection import rejection
from service.formats.sr.write import write
from tests.conftest import AskSr
from tests.reports import make_coded_report

JUDGES = ["dciodvfy", "dcsrdump", "dsrdump", "dsr2html", "dsr2xml", "pixelmed"]
"""The others read measurement reports only."""
EXPLAINED = (
    "W: Check for template constraints not yet supported",  # DCMTK of itself, for every Key Object
    "TID 1500 is not recognised as the root template",  # what the judge asks of a measurement report
)
CONDITION = re.compile(
    r"\[Row [34]\] CODE CID 701[12]: within 1: /CONTAINER \(113001,.*Conditional content item present"
)
"""PixelMed looks for the title that rows 3 and 4 of TID 2010 depend on among the items below it, where it never is."""


@pytest.mark.slow
def test_no_judge_objects_to_a_rejection_note(tmp_path: Path, sr_complaints: AskSr) -> None:
    rejected = [write(make_coded_report(), dialect=name).reference for name in ("strict", "text")]
    paths = [tmp_path / f"{reason}.dcm" for reason in REASONS]
    for path in paths:
        path.write_bytes(rejection(make_coded_report(), REASONS[path.stem], rejected).content)
    found = [one.message for one in sr_complaints(paths, only=JUDGES)]
    assert [one for one in found if one not in EXPLAINED and not CONDITION.search(one)] == []
