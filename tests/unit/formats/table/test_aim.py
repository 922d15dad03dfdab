"""AIM 4: an annotation is a lesion, with its codes, numbers, images and shapes."""

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import Refused
from service.domain.received import Intake, Received
from service.doors import READERS, Format, detect

IMAGE = """<imageReferenceEntityCollection><ImageReferenceEntity xsi:type="DicomImageReferenceEntity"><imageStudy>
<instanceUid root="1.2.3"/><startDate value="20260302"/><imageSeries><instanceUid root="1.2.3.4"/>
<modality code="MR" codeSystemName="DCM"/><imageCollection><Image>
<sopClassUid root="1.2.840.10008.5.1.4.1.1.4"/><sopInstanceUid root="1.2.3.4.5"/></Image></imageCollection>
</imageSeries></imageStudy></ImageReferenceEntity></imageReferenceEntityCollection>"""
LINE = """<markupEntityCollection><MarkupEntity xsi:type="TwoDimensionMultiPoint"><imageReferenceUid root="1.2.3.4.5"/>
<twoDimensionSpatialCoordinateCollection>
<TwoDimensionSpatialCoordinate><coordinateIndex value="1"/><x value="16.5"/><y value="8"/>
</TwoDimensionSpatialCoordinate>
<TwoDimensionSpatialCoordinate><coordinateIndex value="0"/><x value="2.5"/><y value="8"/>
</TwoDimensionSpatialCoordinate>
</twoDimensionSpatialCoordinateCollection></MarkupEntity></markupEntityCollection>"""
LENGTH = """<calculationEntityCollection><CalculationEntity>
<typeCode code="103339001" codeSystemName="SCT"><iso:displayName value="Long axis"/></typeCode>
<description value="Length"/><calculationResultCollection><CalculationResult><unitOfMeasure value="mm"/>
<calculationDataCollection><CalculationData><value value="14.20"/></CalculationData></calculationDataCollection>
</CalculationResult></calculationResultCollection></CalculationEntity></calculationEntityCollection>"""
ENTITIES = """<imagingObservationEntityCollection><ImagingObservationEntity>
<typeCode code="94225005" codeSystemName="SCT">
<iso:displayName value="Metastatic malignant neoplasm to brain"/></typeCode>
</ImagingObservationEntity></imagingObservationEntityCollection>
<imagingPhysicalEntityCollection><ImagingPhysicalEntity><typeCode code="83251001" codeSystemName="SCT"/>
</ImagingPhysicalEntity></imagingPhysicalEntityCollection>"""


def document(inner: str = ENTITIES + LENGTH + IMAGE + LINE, head: str = "") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>{head}
<ImageAnnotationCollection xmlns="gme://caCORE.caCORE/4.4/edu.northwestern.radiology.AIM" xmlns:iso="uri:iso.org:21090"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" aimVersion="AIMv4_0">
<uniqueIdentifier root="1.9.9"/><dateTime value="2026-03-02T10:41:00"/>
<user><name value="Roe^Rita"/><loginName value="rr"/></user>
<person><name value="Doe^Jane"/><id value="P1"/><birthDate value="19610402"/><sex value="F"/></person>
<imageAnnotations><ImageAnnotation><name value="Lesion1"/>
<comment value="new"/>{inner}</ImageAnnotation></imageAnnotations>
</ImageAnnotationCollection>""".encode()


def read(content: bytes) -> Received:
    return READERS[Format.AIM](content, Intake(zone="Europe/Berlin"))


def test_it_is_known_by_its_root() -> None:
    assert detect(document()) is Format.AIM


def test_an_annotation_is_a_lesion() -> None:
    made = read(document())
    report = code_report(made.report, vocabulary())
    lesion = report.lesions[0]
    assert (report.patient.id, report.study.uid, report.issued.text) == ("P1", "1.2.3", "2026-03-02T10:41:00+01:00")
    assert (lesion.id, lesion.text, lesion.finding.concept) == ("Lesion1", "new", "brain-metastasis")
    assert lesion.site is not None
    assert lesion.site.concept == "frontal-lobe"
    assert (str(lesion.measurements[0].value), lesion.measurements[0].unit.codes[0].code) == ("14.20", "mm")


def test_points_stand_in_the_order_of_their_index() -> None:
    [image] = read(document()).report.lesions[0].images
    assert [region.points for region in image.regions] == [((2.5, 8.0), (16.5, 8.0))]
    assert image.image.sop_instance == "1.2.3.4.5"


@pytest.mark.parametrize("said", ["0=", "-1", "9" * 5_000])
def test_an_index_that_is_no_number_is_the_first(said: str) -> None:
    broken = LINE.replace('coordinateIndex value="0"', f'coordinateIndex value="{said}"')
    [image] = read(document(ENTITIES + IMAGE + broken)).report.lesions[0].images
    assert image.regions[0].points == ((2.5, 8.0), (16.5, 8.0))


def test_what_it_does_not_say_is_assumed_and_flagged() -> None:
    made = read(document(""))
    assert {loss.rule for loss in made.losses} == {
        "aim-status", "aim-finding", "aim-modality", "aim-procedure", "study-uid-derived",
    }  # fmt: skip


def test_what_can_not_be_read_is_listed_and_the_rest_stands() -> None:
    made = read(document(ENTITIES + LENGTH.replace("14.20", "long") + IMAGE + LINE.replace("1.2.3.4.5", "9.9")))
    listed = {loss.where for loss in made.losses if loss.rule == "aim"}
    base = "imageAnnotations/ImageAnnotation[1]"
    assert f"{base}/calculationEntityCollection/CalculationEntity[1]" in listed
    assert f"{base}/markupEntityCollection/MarkupEntity[1]" in listed


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<ImageAnnotationCollection",
        b"<other/>",
        document(head=BOMB),
        document(head='<!DOCTYPE x SYSTEM "file:///etc/passwd">'),
        b"<ImageAnnotationCollection xmlns='x'><imageAnnotations/></ImageAnnotationCollection>",
        b"<ImageAnnotationCollection>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</ImageAnnotationCollection>",
    ],
)
def test_what_is_no_such_document_is_refused(content: bytes) -> None:
    with pytest.raises(Refused):
        read(content)
