"""AIM 4: what is denied, on another frame, of another study or of several numbers is not taken for something else."""

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.received import Intake, Received
from service.domain.report import Sex
from service.doors import READERS, Format, Options
from service.pipeline import Source, convert
from tests.unit.formats.table.test_aim import ENTITIES, IMAGE, LENGTH, LINE, document

OTHER = IMAGE.replace("1.2.3", "1.2.9")
ABSENT = ENTITIES.replace("</ImagingObservationEntity>", '<isPresent value="false"/></ImagingObservationEntity>')
MEAN = '<typeCode code="373098007" codeSystemName="SCT"><iso:displayName value="Mean"/></typeCode><description'
MAPPING = '[constants]\n"/patient/id" = "{}"\n'


def read(inner: str, mapping: str = "", **changes: str) -> Received:
    content = document(inner)
    for old, new in changes.items():
        content = content.replace(old.encode(), new.encode())
    return READERS[Format.AIM](content, Intake(zone="Europe/Berlin", mapping=mapping))


def rules(made: Received) -> dict[str, str]:
    return {loss.where.rpartition("/")[2]: loss.rule for loss in made.losses}


def test_what_is_said_not_to_be_there_is_a_denied_lesion() -> None:
    lesion = code_report(read(ABSENT + IMAGE).report, vocabulary()).lesions[0]
    assert lesion.finding.concept == "brain-metastasis"
    assert lesion.certainty is not None
    assert lesion.certainty.concept == "absent"


def test_what_is_said_not_to_be_there_beside_a_finding_is_absent_there() -> None:
    necrosis = '<typeCode code="6574001" codeSystemName="SCT"/>'
    observed = (
        f"<imagingObservationEntityCollection><ImagingObservationEntity>{necrosis}"
        '<isPresent value="false"/></ImagingObservationEntity></imagingObservationEntityCollection>'
    )
    lesion = read(observed + ENTITIES + IMAGE).report.lesions[0]
    assert lesion.certainty is None
    assert lesion.finding.code is not None
    assert lesion.finding.code.code == "94225005"
    answers = [(one.name.code.code if one.name.code else "", one.value.text) for one in lesion.evaluations]
    assert answers == [("6574001", "absent")]


def test_a_place_that_is_said_not_to_be_affected_is_no_site() -> None:
    made = read(ENTITIES.replace("</ImagingPhysicalEntity>", '<isPresent value="0"/></ImagingPhysicalEntity>') + IMAGE)
    assert made.report.lesions[0].site is None
    assert rules(made)["ImagingPhysicalEntity[1]"] == "aim"


def test_images_of_another_study_are_of_that() -> None:
    made = read(ENTITIES + IMAGE + OTHER)
    assert made.report.study.uid == "1.2.3"
    [here, there] = [image.image for image in made.report.lesions[0].images]
    assert (here.study, there.study) == (None, "1.2.9")
    assert "aim-study" in {loss.rule for loss in made.losses}


def test_a_shape_is_on_its_frame() -> None:
    framed = LINE.replace('<imageReferenceUid root="1.2.3.4.5"/>', '<imageReferenceUid root="1.2.3.4.5"/>{}')
    frame = '<referencedFrameNumber value="37"/>'
    image = IMAGE.replace("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1")
    [made] = read(ENTITIES + image + framed.format(frame)).report.lesions[0].images
    assert made.image.frames == (37,)
    odd = read(ENTITIES + image + framed.format(frame.replace("37", "0")))
    assert not odd.report.lesions[0].images[0].regions
    assert rules(odd)["MarkupEntity[1]"] == "aim"


@pytest.mark.parametrize(
    "markup",
    [
        LINE.replace("<imageReferenceUid", '<includeFlag value="false"/><imageReferenceUid'),
        LINE.replace('x value="16.5"', 'x value="NaN"'),
    ],
    ids=["excluded", "broken"],
)
def test_a_shape_that_is_not_the_lesions_is_listed(markup: str) -> None:
    made = read(ENTITIES + IMAGE + markup)
    assert not made.report.lesions[0].images[0].regions
    assert rules(made)["MarkupEntity[1]"] == "aim"


