"""What a report becomes as a document: the same bytes, an IOD that can carry it, UIDs that nothing else has."""

from dataclasses import replace

import pytest

from service.domain.codes import CodedTerm
from service.domain.errors import Invalid, NotAcceptable
from service.domain.report import Device, Observer
from service.formats.sr.decode import decode_file
from service.formats.sr.names import name
from service.formats.sr.relationships import ALLOWED, Iod
from service.formats.sr.write import write
from tests.report_set import REPORTS, regions3d_report, rich_report
from tests.reports import make_coded_report
from tests.unit.formats.sr.written import named, tree


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_the_same_report_gives_the_same_bytes(make: object) -> None:
    assert write(make()).content == write(make()).content  # type: ignore[operator] # one of the makers


def test_another_content_has_another_instance_and_series_uid() -> None:
    first, second = (write(make_coded_report(impression=text)).reference for text in ("one", "two"))
    assert first.sop_instance != second.sop_instance
    assert first.series != second.series


def test_every_document_has_its_own_uids() -> None:
    found = [write(make()).reference for make in REPORTS.values()]
    assert len({one.sop_instance for one in found}) == len({one.series for one in found}) == len(REPORTS)


def test_shapes_in_space_make_it_comprehensive_3d_and_nothing_else_more_than_enhanced() -> None:
    assert write(regions3d_report()).reference.sop_class == Iod.COMPREHENSIVE_3D.sop_class
    assert write(rich_report()).reference.sop_class == Iod.ENHANCED.sop_class


@pytest.mark.parametrize("iod", Iod)
@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_the_iod_asked_for_is_written_with_its_relationships_only(make: object, iod: Iod) -> None:
    document = write(make(), iod=iod.value)  # type: ignore[operator] # one of the makers
    assert document.reference.sop_class == iod.sop_class
    root = decode_file(document.content)[1]
    links = {
        (item.value_type, child.relationship_type, child.value_type) for item in root.walk() for child in item.children
    }
    assert links <= ALLOWED[iod]


def test_what_the_iod_asked_for_can_not_carry_is_named() -> None:
    lesions = regions3d_report().lesions
    losses = write(regions3d_report(), iod="enhanced").losses
    assert {loss.rule for loss in losses} == {"sr-one-kind-of-region"}
    assert len(losses) >= len({region.graphic for lesion in lesions for region in lesion.regions3d})


@pytest.mark.parametrize(
    "how", [{"dialect": "klingon"}, {"iod": "basic-text"}, {"dialect": "ohif", "iod": "comprehensive-3d"}]
)
def test_refuses_a_dialect_or_iod_that_is_not_there(how: dict[str, str]) -> None:
    with pytest.raises(NotAcceptable):
        write(make_coded_report(), **how)


def test_tracking_identifier_and_uid_come_first() -> None:
    for root in (tree(make()) for make in REPORTS.values()):
        for group in named(root, "measurement-group"):
            first, second = group.children[:2]
            assert first.concept_name == name("tracking-identifier")
            assert second.concept_name == name("tracking-unique-identifier")


def test_derives_no_uid_that_the_coder_derives() -> None:
    report = make_coded_report()
    unnamed = replace(report.lesions[0], tracking_uid=None)
    for missing in (
        replace(report, observers=(Observer(device=Device("Volumer")),)),
        replace(report, lesions=(unnamed,)),
    ):
        with pytest.raises(Invalid, match=r"has a (tracking )?UID"):
            write(missing)


def test_the_algorithm_is_named_where_one_device_has_a_version() -> None:
    assert [item.value for item in named(tree(make_coded_report()), "algorithm-version")] == ["2.1"]
    two: tuple[Observer[CodedTerm], ...] = (
        Observer(device=Device("A", version="1", uid="1.2.1")),
        Observer(device=Device("B", version="2", uid="1.2.2")),
    )
    assert named(tree(make_coded_report(observers=two)), "algorithm-version") == []


@pytest.mark.parametrize("text", ["a\x00b", "a\x1b[31mb", "a\ud800b", "a\x7fb"])
def test_characters_that_no_text_holds_are_replaced_and_reported(text: str) -> None:
    document = write(make_coded_report(findings=text))
    (said,) = named(decode_file(document.content)[1], "findings")
    assert "\N{REPLACEMENT CHARACTER}" in said.value
    assert [loss.rule for loss in document.losses] == ["sr-text"]


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_no_code_meaning_is_longer_than_an_lo(make: object) -> None:
    root = decode_file(write(make()).content)[1]  # type: ignore[operator] # one of the makers
    entries = [item.concept_name for item in root.walk() if item.concept_name is not None]
    assert all(len(code.display) <= 64 for entry in entries for code in entry.codes)
