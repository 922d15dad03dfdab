"""Bytes that no maker wrote: mutations of real and made files are read, or refused with the place, in bounded time."""

import random
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from service.domain.errors import Refused
from service.domain.limits import Limits
from service.domain.received import Intake
from service.formats.sr.read import read
from service.formats.sr.write import write
from tests import sr_files as sr
from tests.report_set import no_lesion_report

LIMITS = Limits(body_bytes=4_000_000)
_SIZE = sr.num(sr.LONG_AXIS, "14.20", sr.MM, sr.shape("POLYLINE", [1.0, 2.0, 3.0, 4.0]))
SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")
MADE = tuple(sr.measured(_SIZE, sr.image(relation="CONTAINS"), syntax=syntax) for syntax in SYNTAXES)
HEADS = (b"\xff\xff\xff\xff", b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0", b"\0\0\0\0", b"SQ", b"UN", b"\x40\0\x30\xa7")


RULES = {"dicom", "limit", "sr-no-tree"}


def tried(content: bytes) -> bool:
    """Whether it was read; a refusal is by one of the rules. Anything else that is raised is a defect."""
    rules = set()
    try:
        assert read(content, Intake(limits=LIMITS)).report.study.uid
    except Refused as refused:
        rules = {problem.rule for problem in refused.problems}
    assert rules <= RULES
    return not rules


def mutated(content: bytes, chance: random.Random) -> bytes:
    """One to eight changes: bits, bytes, lengths and tags, cuts, and pieces copied elsewhere."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(made))
        how = chance.randrange(5)
        if how == 0:
            made[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            made[at] = chance.randrange(256)
        elif how == 2:
            head = chance.choice(HEADS)
            made[at : at + len(head)] = head
        elif how == 3 and len(made) > 300:
            del made[at : at + chance.randint(1, 40)]
        else:
            piece = bytes(made[at : at + chance.randint(1, 200)])
            where = chance.randrange(len(made))
            made[where:where] = piece
        if len(made) < 2:
            break
    return bytes(made)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, len(MADE) - 1), seed=st.integers(0, 2**32))
def test_mutations_of_a_file_are_read_or_refused(number: int, seed: int) -> None:
    tried(mutated(MADE[number], random.Random(seed)))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400))
def test_any_bytes_behind_the_prefix_are_read_or_refused(content: bytes) -> None:
    tried(bytes(128) + b"DICM" + content)
    tried(content)


@pytest.mark.parametrize("number", range(len(MADE)))
def test_every_truncation_is_read_or_refused(number: int) -> None:
    content = MADE[number]
    assert tried(content)
    for end in range(0, len(content), 7):
        tried(content[:end])


@pytest.mark.cases
@pytest.mark.slow
def test_mutations_of_real_files_are_read_or_refused(cases: Path) -> None:
    chance = random.Random(20260302)
    contents = [path.read_bytes() for path in sorted((cases / "sr").glob("*.dcm"))]
    taken = sum(tried(mutated(chance.choice(contents), chance)) for _ in range(2_000))
    assert 0 < taken < 2_000


def test_a_hundred_thousand_nested_sequences_are_refused_at_once() -> None:
    opened = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    with pytest.raises(Refused) as raised:
        read(sr.document() + opened * 100_000, Intake())
    assert raised.value.problems[0].rule == "limit"
    assert raised.value.problems[0].pointer.startswith("byte ")


def test_an_empty_container_of_evaluations_is_read() -> None:
    """Found by the coverage-guided fuzzer."""
    dataset = dcmread(BytesIO(write(no_lesion_report()).content))
    for item in dataset.ContentSequence:
        if item.ConceptNameCodeSequence[0].CodeValue == "C0034375":
            item.ContentSequence = []
    made = BytesIO()
    dataset.save_as(made)
    assert read(made.getvalue(), Intake()).report.findings is None
