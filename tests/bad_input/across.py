"""Documents whose members contradict each other."""

from tests.bad_input.case import IMAGE, MR, Case
from tests.documents import Json, as_bytes, make_document

_L1 = {"id": "L1", "finding": "brain metastasis"}
_L2 = {"id": "L2", "finding": "brain metastasis"}
_WITH_IMAGE = {"images": [IMAGE]}
_SEGMENT = {"segment": {"sop": "1.2.3.8.1", "series": "1.2.3.8", "number": 1}}
_OTHER_SERIES = {"images": [IMAGE | {"series": "1.2.3.44"}]}
_OBSERVER = {"device": {"name": "MetDetect"}}
_VERIFIED = {"person": {"name": "Roe", "verifiedAt": "2026-03-02"}}
_PRELIMINARY = make_document()["report"] | {"status": "preliminary"}


def document(name: str, members: Json, *expected: tuple[str, str]) -> Case:
    """The smallest document with other top-level members."""
    return Case(name, as_bytes(make_document(**members)), frozenset(expected))


ACROSS = [
    document("two lesions with one id", {"lesions": [_L1, _L1]}, ("/lesions/1/id", "duplicate-id")),
    document(
        "two lesions with one tracking UID",
        {"lesions": [_L1 | {"trackingUid": "1.2.3"}, _L2 | {"trackingUid": "1.2.3"}]},
        ("/lesions/1/trackingUid", "duplicate-id"),
    ),
    document(
        "one SEG instance in two series",
        {"lesions": [_L1 | _SEGMENT, _L2 | {"segment": _SEGMENT["segment"] | {"series": "1.2.3.88"}}]},
        ("/lesions/0/segment", "image"),
        ("/lesions/1/segment", "image"),
    ),
    document(
        "one instance as segmentation and as MR image",
        {"lesions": [_L1 | _SEGMENT | {"images": [IMAGE | {"sopClass": MR, "sop": "1.2.3.8.1", "series": "1.2.3.8"}]}]},
        ("/lesions/0/images/0", "image"),
        ("/lesions/0/segment", "image"),
    ),
    document(
        "one image in two series",
        {"lesions": [_L1 | _WITH_IMAGE, _L2 | _OTHER_SERIES]},
        ("/lesions/1/images/0", "image"),
    ),
    document("observer and observers", {"observer": _OBSERVER, "observers": [_OBSERVER]}, ("/observer", "either-or")),
    document(
        "a verified preliminary report",
        {"report": _PRELIMINARY, "observer": _VERIFIED},
        ("/observer/person/verifiedAt", "verified"),
    ),
    document(
        "a preliminary report verified by the second observer",
        {"report": _PRELIMINARY, "observers": [_OBSERVER, _VERIFIED]},
        ("/observers/1/person/verifiedAt", "verified"),
    ),
    document("a report that says nothing", {"lesions": None}, ("", "empty-report")),
    document("a report with empty lists", {"lesions": [], "observers": []}, ("", "empty-report")),
]
