"""The shapes of a lesion that a report speaks of no more are withdrawn with it (R5)."""

from dataclasses import replace

import pytest

from service.domain.codes import CodedTerm
from service.domain.geometry import Graphic, ImageReference, LesionImage, Region2D
from service.domain.lesion import Lesion
from service.domain.report import Status
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from tests.amended import entries, written_after
from tests.fhir_bundles import Json
from tests.reports import make_coded_report, make_lesion


def _drawn(name: str, uid: str) -> Lesion[CodedTerm]:
    image = ImageReference("1.2.840.10008.5.1.4.1.1.4", f"1.2.3.{uid}", "1.2.3")
    region: Region2D[CodedTerm] = Region2D(Graphic.LINE, ((1.0, 2.0), (3.0, 4.0)))
    return make_lesion(name, tracking_uid=f"1.2.3.77.{uid}", images=(LesionImage(image, (region,)),))


BEFORE = make_coded_report(lesions=(_drawn("L1", "1"), _drawn("L2", "2")))


def _selections(made: list[Json]) -> dict[str, Json]:
    found = (one for one in made if one["resource"]["resourceType"] == "ImagingSelection")
    return {one["fullUrl"]: one for one in found}


@pytest.mark.parametrize("status", [Status.CORRECTED, Status.ENTERED_IN_ERROR])
def test_a_shape_of_a_lesion_that_is_gone_is_withdrawn(status: Status) -> None:
    earlier = written_after(BEFORE, [], R5)
    now = replace(BEFORE, version=2, status=status, lesions=BEFORE.lesions[:1])
    first, second = (_selections(list(entries(one))) for one in (earlier, written_after(now, [earlier], R5)))
    assert list(first) == list(second)
    kept, gone = second.values()
    assert kept["resource"]["status"] == ("available" if status is Status.CORRECTED else "entered-in-error")
    was = list(first.values())[1]
    assert gone["request"] == was["request"]
    assert gone["resource"]["status"] == "entered-in-error"
    for member in ("identifier", "code", "studyUid", "seriesUid", "instance"):
        assert gone["resource"][member] == was["resource"][member], member
    assert not {"derivedFrom", "issued", "basedOn"} & gone["resource"].keys()


def test_r4_has_no_selection_to_withdraw() -> None:
    earlier = written_after(BEFORE, [], R5)
    made = written_after(replace(BEFORE, version=2, lesions=BEFORE.lesions[:1]), [earlier], R4)
    assert _selections(list(entries(made))) == {}
