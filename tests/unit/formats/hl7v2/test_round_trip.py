"""What is written is read back; what is not, is named as lost."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.limits import Limits
from service.domain.received import Intake
from service.domain.report import CodedReport
from service.formats.findings.read import read as read_findings
from service.formats.hl7v2.read import read
from service.formats.hl7v2.write import write
from tests.codable import codable_documents
from tests.coded_reports import facts
from tests.documents import as_bytes

EXAMPLES = sorted((Path(__file__).parents[4] / "examples").glob("*.json"))
LOST = {
    "v2-no-place": r"/predecessor/|/study/(comparisons|description|images|accession_issuer)",
    "v2-images": r"/lesions/\d+/(images|regions3d|segment)|/measurements/\d+/image$",
    "v2-person": r"^/(persons/\d+|study/referring_physician)/(organization|role|verified_at|name/)",
    "v2-range-text": r"/range/text$",
    "v2-status": r"/status$",
    "zone-assumed": r"/study/started$",
}
"""Which facts each loss stands for."""


def coded(body: bytes) -> CodedReport:
    return code_report(read_findings(body, default_sender="local", limits=Limits()), vocabulary())


def held(report: CodedReport) -> None:
    """Write, read and compare; every difference has its loss."""
    written = write(report)
    received = read(written.content, Intake())
    # A start without a zone gets that of the site; nothing else is assumed of our own message.
    assert {loss.rule for loss in received.losses} <= {"zone-assumed"}
    again = code_report(received.report, vocabulary())
    rules = {loss.rule for loss in (*written.losses, *received.losses)} & set(LOST)
    lost = "|".join(LOST[rule] for rule in rules)
    said, found = _comparable(facts(report)), _comparable(facts(again))
    for place, words in said.items():  # spaces that end a line are none in a message (2A, TX)
        if isinstance(words, str) and re.fullmatch(r"/findings|/impression|/lesions/\d+/text", place):
            said[place] = "\n".join(line.rstrip(" ") for line in words.split("\n"))
    different = [
        place for place in sorted({*said, *found}) if said.get(place) != found.get(place) and not _is_lost(place, lost)
    ]
    assert different == [], [(place, said.get(place), found.get(place)) for place in different[:5]]


def _is_lost(place: str, lost: str) -> bool:
    return bool(lost) and re.search(lost, place) is not None


def _comparable(found: dict[str, Any]) -> dict[str, Any]:
    """Persons come before devices in a message: the observers are compared as those of each kind, in order."""
    made = {place: value for place, value in found.items() if not place.startswith("/observers/")}
    for kind in ("person", "device"):
        turns = sorted({int(place.split("/")[2]) for place in found if re.match(rf"/observers/\d+/{kind}/", place)})
        for new, old in enumerate(turns):
            begin = f"/observers/{old}/{kind}/"
            mine = {place: value for place, value in found.items() if place.startswith(begin)}
            made |= {f"/{kind}s/{new}/{place.removeprefix(begin)}": value for place, value in mine.items()}
    return made


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_comes_back(path: Path) -> None:
    held(coded(path.read_bytes()))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(codable_documents())
def test_every_report_comes_back(document: Any) -> None:
    held(coded(as_bytes(document)))
