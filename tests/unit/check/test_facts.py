"""What two formats say in two ways is one fact; what only looks alike is two."""

from dataclasses import replace
from decimal import Decimal

import pytest

from service.check.compare import compare
from service.coding import vocabulary
from service.domain.codes import CodedTerm
from service.domain.geometry import Graphic, LesionImage, Region2D
from service.domain.names import NameGroup, PersonName
from service.domain.report import CodedReport, Lesion, Measurement, Observer, Person
from service.formats.fhir import write as fhir
from service.formats.sr import write as sr
from tests.report_set import regions_report
from tests.report_terms import AREA, LONG_AXIS, MM, MM2
from tests.reports import make_coded_report, make_lesion


def _differences(report: CodedReport) -> list[str]:
    document = sr.write(report)
    bundle = fhir.write(report, document.reference)
    return [one.place for one in compare(report, document.content, bundle.content, document.losses)]


def _of(lesion: Lesion[CodedTerm]) -> CodedReport:
    return make_coded_report(lesions=(lesion,))


@pytest.mark.parametrize("given", ["", "Anna"])
def test_a_middle_name_is_a_given_name_in_fhir(given: str) -> None:
    name = PersonName(NameGroup("Nowak", given, "Maria"), NameGroup("", given, "X"))
    report = make_coded_report()
    named = replace(report, patient=replace(report.patient, name=name), observers=(Observer(person=Person(name)),))
    assert _differences(named) == []


def test_a_lesion_whose_certainty_is_absent_says_so_with_all_its_codes() -> None:
    absent = vocabulary().term("absent")
    assert len(absent.codes) > 1
    assert _differences(_of(make_lesion("L1", certainty=absent))) == []


def test_an_image_that_is_listed_twice_is_one_image() -> None:
    shown = regions_report().lesions[0].images[0]
    again: LesionImage[CodedTerm] = LesionImage(shown.image)
    assert _differences(_of(make_lesion("L1", images=(shown, again)))) == []


def _drawn(*measurements: Measurement[CodedTerm]) -> CodedReport:
    """A lesion with an outline that shows the first of its measurements, all made on its image."""
    image = regions_report().lesions[0].images[0].image
    outline = Region2D(Graphic.POLYGON, ((1.0, 1.0), (9.0, 1.0), (9.0, 9.0)), measurements[0].concept)
    made = tuple(replace(one, image=image.sop_instance) for one in measurements)
    return _of(make_lesion("L1", measurements=made, images=(LesionImage(image, (outline,)),)))


def test_a_number_is_known_to_be_of_its_image_with_its_shape_below_it_or_elsewhere() -> None:
    assert _differences(_drawn(Measurement(LONG_AXIS, Decimal(9), MM))) == []
    assert _differences(_drawn(Measurement(AREA, Decimal(32), MM2))) == []


def test_of_two_numbers_of_one_image_and_concept_one_has_the_shape() -> None:
    assert _differences(_drawn(Measurement(LONG_AXIS, Decimal(9), MM), Measurement(LONG_AXIS, Decimal(8), MM))) == []
