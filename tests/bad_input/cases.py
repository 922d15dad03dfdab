"""The bad documents as data: JSON texts, and changes of a document that is right."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from service.domain.errors import Invalid, Refused, Unreadable
from tests.documents import FULL, Json, as_bytes, make_document, make_lesion_document

Expected = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    """A body, and all (pointer, rule) that it is refused for."""

    name: str
    body: bytes
    expected: Expected
    error: type[Refused] = Invalid


def _text(name: str, body: bytes | str, *expected: tuple[str, str], error: type[Refused] = Invalid) -> Case:
    return Case(name, body if isinstance(body, bytes) else body.encode(), frozenset(expected), error)


def _lesion(name: str, members: Json, *expected: tuple[str, str]) -> Case:
    """A document whose only lesion has ``members``; the pointers are those within the lesion."""
    places = frozenset((f"/lesions/0{pointer}", rule) for pointer, rule in expected)
    return Case(name, as_bytes(make_lesion_document(**members)), places)


def _measured(name: str, value: Any, rule: str, pointer: str = "") -> Case:
    """A document with one measurement."""
    return _lesion(name, {"measurements": {"x": value}}, (f"/measurements/x{pointer}", rule))


def _changed(name: str, path: str, value: Any, rule: str, pointer: str | None = None) -> Case:
    """The full document with another value at a pointer; ``...`` removes the member."""
    document = deepcopy(FULL)
    holder: Any = document
    *steps, last = path.split("/")[1:]
    for step in steps:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    if value is ...:
        del holder[last]
    else:
        holder[int(last) if isinstance(holder, list) else last] = value
    return Case(name, as_bytes(document), frozenset({(path if pointer is None else pointer, rule)}))


def _within(name: str, old: bytes, new: bytes, *expected: tuple[str, str]) -> Case:
    """The smallest document with some bytes in place of others."""
    body = as_bytes(make_lesion_document(text="TEXT", measurements={"x": {"value": "VALUE", "unit": "mm"}}))
    assert old in body, old
    return Case(name, body.replace(old, new), frozenset(expected))


_IMAGE = {"sopClass": "1.2.3", "sop": "1.2.3.4.5", "series": "1.2.3.4"}
_CT, _MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
_VALUE = "/lesions/0/measurements/x/value"


def _shape(name: str, members: Json, *expected: tuple[str, str]) -> Case:
    """A lesion with one image that has ``members``."""
    return _lesion(name, {"images": [_IMAGE | members]}, *((f"/images/0{place}", rule) for place, rule in expected))


_TEXTS = [
    _text("no body", b"", ("", "json"), error=Unreadable),
    _text("white space only", b" \n", ("", "json"), error=Unreadable),
    _text("truncated", as_bytes(FULL)[:-20], ("", "json"), error=Unreadable),
    _text("truncated in a string", b'{"report": {"id": "[[[[', ("", "json"), error=Unreadable),
    _text("two texts", b"{} {}", ("", "json"), error=Unreadable),
    _text("no JSON", b"<report/>", ("", "json"), error=Unreadable),
    _text("single quotes", b"{'report': {}}", ("", "json"), error=Unreadable),
    _text("trailing comma", b'{"report": {},}', ("", "json"), error=Unreadable),
    _text("comment", b'{"report": {} /* draft */}', ("", "json"), error=Unreadable),
    _text("raw line break in a string", b'{"report": "a\nb"}', ("", "json"), error=Unreadable),
    _text("bad escape", rb'{"report": "\x41"}', ("", "json"), error=Unreadable),
    _text("latin-1", '{"patient": "Müller"}'.encode("latin-1"), ("", "utf-8"), error=Unreadable),
    _text("utf-16", '{"report": {}}'.encode("utf-16"), ("", "utf-8"), error=Unreadable),
    _text("surrogate in utf-8", b'{"report": "\xed\xa0\x80"}', ("", "utf-8"), error=Unreadable),
    _text("null", b"null", ("", "type")),
    _text("a list at the top", b"[{}]", ("", "type")),
    _text("a string at the top", b'"report"', ("", "type")),
    _text("an empty object", b"{}", ("/report", "required"), ("/patient", "required"), ("/study", "required")),
    _text("33 levels", b"[" * 33 + b"]" * 33, ("", "limit")),
    _text("100,000 levels, truncated", b"[" * 100_000, ("", "limit")),
    _text("100,000 levels of objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, ("", "limit")),
    _text("levels between strings with brackets", b'["]",' * 40 + b"1" + b"]" * 40, ("", "limit")),
    _text("levels behind escaped quotes", rb'["\"]\\",' * 40 + b"1" + b"]" * 40, ("", "limit")),
    _text(
        "duplicate members",
        b'{"a~/b": 1, "c": {"d": 1, "d": 2, "d": 3}, "a~/b": 1}',
        ("/a~0~1b", "duplicate-member"),
        ("/c/d", "duplicate-member"),
    ),
    _text("duplicates by escape", rb'{"report": {}, "rep\u006frt": {}}', ("/report", "duplicate-member")),
    _text("NaN", b'{"a": [1, NaN, -Infinity, Infinity]}', ("/a/1", "number"), ("/a/2", "number"), ("/a/3", "number")),
    _text("5,000 digits", b'{"a": [' + b"9" * 5_000 + b"]}", ("/a/0", "number")),
    _text("an exponent without bound", b'{"a": 1e99999999999999999999}', ("/a", "number")),
    _text("lone surrogate", rb'{"a": ["\ud83d\ude00", "\ud800"]}', ("/a/1", "character")),
    _text("lone surrogate in a name", rb'{"a": {"\udc00": 1}}', ("/a", "character")),
    _text(
        "control characters",
        rb'{"a": "\u0000", "b": "\u001b[1m", "c": "\b", "d": "\u0085", "e": "tab\tor\r\n"}',
        ("/a", "character"),
        ("/b", "character"),
        ("/c", "character"),
        ("/d", "character"),
    ),
    _text("raw control character", b'{"a": "\x07"}', ("/a", "character")),
    _text("delete", b'{"a": "\x7f"}', ("/a", "character")),
    _text(
        "noncharacters",
        '{"a": "\ufffe", "b": "\\uffff", "c": "\ufdd0"}',
        ("/a", "character"),
        ("/b", "character"),
        ("/c", "character"),
    ),
    _text(
        "text shown in another order",
        '{"a": "\u202etfel\u202c", "b": "\\u202D"}',
        ("/a", "character"),
        ("/b", "character"),
    ),
]

_MEMBERS = [
    _changed("unknown member at the top", "/studies", [], "unknown-member"),
    _changed("unknown member", "/patient/mrn", "4711", "unknown-member"),
    _changed("unknown member of a name", "/patient/name/nick", "J", "unknown-member"),
    _changed("unknown member of a name's group", "/patient/name/phonetic/nick", "J", "unknown-member"),
    _changed("unknown member of a code", "/lesions/0/finding/version", "2026", "unknown-member"),
    _changed("unknown member of a measurement", "/lesions/0/measurements/0/units", "mm", "unknown-member"),
    _changed("unknown member of a range", "/lesions/0/measurements/0/range/mid", 1, "unknown-member"),
    _changed("unknown member of a descriptor", "/lesions/0/descriptors/0/unit", "mm", "unknown-member"),
    _changed("unknown member of an image", "/lesions/0/images/0/circle", {}, "unknown-member"),
    _changed("unknown member of a shape", "/lesions/0/images/0/line/color", "red", "unknown-member"),
    _changed("unknown member of a bidirectional", "/lesions/0/images/0/bidirectional/middle", 1, "unknown-member"),
    _changed("unknown member of a region", "/lesions/0/regions3d/0/color", "red", "unknown-member"),
    _changed("shapes on evidence", "/study/images/0/line", {}, "unknown-member"),
    _lesion("unknown member with / and ~", {"a/b~c": 1}, ("/a~1b~0c", "unknown-member")),
    _changed("a name of a member without end", "/" + "x" * 300, 1, "limit", ""),
    _changed("null", "/patient/birthDate", None, "null"),
    _changed("null for an object", "/study", None, "null"),
    _changed("null for a term", "/lesions/0/site", None, "null"),
    _changed("null for a list", "/lesions", None, "null"),
    _changed("a number for an id", "/patient/id", 11235, "type"),
    _changed("a list for an object", "/patient", [], "type"),
    _changed("an object for a list", "/lesions", {}, "type"),
    _changed("a string for an object", "/lesions/0", "brain metastasis", "type"),
    _changed("a number for a term", "/lesions/0/site", 3, "type"),
    _changed("true for a term", "/lesions/0/site", True, "type"),
    _changed("true for a version", "/report/version", True, "type"),
    _changed("a version with a point", "/report/version", 1.0, "type"),
    _changed("a number for a text", "/report/impression", 3, "type"),
    _changed("a number for a UID", "/study/uid", 1.2, "type"),
    _changed("a number for a date", "/study/started", 20260302, "type"),
    _changed("a number for a status", "/report/status", 1, "type"),
    _changed("a number for a language", "/report/language", 1, "type"),
    _changed("a number for a name", "/patient/name", 1, "type"),
    _changed("a string for a group of a name", "/patient/name/phonetic", "J", "type"),
    _changed("a number for a physician", "/study/referringPhysician", 1, "type"),
    _changed("a number for a time point", "/lesions/0/timePoint", 8, "type"),
    _changed("a string for descriptors", "/lesions/0/descriptors", "T1 hypointense", "type"),
    _changed("a string for a descriptor", "/lesions/0/descriptors/0", "T1", "type"),
    _changed("a string for measurements", "/lesions/0/measurements", "14 mm", "type"),
    _changed("a string for a measurement of a list", "/lesions/0/measurements/0", "14 mm", "type"),
    _changed("a string for a range", "/lesions/0/measurements/0/range", "0-10", "type"),
    _changed("a string for an image", "/lesions/0/images/0", "1.2.3", "type"),
    _changed("a string for a shape", "/lesions/0/images/0/line", "1,2 3,4", "type"),
    _changed("a string for a bidirectional", "/lesions/0/images/0/bidirectional", "1,2 3,4", "type"),
    _changed("a string for a region", "/lesions/0/regions3d/0", "1,2,3", "type"),
    _changed("no id", "/lesions/0/id", ..., "required"),
    _changed("no finding", "/lesions/0/finding", ..., "required"),
    _changed("no status", "/report/status", ..., "required"),
    _changed("no procedure", "/study/procedure", ..., "required"),
    _changed("an empty list of procedures", "/study/procedure", [], "empty"),
    _changed("nobody observed", "/observers/0", {}, "required"),
    _changed("a code without system", "/lesions/0/finding/system", ..., "required"),
    _changed("a code without code", "/lesions/0/finding/code", ..., "required"),
    _changed("a measurement without concept", "/lesions/0/measurements/0/concept", ..., "required"),
    _changed("a measurement without value", "/lesions/0/measurements/0/value", ..., "required"),
    _changed("a descriptor without field", "/lesions/0/descriptors/0/field", ..., "required"),
    _changed("an image without series", "/lesions/0/images/0/series", ..., "required"),
    _changed("a shape without points", "/lesions/0/images/0/line/points", ..., "required"),
    _changed("a bidirectional without short axis", "/lesions/0/images/0/bidirectional/short", ..., "required"),
    _changed("a region without frame of reference", "/lesions/0/regions3d/0/frameOfReference", ..., "required"),
    _changed("an empty id", "/patient/id", "", "empty"),
    _changed("an id of spaces", "/patient/id", " \t\n", "empty"),
    _changed("an empty term", "/lesions/0/site", "", "empty"),
    _changed("an empty text", "/report/impression", "\n", "empty"),
    _changed("an empty name", "/patient/name", "^^", "name"),
    _changed("a name without parts", "/patient/name", {}, "name"),
    _changed("a part of a name with PN's delimiter", "/patient/name/given", "A^B", "name"),
    _changed("a name with four groups", "/patient/name", "A=B=C=D", "name"),
    _changed("a name with six components", "/patient/name", "A^B^C^D^E^F", "name"),
    _changed("a name with a backslash", "/patient/name", "A\\B", "name"),
    _changed("a name group of 65 characters", "/patient/name", "A" * 65, "name"),
    _changed("an id on two lines", "/patient/id", "1\n2", "line-break"),
    _changed("a term with a tab", "/lesions/0/site", "frontal\tlobe", "line-break"),
    _changed("an id with a backslash", "/patient/id", "1\\2", "character"),
    _changed("a patient id of 65 characters", "/patient/id", "1" * 65, "length"),
    _changed("an accession number of 17 characters", "/study/accession", "1" * 17, "length"),
    _changed("a term of 257 characters", "/lesions/0/site", "x" * 257, "length"),
    _changed("a text of 65,537 characters", "/lesions/0/text", "x" * 65_537, "length"),
    _changed("an unknown status", "/report/status", "Final", "choice"),
    _changed("an unknown sex", "/patient/sex", "U", "choice"),
    _changed("an unknown kind of count", "/lesions/0/count", "many", "choice"),
    _changed("an unknown kind of region", "/lesions/0/regions3d/0/kind", "sphere", "choice"),
    _changed("no lesion", "/lesions/0/count", 0, "range"),
    _changed("version 0", "/report/version", 0, "range"),
    _changed("a version past 32 bits", "/report/version", 2**31, "range"),
    _changed("frame 0", "/lesions/0/images/0/frame", 0, "range"),
    _changed("frame 0 in a list", "/study/images/0/frame", [1, 0], "range", "/study/images/0/frame/1"),
    _changed("segment 65,536", "/lesions/0/segment/number", 65_536, "range"),
    _changed("a range upside down", "/lesions/0/measurements/0/range", {"low": 2, "high": 1}, "range"),
    _changed("an empty range", "/lesions/0/measurements/0/range", {}, "range"),
    _shape("frame 2 of a single-frame image", {"sopClass": _MR, "frame": 2}, ("/frame", "frame")),
    _shape(
        "frames of a single-frame image",
        {"frame": [1, 2, 3], "sopClass": _CT},
        ("/frame/1", "frame"),
        ("/frame/2", "frame"),
    ),
    _changed("frames of a study's CT image", "/study/images/0/sopClass", _CT, "frame", "/study/images/0/frame/1"),
    _changed("a UID with letters", "/study/uid", "1.2.x", "uid"),
    _changed("a UID with a leading zero", "/lesions/0/trackingUid", "1.02.3", "uid"),
    _changed("a UID of 65 characters", "/lesions/0/images/0/sop", "1." + "2" * 63, "uid"),
    _changed("a UID with a space", "/lesions/0/segment/sop", "1.2.3 ", "uid"),
    _changed("an empty UID", "/study/uid", "", "uid"),
    _changed("a day that is none", "/patient/birthDate", "2025-02-29", "date"),
    _changed("a month that is none", "/patient/birthDate", "1961-13", "date"),
    _changed("a birth date with time", "/patient/birthDate", "1961-04-02T00:00:00Z", "date"),
    _changed("a date of DICOM", "/patient/birthDate", "19610402", "date"),
    _changed("an hour that is none", "/study/started", "2026-03-02T24:00:00Z", "date"),
    _changed("a zone that is none", "/study/started", "2026-03-02T09:00:00+15:00", "date"),
    _changed("issued without zone", "/report/issued", "2026-03-02T10:41:00", "date"),
    _changed("issued on a day only", "/report/issued", "2026-03-02", "date"),
    _changed("verified in a month", "/observers/1/person/verifiedAt", "2026-03", "date"),
    _changed("no language", "/report/language", "english please", "language"),
    _changed("a language too long for a code", "/report/language", "de-CH-1996-x-abcdef", "language"),
]

_MEASUREMENTS = [
    _measured("a number without unit", 14.2, "unit-missing"),
    _measured("a string without unit", "14.2", "unit-missing"),
    _measured("parts without unit", {"value": 14.2}, "unit-missing", "/unit"),
    _measured("two units", {"value": "14.2 mm", "unit": "cm"}, "unit-twice", "/unit"),
    _measured("a decimal comma", "14,2 mm", "decimal-comma"),
    _measured("a comma for thousands", "1,450 mm3", "decimal-comma"),
    _measured("a decimal comma in parts", {"value": "14,2", "unit": "mm"}, "decimal-comma", "/value"),
    _measured("a bound", "<5 mm", "measurement"),
    _measured("about", "~5 mm", "measurement"),
    _measured("a plus, which may mean growth", "+3 mm", "measurement"),
    _measured("from to", "10-12 mm", "measurement"),
    _measured("two numbers", "14 mm x 11 mm", "measurement"),
    _measured("two numbers in one", "14x11 mm", "measurement"),
    _measured("two numbers with spaces", "14 × 11 mm", "measurement"),
    _measured("a space for thousands", "1 450 mm3", "measurement"),
    _measured("no leading digit", ".5 mm", "measurement"),
    _measured("a leading zero", "014.2 mm", "measurement"),
    _measured("no number", "large", "measurement"),
    _measured("an empty value", "", "measurement"),
    _measured("digits of another script", "١٤ mm", "measurement"),
    _measured("33 digits", f"{'9' * 33} mm", "number"),
    _measured("a huge exponent", "1e999999 mm", "number"),
    _measured("an exponent without bound", "1e99999999999999999999 mm", "number"),
    _measured("a list", [14.2, "mm"], "type"),
    _measured("true", True, "type"),
    _measured("true in parts", {"value": True, "unit": "mm"}, "type", "/value"),
    _measured("a measurement of 257 characters", f"14.2 {'m' * 252}", "length"),
    _within("a huge JSON number", b'"VALUE"', b"1e999999", (_VALUE, "number")),
    _within("a long JSON number", b'"VALUE"', b"9" * 4_000, (_VALUE, "number")),
    _within("a long JSON decimal", b'"VALUE"', b"0." + b"9" * 4_000, (_VALUE, "number")),
    _lesion("a concept with white space around", {"measurements": {" x": "1 mm"}}, ("/measurements/ x", "empty")),
    _lesion("a concept without name", {"measurements": {"": "1 mm"}}, ("/measurements/", "empty")),
    _lesion("a concept of 257 characters", {"measurements": {"x" * 257: "1 mm"}}, ("/measurements", "length")),
    _lesion("a concept on two lines", {"measurements": {"x\ny": "1 mm"}}, ("/measurements/x\ny", "line-break")),
    _lesion("a descriptor without answer", {"descriptors": {"T1": []}}, ("/descriptors/T1", "empty")),
    _lesion("an empty answer", {"descriptors": {"T1": [""]}}, ("/descriptors/T1/0", "empty")),
    *[
        _changed(f"an issuer {oid}", "/patient/issuer", f"urn:oid:{oid}", "uid")
        for oid in ("1.2.03", "1.2.", "", "3.1", "1.2.a")
    ],
    _changed("an image that is nowhere", "/lesions/0/measurements/0/image", "1.2.3.4.99", "image"),
]

_PIXELS_IN_SPACE = {"frameOfReference": "1.2", "kind": "point", "points": [[0, 0]]}
_FIVE_POINTS = {"frameOfReference": "1.2", "kind": "ellipse", "points": [[0, 0, n] for n in range(5)]}
_IN_SPACE: dict[str, list[list[float]]] = {
    "polygon": [[0, 0, 0], [4, 0, 0], [2, 1, 0], [3, -1, 5]],
    "ellipse": [[0, 0, 0], [10, 0, 0], [5, 3, 0], [6, -3, 3]],
    "ellipsoid": [[0, 0, 0], [10, 0, 0], [5, 3, 0], [5, -3, 0], [5, 0, 1], [5, 0, 9]],
}
_TWO_LINES = [{"points": [[0, 0], [-1, 0]]}, {"points": 1}]

_POINT = make_lesion_document(images=[_IMAGE | {"point": [1, 4711]}])
_POINT_REFUSED = frozenset({("/lesions/0/images/0/point/1", "coordinate")})

_SHAPES = [
    *[
        _lesion(
            f"an image that is {what}", {"images": [_IMAGE | {"sopClass": uid}]}, ("/images/0/sopClass", "sop-class")
        )
        for what, uid in (("an SR", "1.2.840.10008.5.1.4.1.1.88.33"), ("a transfer syntax", "1.2.840.10008.1.2.1"))
    ],
    _shape("a negative pixel", {"point": [-1, 0]}, ("/point/0", "coordinate")),
    _shape("a coordinate past float32", {"line": [[0, 0], [0, 1e39]]}, ("/line/1/1", "coordinate")),
    *[
        Case(f"a coordinate of {number}", as_bytes(_POINT).replace(b"4711", number.encode()), _POINT_REFUSED)
        for number in ("1e400", "-1e9999999", "1e999999999999999999", "9" * 4_000, "-0.1")
    ],
    _shape("a huge integer", {"line": [[0, 0], [0, 10**400]]}, ("/line/1/1", "coordinate")),
    _shape("text among coordinates", {"line": [[0, 0], ["1", 2]]}, ("/line/1/0", "type")),
    _shape("true among coordinates", {"line": [[0, 0], [True, 2]]}, ("/line/1/0", "type")),
    _shape("null among coordinates", {"line": [[0, None], [1, 2]]}, ("/line/0/1", "null")),
    _shape("text for a point", {"line": [[0, 0], "12"]}, ("/line/1", "type")),
    _shape("an object for a point", {"line": [[0, 0], {"x": 1, "y": 2}]}, ("/line/1", "type")),
    _shape("three numbers for a pixel", {"line": [[0, 0], [1, 2, 3]]}, ("/line/1", "points")),
    _shape("one point for a line", {"line": {"points": [[0, 0]]}}, ("/line/points", "points")),
    _shape("three points for a line", {"line": {"points": [[0, 0], [1, 1], [2, 2]]}}, ("/line/points", "points")),
    _shape("no points", {"polygon": {"points": []}}, ("/polygon/points", "points")),
    _shape("a polygon of two points", {"polygon": {"points": [[0, 0], [1, 1]]}}, ("/polygon/points", "points")),
    _shape(
        "a polygon back and forth", {"polygon": {"points": [[0, 0], [1, 1], [0, 0]]}}, ("/polygon/points", "points")
    ),
    _shape("a number for points", {"polygon": {"points": 3}}, ("/polygon/points", "type")),
    _shape(
        "faults in several members",
        {"line": _TWO_LINES, "frame": 0},
        ("/line/0/points/1/0", "coordinate"),
        ("/line/1/points", "type"),
        ("/frame", "range"),
    ),
    _lesion("an ellipse of five points", {"regions3d": [_FIVE_POINTS]}, ("/regions3d/0/points", "points")),
    *[
        _lesion(
            f"points that are no {kind}",
            {"regions3d": [{"frameOfReference": "1.2", "kind": kind, "points": points}]},
            ("/regions3d/0/points", "shape"),
        )
        for kind, points in _IN_SPACE.items()
    ],
    _lesion("a region in pixels", {"regions3d": [_PIXELS_IN_SPACE]}, ("/regions3d/0/points/0", "points")),
]

_L1 = {"id": "L1", "finding": "brain metastasis"}
_L2 = {"id": "L2", "finding": "brain metastasis"}
_WITH_IMAGE = {"images": [_IMAGE]}
_SEGMENT = {"segment": {"sop": "1.2.3.8.1", "series": "1.2.3.8", "number": 1}}
_OTHER_SERIES = {"images": [_IMAGE | {"series": "1.2.3.44"}]}
_OBSERVER = {"device": {"name": "MetDetect"}}
_VERIFIED = {"person": {"name": "Roe", "verifiedAt": "2026-03-02"}}
_PRELIMINARY = make_document()["report"] | {"status": "preliminary"}


def _document(name: str, members: Json, *expected: tuple[str, str]) -> Case:
    """The smallest document with other top-level members."""
    return Case(name, as_bytes(make_document(**members)), frozenset(expected))


_ACROSS = [
    _document("two lesions with one id", {"lesions": [_L1, _L1]}, ("/lesions/1/id", "duplicate-id")),
    _document(
        "two lesions with one tracking UID",
        {"lesions": [_L1 | {"trackingUid": "1.2.3"}, _L2 | {"trackingUid": "1.2.3"}]},
        ("/lesions/1/trackingUid", "duplicate-id"),
    ),
    _document(
        "one SEG instance in two series",
        {"lesions": [_L1 | _SEGMENT, _L2 | {"segment": _SEGMENT["segment"] | {"series": "1.2.3.88"}}]},
        ("/lesions/0/segment", "image"),
        ("/lesions/1/segment", "image"),
    ),
    _document(
        "one instance as segmentation and as MR image",
        {
            "lesions": [
                _L1 | _SEGMENT | {"images": [_IMAGE | {"sopClass": _MR, "sop": "1.2.3.8.1", "series": "1.2.3.8"}]}
            ]
        },
        ("/lesions/0/images/0", "image"),
        ("/lesions/0/segment", "image"),
    ),
    _document(
        "one image in two series",
        {"lesions": [_L1 | _WITH_IMAGE, _L2 | _OTHER_SERIES]},
        ("/lesions/1/images/0", "image"),
    ),
    _document("observer and observers", {"observer": _OBSERVER, "observers": [_OBSERVER]}, ("/observer", "either-or")),
    _document(
        "a verified preliminary report",
        {"report": _PRELIMINARY, "observer": _VERIFIED},
        ("/observer/person/verifiedAt", "verified"),
    ),
    _document(
        "a preliminary report verified by the second observer",
        {"report": _PRELIMINARY, "observers": [_OBSERVER, _VERIFIED]},
        ("/observers/1/person/verifiedAt", "verified"),
    ),
    _document("a report that says nothing", {"lesions": None}, ("", "empty-report")),
    _document("a report with empty lists", {"lesions": [], "observers": []}, ("", "empty-report")),
]

CASES = [*_TEXTS, *_MEMBERS, *_MEASUREMENTS, *_SHAPES, *_ACROSS]
"""Every bad document that fits on a page."""
