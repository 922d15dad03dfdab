"""A lesion has every member that was read of it."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

from service.domain.codes import Term
from service.domain.geometry import Graphic3D, ImageReference, LesionImage, Region3D, SegmentReference
from service.domain.report import Evaluation, Lesion, Measurement, TimePoint
from service.formats.findings.lesions import lesion
from service.formats.findings.schema import LesionSchema


def test_every_member_that_is_read_stands_in_the_lesion() -> None:
    names = [field.attribute or name for name, field in LesionSchema().fields.items()]
    given: dict[str, Any] = {name: Term(name) for name in names} | {
        "id": "L1",
        "tracking_uid": "1.2.3",
        "count": 3,
        "text": "Abuts the falx.",
        "time_point": TimePoint("baseline"),
        "measurements": (Measurement(Term("volume"), Decimal(3), Term("mm3")),),
        "evaluations": (Evaluation(Term("T1"), Term("hypointense")),),
        "images": (LesionImage(ImageReference("1.2.3.4", "1.2.3.5", "1.2.3.6"), ()),),
        "regions3d": (Region3D("1.2.3.7", Graphic3D.POINT, ((1.0, 2.0, 3.0),)),),
        "segment": SegmentReference("1.2.3.8", "1.2.3.9", 1),
    }

    made = lesion(given, "/lesions/0")

    assert {name: getattr(made, name) for name in names} == given
    assert made.where == "/lesions/0"
    assert {*names, "where"} == {member.name for member in fields(Lesion)}