def test_a_shape_that_another_one_excludes_is_a_hole() -> None:
    hole = LINE.replace("<imageReferenceUid", '<uniqueIdentifier root="1.9.2"/><imageReferenceUid')
    kind = "TwoDimensionGeometricShapeEntityExcludesTwoDimensionGeometricShapeEntityStatement"
    said = (
        f'<imageAnnotationStatementCollection><ImageAnnotationStatement xsi:type="{kind}">'
        '<subjectUniqueIdentifier root="1.9.1"/><objectUniqueIdentifier root="1.9.2"/>'
        "</ImageAnnotationStatement></imageAnnotationStatementCollection>"
    )
    assert read(ENTITIES + IMAGE + hole).report.lesions[0].images[0].regions
    made = read(ENTITIES + IMAGE + hole + said)
    assert not made.report.lesions[0].images[0].regions
    assert rules(made)["MarkupEntity[1]"] == "aim"


@pytest.mark.parametrize(
    "calculation",
    [
        LENGTH.replace("</CalculationData>", '</CalculationData><CalculationData><value value="9"/></CalculationData>'),
        LENGTH.replace("<CalculationResult>", '<CalculationResult type="Histogram">'),
        LENGTH.replace(
            "</CalculationResult>",
            '</CalculationResult><CalculationResult><unitOfMeasure value="mm"/><value value="9"/></CalculationResult>',
        ),
    ],
    ids=["several", "histogram", "results"],
)
def test_the_first_of_several_numbers_is_not_the_number(calculation: str) -> None:
    made = read(ENTITIES + calculation + IMAGE)
    assert not made.report.lesions[0].measurements
    assert rules(made)["CalculationEntity[1]"] == "aim"


def test_a_number_keeps_its_derivation_in_words() -> None:
    said = LENGTH.replace("<description", MEAN).replace('value="Length"', 'value="Long axis mean"')
    made = read(ENTITIES + said + IMAGE)
    assert made.report.lesions[0].measurements[0].concept.text == "Long axis mean"
    outcome = convert(Source(document(ENTITIES + said + IMAGE), Format.AIM), (Format.SR, Format.FHIR_R4), Options())
    assert all(b"Long axis mean" in one.content for one in outcome.outputs.values())


def test_doubt_and_remarks_beside_a_finding_are_listed() -> None:
    beside = '<annotatorConfidence value="0.4"/><comment value="unsure"/></ImagingObservationEntity>'
    found = rules(read(ENTITIES.replace("</ImagingObservationEntity>", beside) + IMAGE))
    assert {"annotatorConfidence", "comment"} <= set(found)
    nobody = beside.replace("0.4", "0").replace('<comment value="unsure"/>', "")
    assert not {"annotatorConfidence"} & set(rules(read(ENTITIES.replace("</ImagingObservationEntity>", nobody))))


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("2026-03-02T10:41:00", "2026-03-02T10:41:00+01:00"),
        ("20260302104100", "2026-03-02T10:41:00+01:00"),
        ("2026-03-02T10:41:00Z", "2026-03-02T10:41:00Z"),
        ("2026-03-02T10:41:00.5-0800", "2026-03-02T10:41:00-08:00"),
    ],
)
def test_a_time_keeps_its_zone(said: str, taken: str) -> None:
    assert read(ENTITIES, **{"2026-03-02T10:41:00": said}).report.issued.text == taken


def test_an_annotation_without_a_name_is_the_same_in_no_other_collection() -> None:
    nameless = {'<name value="Lesion1"/>': ""}
    ids = [read(ENTITIES, **nameless, **{"1.9.9": uid}).report.lesions[0].id for uid in ("1.9.9", "1.9.8")]
    assert len(set(ids)) == 2


def test_another_patient_in_the_mapping_file_is_flagged() -> None:
    assert "aim-constant" in {loss.rule for loss in read(ENTITIES, MAPPING.format("P2")).losses}
    assert "aim-constant" not in {loss.rule for loss in read(ENTITIES, MAPPING.format("P1")).losses}


@pytest.mark.parametrize(("said", "taken"), [("F", Sex.FEMALE), ("Male", Sex.MALE), ("Mujer", None), ("U", None)])
def test_a_sex_is_told_by_its_word_and_no_letter_of_it(said: str, taken: Sex | None) -> None:
    made = read(ENTITIES, **{'<sex value="F"/>': f'<sex value="{said}"/>'})
    assert made.report.patient.sex == taken
    assert ("person/sex" in {loss.where for loss in made.losses}) == (taken is None)
