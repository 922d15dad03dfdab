"""What earlier messages said and the next one says no more is deleted in it, by name and sub-id."""

from __future__ import annotations

from dataclasses import replace

from hl7apy.parser import parse_message

from service.domain.emitted import Emitted
from service.domain.received import Intake
from service.domain.report import CodedReport, Status
from service.formats.hl7v2.read import read
from service.formats.hl7v2.write import write
from tests.reports import make_coded_report, make_lesion


def reported(*ids: str, version: int = 1, **changes: object) -> CodedReport:
    lesions = tuple(make_lesion(id=one) for one in ids)
    status = Status.FINAL if version == 1 else Status.CORRECTED
    return make_coded_report(lesions=lesions, version=version, status=status, **changes)


def rows(message: Emitted) -> list[list[str]]:
    found = [one.split("|") for one in message.content.decode().split("\r") if one.startswith("OBX")]
    assert [int(fields[1]) for fields in found] == list(range(1, len(found) + 1))
    return found


def keys(message: Emitted, *, deleted: bool) -> list[tuple[str, str]]:
    """Code and sub-id of what a message deletes, or of what it says."""
    return [(one[3].split("^")[0], one[4]) for one in rows(message) if (one[11] == "D") == deleted]


def test_a_first_message_deletes_nothing() -> None:
    assert keys(write(reported("L1", "L2")), deleted=True) == []


def test_a_lesion_that_is_no_more_is_deleted_under_its_number() -> None:
    first = write(reported("L1", "L2", "L3"))
    second = write(reported("L1", "L3", version=2), earlier=[first])
    gone = keys(second, deleted=True)
    assert {sub.partition(".")[0] for _, sub in gone} == {"3"}
    assert set(gone) == set(keys(first, deleted=False)) - set(keys(second, deleted=False))
    assert rows(second)[: len(gone)] == [one for one in rows(second) if one[11] == "D"]
    assert all(one[2] and not one[5] for one in rows(second) if one[11] == "D")
    assert parse_message(second.content.decode(), find_groups=True).validate()


def test_so_is_a_text_that_has_no_code_and_what_is_said_of_the_whole_report() -> None:
    lesion = make_lesion(id="L1")
    uncoded = replace(lesion.evaluations[0], name=replace(lesion.evaluations[0].name, text="halo | sign", codes=()))
    wordy = replace(reported(findings="One."), lesions=(replace(lesion, evaluations=(uncoded,)),))
    second = write(reported("L1", version=2), earlier=[write(wordy)])
    assert {(one[3], one[4]) for one in rows(second) if one[11] == "D"} >= {("^halo \\F\\ sign", "1")}
    assert any(one[11] == "D" and one[2] == "TX" and not one[4] for one in rows(second))


def test_another_word_for_the_same_code_is_the_same_observation() -> None:
    report = reported("L1")
    first = write(report)
    renamed = first.content.replace(b"^Long Axis^", b"^Longest Axis^")
    assert renamed != first.content
    assert keys(write(reported("L1", version=2), earlier=[replace(first, content=renamed)]), deleted=True) == []


def test_it_stays_deleted_until_it_comes_back() -> None:
    first = write(reported("L1", "L2"))
    second = write(reported("L1", version=2), earlier=[first])
    third = write(reported("L1", version=3), earlier=[second, first])
    assert keys(third, deleted=True) == keys(second, deleted=True) != []
    assert keys(write(reported("L1", "L2", version=4), earlier=[third, second, first]), deleted=True) == []


def test_our_own_reader_takes_no_lesion_from_it() -> None:
    second = write(reported("L1", version=2), earlier=[write(reported("L1", "L2"))])
    received = read(second.content, Intake())
    assert [one.id for one in received.report.lesions] == ["L1"]
    assert {one.rule for one in received.losses} >= {"v2-deleted"}
