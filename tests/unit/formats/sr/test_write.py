"""What a report becomes, read by pydicom or by our strict reader, rule by rule."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from typing import Any

import pydicom
import pytest

from service.domain.codes import Code, CodedTerm
from service.domain.errors import Contradiction, Invalid, NotAcceptable
from service.domain.geometry import Graphic, Graphic3D, LesionImage, Region3D, SegmentReference
from service.domain.loss import LossKind
from service.domain.names import PersonName
from service.domain.report import (
    CodedReport,
    Comparison,
    CountKind,
    Device,
    Evaluation,
    Observer,
    PatientId,
    Person,
    Status,
    TimePoint,
)
from service.domain.times import DateTime
from service.formats.sr.decode import decode_file
from service.formats.sr.dialects import DIALECTS
from service.formats.sr.items import Image
from service.formats.sr.names import member, name
from service.formats.sr.relationships import ALLOWED, Iod
from service.formats.sr.tree import ContentItem
from service.formats.sr.write import write
from tests.reports import (
    AREA,
    BRAIN_METASTASIS,
    CT_IMAGE,
    EDEMA,
    FRAME_OF_REFERENCE,
    HOSPITAL,
    HYPOINTENSE,
    INTRACRANIAL_METASTASES,
    JUNCTION,
    LEFT,
    LONG_AXIS,
    MM,
    MM2,
    PRIOR_UID,
    REPORTS,
    SECONDARY_CAPTURE,
    SERIES_UID,
    T1,
    TRIANGLE,
    UNCODED_FINDING,
    UNCODED_PROCEDURE,
    VASOGENIC,
    image,
    make_coded_report,
    make_lesion,
    minimal_report,
    no_lesion_report,
    number,
    ohif_report,
    region,
    regions3d_report,
    regions_report,
    rich_report,
    term,
)

SQUARE = ((10.0, 10.0, 5.0), (20.0, 10.0, 5.0), (20.0, 20.0, 5.0))


def _tree(report: CodedReport, **how: str) -> ContentItem:
    return decode_file(write(report, **how).content)[1]


def _header(report: CodedReport) -> pydicom.Dataset:
    return pydicom.dcmread(BytesIO(write(report).content))


def _all(root: ContentItem, key: str) -> list[ContentItem]:
    return [item for item in root.walk() if item.concept_name == name(key)]


def _only(root: ContentItem, key: str) -> ContentItem:
    (item,) = _all(root, key)
    return item


def _group(**lesion: Any) -> ContentItem:
    return _only(_tree(make_coded_report(lesions=(make_lesion(**lesion),))), "measurement-group")


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


def test_every_image_and_no_other_stands_in_exactly_one_evidence_sequence() -> None:
    for make in REPORTS.values():
        dataset = pydicom.dcmread(BytesIO(write(make()).content))
        evidence = [*_evidence(dataset, "CurrentRequestedProcedureEvidenceSequence")]
        other = [*_evidence(dataset, "PertinentOtherEvidenceSequence")]
        used = {str(one.ReferencedSOPInstanceUID) for one in _references(dataset)}
        assert len(set(evidence + other)) == len(evidence) + len(other)
        assert used == set(evidence + other)


def _evidence(dataset: pydicom.Dataset, keyword: str) -> Iterator[str]:
    for study in dataset.get(keyword, ()):
        for series in study.ReferencedSeriesSequence:
            yield from (str(one.ReferencedSOPInstanceUID) for one in series.ReferencedSOPSequence)


def _references(item: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    for child in item.get("ContentSequence", ()):
        yield from child.get("ReferencedSOPSequence", ())
        yield from _references(child)


def test_images_of_a_prior_study_are_other_evidence() -> None:
    dataset = _header(rich_report())
    assert [str(study.StudyInstanceUID) for study in dataset.PertinentOtherEvidenceSequence] == [PRIOR_UID]


def test_refuses_one_instance_in_two_series() -> None:
    elsewhere = replace(image(), series="1.2.3.9")
    with pytest.raises(Contradiction):
        write(make_coded_report(lesions=(make_lesion(images=(LesionImage(image()), LesionImage(elsewhere))),)))


def test_tracking_identifier_and_uid_come_first() -> None:
    for root in (_tree(make()) for make in REPORTS.values()):
        for group in _all(root, "measurement-group"):
            first, second = group.children[:2]
            assert first.concept_name == name("tracking-identifier")
            assert second.concept_name == name("tracking-unique-identifier")


@pytest.mark.parametrize(
    ("changes", "template"),
    [
        ({}, "1501"),
        ({"images": (LesionImage(image(), (region(Graphic.LINE, (1.0, 2.0), (3.0, 4.0), shows=LONG_AXIS),)),)}, "1501"),
        ({"images": (LesionImage(image(), (region(Graphic.POLYGON, *TRIANGLE),)),)}, "1410"),
        ({"images": (LesionImage(image(), (region(Graphic.LINE, (1.0, 2.0), (3.0, 4.0)),)),)}, "1410"),
        ({"images": tuple(LesionImage(image(n), (region(Graphic.POLYGON, *TRIANGLE),)) for n in (1, 2))}, "1411"),
        ({"regions3d": (Region3D(FRAME_OF_REFERENCE, Graphic3D.POLYGON, SQUARE),)}, "1410"),
        ({"regions3d": (Region3D(FRAME_OF_REFERENCE, Graphic3D.POLYGON, SQUARE),) * 2}, "1411"),
        ({"segment": SegmentReference("1.2.3.77.1", "1.2.3.77", 1, SERIES_UID)}, "1411"),
    ],
)
def test_the_template_is_that_of_what_the_lesion_brings(changes: dict[str, object], template: str) -> None:
    assert _group(**changes).value == template


def test_a_line_goes_below_the_number_that_it_shows() -> None:
    line = region(Graphic.LINE, (102.5, 88.0), (116.7, 88.0), shows=LONG_AXIS)
    group = _group(images=(LesionImage(image(), (line,)),))
    (long_axis,) = [item for item in group.children if item.is_named("SCT", "103339001")]
    (shape,) = long_axis.children
    assert (shape.value_type, shape.relationship_type) == ("SCOORD", "INFERRED FROM")
    assert shape.children[0].relationship_type == "SELECTED FROM"
    assert shape.value.numbers == pytest.approx((102.5, 88.0, 116.7, 88.0), rel=1e-6)


def test_a_polygon_is_a_closed_polyline() -> None:
    group = _group(images=(LesionImage(image(), (region(Graphic.POLYGON, *TRIANGLE),)),))
    shape = _only(group, "image-region").value
    assert shape.graphic_type == "POLYLINE"
    assert shape.numbers[:2] == shape.numbers[-2:]
    assert len(shape.numbers) == 2 * (len(TRIANGLE) + 1)


def _outlined(*slices: int) -> tuple[LesionImage[CodedTerm], ...]:
    """The area outlined on each of some slices."""
    return tuple(LesionImage(image(one), (region(Graphic.POLYGON, *TRIANGLE, shows=AREA),)) for one in slices)


def _areas(**changes: Any) -> list[list[str]]:
    """The images of the shapes below each area."""
    areas = [item for item in _group(**changes).children if item.is_named("SCT", "42798000")]
    return [[shape.children[0].value.sop_instance for shape in area.children] for area in areas]


def test_each_of_several_areas_stands_above_the_outline_that_shows_it() -> None:
    first, second = (
        number(AREA, value, MM2, image=image(one).sop_instance) for value, one in (("122.5", 3), ("140.0", 4))
    )
    where = [[image(3).sop_instance], [image(4).sop_instance]]
    assert _areas(images=_outlined(3, 4), measurements=(first, second)) == where


def test_the_outline_of_the_area_stands_below_it_where_another_shape_lies_beside_it() -> None:
    free = LesionImage(image(4), (region(Graphic.POLYGON, *TRIANGLE),))
    found = _areas(images=(*_outlined(3), free), measurements=(number(AREA, "122.5", MM2),))
    assert found == [[image(3).sop_instance]]


def test_the_one_outline_of_the_one_area_is_the_region_of_the_group() -> None:
    assert _areas(images=_outlined(3), measurements=(number(AREA, "122.5", MM2),)) == [[]]


def test_what_is_of_another_kind_of_region_is_named_as_lost() -> None:
    lesion = make_lesion(
        images=(LesionImage(image(), (region(Graphic.POLYGON, *TRIANGLE),)),),
        regions3d=(Region3D(FRAME_OF_REFERENCE, Graphic3D.POLYGON, SQUARE, where="/lesions/0/regions3d/0"),),
    )
    (loss,) = write(make_coded_report(lesions=(lesion,))).losses
    assert (loss.where, loss.rule) == ("/lesions/0/regions3d/0", "sr-one-kind-of-region")


def test_a_segment_without_source_is_named_as_lost() -> None:
    lesion = make_lesion(images=(), segment=SegmentReference("1.2.3.77.1", "1.2.3.77", 1))
    (loss,) = write(make_coded_report(lesions=(lesion,))).losses
    assert loss.rule == "sr-segment-source"


def test_a_region_of_too_many_points_is_named_as_lost() -> None:
    outline = tuple((float(step), 1.0) for step in range(9_000))
    lesion = make_lesion(images=(LesionImage(image(), (region(Graphic.POLYGON, *outline),)),))
    (loss,) = write(make_coded_report(lesions=(lesion,))).losses
    assert loss.rule == "sr-graphic-data"


def test_site_carries_laterality_below_it() -> None:
    site = _only(_group(), "finding-site")
    assert site.relationship_type == "HAS CONCEPT MOD"
    assert [child.concept_name for child in site.children] == [name("laterality")]


def _in_words(group: ContentItem) -> list[tuple[str, dict[str, Any]]]:
    """The statements in words, each with what stands below it."""
    return [
        (item.value, {child.concept_name.codes[0].code: child.value for child in item.children if child.concept_name})
        for item in _all(group, "qualitative-evaluations")
    ]


def test_the_exact_words_stand_beside_a_broader_code() -> None:
    group = _group(finding=INTRACRANIAL_METASTASES, evaluations=())
    finding = _only(group, "finding")
    assert (finding.value.codes, finding.children) == (INTRACRANIAL_METASTASES.codes, ())
    assert _in_words(group) == [
        ("Finding: intracranial metastases", {"121050": name("finding"), "121051": finding.value}),
    ]


def test_a_term_without_code_is_said_in_words_with_its_field() -> None:
    group = _group(finding=UNCODED_FINDING, evaluations=())
    assert not _all(group, "finding")
    assert _in_words(group) == [("Finding: watershed-like cluster", {"121050": name("finding")})]


def test_the_side_of_a_site_without_code_stands_for_itself() -> None:
    group = _group(site=term("far corner"), laterality=LEFT, topography=JUNCTION, evaluations=())
    own = [item.value.codes for item in group.children if item.relationship_type == "HAS CONCEPT MOD"]
    assert own == [LEFT.codes, JUNCTION.codes]
    assert [text for text, _ in _in_words(group)] == [
        "Topographical modifier: grey-white matter junction",
        "Finding Site: far corner",
    ]


def test_answers_of_one_field_keep_their_order_and_their_words() -> None:
    said = (Evaluation(T1, HYPOINTENSE), Evaluation(T1, term("speckled")), Evaluation(EDEMA, VASOGENIC))
    items = _group(evaluations=said).children[-4:]
    assert [item.value_type for item in items] == ["CODE", "TEXT", "CODE", "TEXT"]
    assert items[1].value.endswith(": speckled")
    assert items[3].value.endswith(": vasogenic edema")


def test_the_words_of_a_conclusion_come_right_after_its_code() -> None:
    report = make_coded_report(conclusions=(INTRACRANIAL_METASTASES, UNCODED_FINDING, BRAIN_METASTASIS))
    (evaluations,) = [item for item in _all(_tree(report), "qualitative-evaluations") if item.value_type == "CONTAINER"]
    items = evaluations.children
    said = [(item.value_type, item.concept_name) for item in items if item.concept_name != name("impression")]
    assert said == [
        ("CODE", member("conclusion")),
        ("TEXT", name("equivalent-meaning-of-value")),
        ("TEXT", member("conclusion")),
        ("CODE", member("conclusion")),
    ]


def test_the_denial_of_a_narrower_finding_does_not_deny_the_broader_code() -> None:
    narrow = term("vasogenic edema", "SCT|2032001|Cerebral edema", broader=True)
    root = _tree(make_coded_report(negatives=(narrow,)))
    assert not any(item.is_named("SCT", "2032001") for item in root.walk())
    (denied,) = _all(root, "absent")
    assert (denied.value_type, denied.value) == ("TEXT", "vasogenic edema")


def test_a_negative_says_that_the_finding_is_absent() -> None:
    root = _tree(no_lesion_report())
    denied = [item for item in root.walk() if item.value_type == "CODE" and item.value == name("absent")]
    assert [item.concept_name.codes[0] for item in denied if item.concept_name] == [
        Code("SCT", "50960005", ""),
        BRAIN_METASTASIS.codes[0],
    ]


def test_the_differential_keeps_its_order() -> None:
    root = _tree(rich_report())
    said = [item for item in root.walk() if item.concept_name == member("differential")]
    assert [item.value if item.value_type == "TEXT" else item.value.codes[0].display for item in said] == [
        "Glioblastoma",
        "Cerebral abscess",
        "something else",
    ]


@pytest.mark.parametrize(
    ("count", "value_type", "said"),
    [(17, "NUM", "17"), (CountKind.MULTIPLE, "CODE", "RID5765"), (CountKind.INNUMERABLE, "CODE", "RID38662")],
)
def test_a_count_is_a_number_or_the_concept_for_many(count: int | CountKind, value_type: str, said: str) -> None:
    (item,) = [one for one in _group(count=count).children if one.concept_name == member("count")]
    assert item.value_type == value_type
    assert said == (item.value.digits if value_type == "NUM" else item.value.codes[0].code)


def test_a_measurement_without_unit_code_is_words() -> None:
    said = number(LONG_AXIS, "3", term("thumbs"))
    text, below = _in_words(_group(measurements=(said,), evaluations=()))[0]
    assert text.endswith(": 3 thumbs")
    assert below["121050"].codes[0] == LONG_AXIS.codes[0]


def test_an_image_measured_on_that_nobody_named_is_lost() -> None:
    lesion = make_lesion(measurements=(number(LONG_AXIS, "3", MM, image="1.2.3.99", where="/m"),))
    (loss,) = write(make_coded_report(lesions=(lesion,))).losses
    assert (loss.where, loss.rule) == ("/m/image", "sr-unknown-image")


@pytest.mark.parametrize("status", Status)
def test_the_flags_say_the_state_of_the_report(status: Status) -> None:
    dataset = _header(make_coded_report(status=status))
    partial = status in (Status.PRELIMINARY, Status.CANCELLED)
    assert dataset.CompletionFlag == ("PARTIAL" if partial else "COMPLETE")
    assert dataset.PreliminaryFlag == ("PRELIMINARY" if status is Status.PRELIMINARY else "FINAL")
    described = dataset.get("CompletionFlagDescription")
    assert described == (None if status in (Status.FINAL, Status.PRELIMINARY) else status.value)


@pytest.mark.parametrize("status", Status)
def test_a_withdrawal_that_the_flags_can_not_say_is_flagged(status: Status) -> None:
    losses = write(make_coded_report(status=status)).losses
    assert [loss.rule for loss in losses] == (["sr-withdrawn"] if status is Status.ENTERED_IN_ERROR else [])


def _verifier(**changes: object) -> Observer[CodedTerm]:
    person: Person[CodedTerm] = Person(
        PersonName.parse("Reader^Ann"), verified_at=DateTime("2026-03-02T10:40:00+01:00")
    )
    return Observer(person=replace(person, **changes))  # type: ignore[arg-type] # members of a person


def test_a_verified_report_names_who_verified_it_and_when() -> None:
    dataset = _header(make_coded_report(observers=(_verifier(id="R1", organization="Klinik"),)))
    assert dataset.VerificationFlag == "VERIFIED"
    (item,) = dataset.VerifyingObserverSequence
    assert str(item.VerifyingObserverName) == "Reader^Ann"
    assert item.VerificationDateTime == "20260302104000+0100"
    assert item.VerifyingOrganization == "Klinik"
    assert item.VerifyingObserverIdentificationCodeSequence[0].CodeValue == "R1"


def test_a_preliminary_report_is_not_verified_and_says_what_was_lost() -> None:
    report = make_coded_report(status=Status.PRELIMINARY, observers=(_verifier(),))
    assert _header(report).VerificationFlag == "UNVERIFIED"
    assert [loss.rule for loss in write(report).losses] == ["sr-verified-needs-complete"]


def test_ideographic_and_phonetic_names_arrive_whole() -> None:
    found = _header(rich_report()).VerifyingObserverSequence[0].VerifyingObserverName
    assert found.ideographic == "山田^太郎"
    assert found.phonetic == "やまだ^たろう"


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
    assert [item.value for item in _all(_tree(make_coded_report()), "algorithm-version")] == ["2.1"]
    two: tuple[Observer[CodedTerm], ...] = (
        Observer(device=Device("A", version="1", uid="1.2.1")),
        Observer(device=Device("B", version="2", uid="1.2.2")),
    )
    assert _all(_tree(make_coded_report(observers=two)), "algorithm-version") == []


def test_a_procedure_without_code_is_an_imaging_procedure_in_its_own_words() -> None:
    procedure = _only(_tree(minimal_report()), "procedure-reported")
    assert procedure.value == name("imaging-procedure")
    assert _only(procedure, "equivalent-meaning-of-value").value == UNCODED_PROCEDURE.text


def test_nothing_is_claimed_of_the_modality_of_a_prior_study() -> None:
    shown = image(3, prior=True, sop_class=SECONDARY_CAPTURE)
    study = replace(make_coded_report().study, comparisons=(Comparison(PRIOR_UID),), images=(shown,))
    groups = _all(_tree(make_coded_report(study=study)), "image-library-group")
    assert [len(_all(group, "modality")) for group in groups] == [1, 0]


def test_an_image_of_another_modality_than_the_study_stands_in_a_group_of_its_own() -> None:
    pair = (image(1), image(2, sop_class=CT_IMAGE), image(3, sop_class=SECONDARY_CAPTURE))
    study = replace(make_coded_report().study, images=pair)
    groups = _all(_tree(make_coded_report(study=study, lesions=())), "image-library-group")
    said = [
        (
            _only(group, "modality").value.codes[0].code,
            [item.value for item in group.children if isinstance(item, Image)],
        )
        for group in groups
    ]
    assert [(code, [one.sop_instance for one in shown]) for code, shown in said] == [
        ("MR", [pair[0].sop_instance, pair[2].sop_instance]),
        ("CT", [pair[1].sop_instance]),
    ]


def test_a_segmentation_is_no_image_of_the_library() -> None:
    (group,) = _all(_tree(REPORTS["segment"]()), "image-library-group")
    assert "1.2.840.10008.5.1.4.1.1.66.4" not in [
        item.value.sop_class for item in group.children if isinstance(item, Image)
    ]


def test_refuses_a_patient_id_that_no_lo_holds() -> None:
    patient = replace(make_coded_report().patient, id="x" * 65)
    with pytest.raises(Invalid) as refused:
        write(make_coded_report(patient=patient))
    assert refused.value.problems[0].pointer == "/patient/id"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"accession": "x" * 17}, "/study/accession"),
        ({"description": "x" * 65}, "/study/description"),
        ({"started": DateTime("2026-03")}, "/study/started"),
        ({"accession": None, "accession_issuer": HOSPITAL}, "/study/accessionIssuer"),
        ({"referring_physician": Person(PersonName.parse("Gray^Henry"), role=LEFT)}, "/study/referringPhysician/role"),
    ],
)
def test_what_does_not_fit_the_header_is_named_as_lost(change: dict[str, object], where: str) -> None:
    study = replace(make_coded_report().study, **change)  # type: ignore[arg-type] # members of a study
    assert [loss.where for loss in write(make_coded_report(study=study)).losses] == [where]


def test_a_time_without_a_zone_is_flagged_where_the_zone_of_the_report_comes_to_hold_for_it() -> None:
    study = replace(make_coded_report().study, started=DateTime("2026-03-02T09:12:00"))
    (loss,) = write(make_coded_report(study=study)).losses
    assert (loss.kind, loss.where, loss.rule) == ("flagged", "/study/started", "sr-time-zone")


def test_an_author_of_no_known_organization_has_none() -> None:
    said: Person[CodedTerm] = Person(PersonName.parse("Reader^Ann"), id="R1")
    (author,) = _header(make_coded_report(observers=(Observer(person=said),))).AuthorObserverSequence
    assert (author.InstitutionName, author.PersonIdentificationCodeSequence[0].CodeValue) == ("", "R1")


@pytest.mark.parametrize("text", ["a\x00b", "a\x1b[31mb", "a\ud800b", "a\x7fb"])
def test_characters_that_no_text_holds_are_replaced_and_reported(text: str) -> None:
    document = write(make_coded_report(findings=text))
    (said,) = _all(decode_file(document.content)[1], "findings")
    assert "\N{REPLACEMENT CHARACTER}" in said.value
    assert [loss.rule for loss in document.losses] == ["sr-text"]


def test_a_name_that_no_pn_holds_is_refused_without_saying_it() -> None:
    patient = replace(make_coded_report().patient, name=PersonName.parse("Doe\x07^Jane"))
    with pytest.raises(Invalid) as refused:
        write(make_coded_report(patient=patient))
    assert "PatientName" in str(refused.value)
    assert "Jane" not in str(refused.value)


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_no_code_meaning_is_longer_than_an_lo(make: object) -> None:
    root = decode_file(write(make()).content)[1]  # type: ignore[operator] # one of the makers
    entries = [item.concept_name for item in root.walk() if item.concept_name is not None]
    assert all(len(code.display) <= 64 for entry in entries for code in entry.codes)


def test_ohif_names_the_tool_and_puts_its_numbers_first() -> None:
    root = _tree(ohif_report(), dialect="ohif")
    identifiers = [item.value for item in _all(root, "tracking-identifier")]
    assert identifiers == [
        "Cornerstone3DTools@^0.1.0:Bidirectional:O1",
        "Cornerstone3DTools@^0.1.0:Length:O2",
        "Cornerstone3DTools@^0.1.0:PlanarFreehandROI:O3",
    ]
    for group in _all(root, "measurement-group"):
        first = next(item for item in group.children if item.value_type == "NUM")
        assert [child.value_type for child in first.children] == ["SCOORD"]
        assert group.value == "1501"


def test_ohif_never_shows_a_length_as_the_area_of_an_outline() -> None:
    outline = LesionImage(image(), (region(Graphic.POLYGON, *TRIANGLE),))
    lengths = make_lesion("A", images=(outline,), measurements=(number(LONG_AXIS, "14.2", MM),))
    area = make_lesion("B", images=(outline,), measurements=(number(LONG_AXIS, "14.2", MM), number(AREA, "9", MM2)))
    document = write(make_coded_report(lesions=(lengths, area)), dialect="ohif")
    computed, measured = _first_numbers(document.content)
    assert computed.concept_name == measured.concept_name == name("area")
    assert computed.value.unit == name("unit-pixels")
    assert (measured.value.decimal, measured.value.unit) == (Decimal(9), name("unit-mm2"))
    assert [loss.rule for loss in document.losses] == ["sr-computed-number"]


def _first_numbers(content: bytes) -> list[ContentItem]:
    """The number of each group that the viewer takes for the one of its tool."""
    groups = _all(decode_file(content)[1], "measurement-group")
    return [next(item for item in group.children if item.value_type == "NUM") for group in groups]


def test_ohif_computes_the_number_of_a_shape_that_nobody_measured_and_says_so() -> None:
    outline = region(Graphic.POLYGON, (0.0, 0.0), (4.0, 0.0), (4.0, 3.0), (0.0, 3.0), where="/outline")
    line = region(Graphic.LINE, (0.0, 0.0), (4.0, 3.0), where="/line")
    lesions = [
        make_lesion(one.graphic, images=(LesionImage(image(), (one,)),), measurements=()) for one in (outline, line)
    ]
    document = write(make_coded_report(lesions=tuple(lesions)), dialect="ohif")
    area, length = _first_numbers(document.content)
    assert (area.concept_name, area.value.digits) == (name("area"), "12.00")
    assert (length.concept_name, length.value.digits) == (name("length"), "5.00")
    for number_of_shape in (area, length):
        assert number_of_shape.value.unit == name("unit-pixels")
        # The viewer looks for the shape of a number that has nothing else below it.
        assert [child.value_type for child in number_of_shape.children] == ["SCOORD"]
    said = [item.value for item in _all(decode_file(document.content)[1], "qualitative-evaluations")]
    assert [text for text in said if isinstance(text, str) and "not measured" in text] == [
        "Area: computed from the shape, in pixels; not measured",
        "Length: computed from the shape, in pixels; not measured",
    ]
    assert [(loss.kind, loss.where, loss.rule) for loss in document.losses] == [
        (LossKind.FLAGGED, "/outline", "sr-computed-number"),
        (LossKind.FLAGGED, "/line", "sr-computed-number"),
    ]


def test_ohif_says_that_an_outline_no_longer_names_the_length_read_from_it() -> None:
    outline = region(Graphic.POLYGON, *TRIANGLE, shows=LONG_AXIS, where="/outline")
    report = make_coded_report(lesions=(make_lesion(images=(LesionImage(image(), (outline,)),)),))
    losses = write(report, dialect="ohif").losses
    assert [(loss.kind, loss.where) for loss in losses] == [
        (LossKind.FLAGGED, "/outline"),
        (LossKind.LOST, "/outline/measurement"),
    ]


def test_ohif_computes_nothing_where_a_shape_names_a_number_of_that_concept() -> None:
    """The shape on the other image would be taken for one of the computed number."""
    two = tuple(LesionImage(image(at), (region(Graphic.POLYGON, *TRIANGLE, shows=AREA),)) for at in (1, 2))
    said = number(AREA, "90000", term("unit-um2"))
    report = make_coded_report(lesions=(make_lesion(images=two, measurements=(said,)), *ohif_report().lesions))
    losses = write(report, dialect="ohif").losses
    assert [(loss.what, loss.rule) for loss in losses] == [("lesion", "sr-dialect")]


def test_ohif_puts_a_point_into_the_group_itself_or_below_the_number_that_it_shows() -> None:
    point = region(Graphic.POINT, (1.0, 2.0))
    bare = make_lesion("A", images=(LesionImage(image(), (point,)),), measurements=())
    showing = LesionImage(image(), (region(Graphic.POINT, (1.0, 2.0), shows=LONG_AXIS),))
    shown = make_lesion("B", images=(showing,))
    document = write(make_coded_report(lesions=(bare, shown)), dialect="ohif")
    first, second = _all(decode_file(document.content)[1], "measurement-group")
    assert first.value == "1410"
    assert [item.concept_name for item in first.children if item.value_type == "SCOORD"] == [name("image-region")]
    (number_of_point,) = (item for item in second.children if item.value_type == "NUM" and item.children)
    assert number_of_point.concept_name == name("long-axis")
    assert document.losses == ()


@pytest.mark.parametrize(
    "brings",
    [
        {},
        {"measurements": (), "count": 3},
        {"measurements": (), "time_point": TimePoint("baseline", order=1)},
    ],
    ids=["number", "count", "order"],
)
def test_ohif_draws_no_point_before_which_a_number_of_something_else_would_stand(brings: dict[str, Any]) -> None:
    point = make_lesion("A", images=(LesionImage(image(), (region(Graphic.POINT, (1.0, 2.0)),)),), **brings)
    report = make_coded_report(lesions=(point, *ohif_report().lesions))
    assert [loss.what for loss in write(report, dialect="ohif").losses] == ["lesion"]


def test_ohif_says_in_words_which_lesion_it_can_not_draw() -> None:
    report = ohif_report()
    document = write(replace(report, lesions=(*report.lesions, make_lesion("L9"))), dialect="ohif")
    said = [item.value for item in _all(decode_file(document.content)[1], "comment")]
    assert any(text.startswith("L9: brain metastasis; left frontal lobe; long axis 14.2 mm") for text in said)
    assert [loss.what for loss in document.losses] == ["lesion"]


def test_ohif_refuses_a_report_of_which_no_lesion_would_remain() -> None:
    with pytest.raises(Invalid):
        write(make_coded_report(), dialect="ohif")


def test_every_dialect_writes_the_report_that_ohif_can_read() -> None:
    for dialect in (key for key, row in DIALECTS.items() if not row.words):
        assert len(_all(_tree(ohif_report(), dialect=dialect), "measurement-group")) == 3


def test_shapes_on_a_frame_name_the_frame() -> None:
    root = _tree(regions_report())
    assert {item.value.frames for item in root.walk() if item.value_type == "IMAGE"} == {(), (2,)}


def test_ids_stay_exactly_as_they_are() -> None:
    patient = replace(make_coded_report().patient, other_ids=(PatientId("A  7"),))
    study = replace(make_coded_report().study, accession="A  481")
    dataset = _header(make_coded_report(patient=patient, study=study))
    assert dataset.OtherPatientIDsSequence[0].PatientID == "A  7"
    assert dataset.AccessionNumber == dataset.ReferencedRequestSequence[0].AccessionNumber == "A  481"


def test_a_number_has_an_image_or_a_shape_never_both() -> None:
    line = region(Graphic.LINE, (1.0, 2.0), (3.0, 4.0), shows=LONG_AXIS)
    shown: tuple[LesionImage[CodedTerm], ...] = (LesionImage(image(1), (line,)), LesionImage(image(2)))
    said = number(LONG_AXIS, "3", MM, image=image(2).sop_instance, where="/m")
    document = write(make_coded_report(lesions=(make_lesion(images=shown, measurements=(said,)),)))
    (item,) = [one for one in decode_file(document.content)[1].walk() if one.value_type == "NUM"]
    assert [child.value_type for child in item.children] == ["SCOORD"]
    assert [(loss.where, loss.rule) for loss in document.losses] == [("/m/image", "sr-image-or-shape")]
