"""hypothesis strategies for findings JSON documents over the whole schema.

`documents()` builds documents that the reader takes: every member comes in every form, with texts in several scripts
and with markup. The terms are words that no vocabulary has, unless a `Lexicon` brings others: tests/codable.py has one.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hypothesis import strategies as st

from service.domain.geometry import SINGLE_FRAME
from tests.texts import Strategy, coded, dates, decimals, instants, lines, names, prose, times, uids, words

Json = dict[str, Any]

_STUDY = "1.2.826.0.1.3680043.10.1561.7"
_PRIOR = f"{_STUDY}.0"
_ANSWERS_MOST = 4


def _object(required: dict[str, Strategy], **optional: Strategy) -> Strategy:
    return st.fixed_dictionaries(required, optional=optional)


@cache
def _plain_place() -> Strategy:
    term = words() | coded()
    return _object({"finding": term}, site=term, laterality=term)


@dataclass(frozen=True, eq=False)
class Lexicon:
    """What the coded members hold: ``members`` by their JSON name, and what must fit together by strategies of its own.

    ``place`` makes finding, site and laterality of a lesion, ``measurement`` (concept, unit, number as written),
    ``descriptors`` and ``report_descriptors`` (field, answer). ``linked``: shapes show measurements of their lesion.
    """

    members: dict[str, Strategy] = field(default_factory=dict)
    place: Strategy = field(default_factory=_plain_place)
    measurement: Strategy = field(
        default_factory=lambda: st.tuples(words(), st.sampled_from(["mm", "cm2", "1", "%"]), decimals())
    )
    descriptors: Strategy = field(default_factory=lambda: st.tuples(words(), words() | coded()))
    report_descriptors: Strategy = field(default_factory=lambda: st.tuples(words(), words() | coded()))
    linked: bool = False

    def term(self, member: str) -> Strategy:
        """The terms of a member."""
        return self.members.get(member, words() | coded())

    def terms(self, member: str) -> Strategy:
        """One term of a member or a list of them."""
        return self.term(member) | st.lists(self.term(member), min_size=1, max_size=3)


def people(lexicon: Lexicon, **more: Strategy) -> Strategy:
    """Physicians by their members."""
    return _object({"name": names()}, id=lines(12), organization=lines(), role=lexicon.term("role"), **more)


@cache
def patients() -> Strategy:
    """Patients with and without issuer, name, birth date and other ids."""
    other = _object({"id": lines(12)}, issuer=lines(12))
    return _object(
        {"id": lines(12)},
        issuer=lines(12),
        name=names(),
        birthDate=dates(),
        sex=st.sampled_from("MFO"),
        otherIds=st.lists(other, max_size=2),
    )


def image(number: int) -> Json:
    """The image of a number: always of the same class, series and study; some are of the prior study."""
    prior = number % 5 == 0
    study = _PRIOR if prior else _STUDY
    made = {
        "sopClass": "1.2.840.10008.5.1.4.1.1.4" if number % 2 else "1.2.840.10008.5.1.4.1.1.4.1",
        "sop": f"{study}.{number % 3 + 1}.{number + 1}",
        "series": f"{study}.{number % 3 + 1}",
    }
    return made | ({"study": study} if prior or number % 7 == 0 else {})


def _image(**shapes: Strategy) -> Strategy:
    frames = st.integers(1, 400) | st.lists(st.integers(1, 400), min_size=1, max_size=3, unique=True)
    return st.tuples(st.integers(0, 20).map(image), _object({}, frame=frames, **shapes)).map(_of_its_frames)


def _of_its_frames(made: tuple[Json, Json]) -> Json:
    """An image with what is said of it; of a single-frame image only frame 1 may be said (PS3.3 C.18.4)."""
    of_class, said = made
    if "frame" in said and of_class["sopClass"] in SINGLE_FRAME:
        said = said | {"frame": 1}
    return of_class | said


@cache
def coordinates(*, pixels: bool) -> Strategy:
    """Coordinates that a 32-bit float holds as they are, and some that it does not (102.3)."""
    exact = st.integers(0 if pixels else -4_096, 4_096).map(lambda number: number / 8)
    return exact | st.integers(0, 5_000).map(lambda number: number / 10)


@cache
def _points(axes: int, fewest: int, most: int) -> Strategy:
    point = st.lists(coordinates(pixels=axes == 2), min_size=axes, max_size=axes)
    return st.lists(point, min_size=fewest, max_size=most, unique_by=tuple)


def _segment() -> Strategy:
    """A segment; one SEG instance is always of the same series."""
    made = _object({"sop": uids(), "number": st.integers(1, 65_535)}, sourceSeries=uids())
    return made.map(lambda segment: {**segment, "series": f"{segment['sop'][:48]}.1"})


@st.composite
def _shape(draw: st.DrawFn, axes: Strategy, shown: Strategy) -> Any:
    points = draw(axes)
    return draw(st.sampled_from([points, {"points": points}, {"points": points, "measurement": draw(shown)}]))


def shapes(shown: Strategy) -> dict[str, Strategy]:
    """Every shape of an image, in every form; ``shown`` makes the measurements that they show."""
    line = _shape(_points(2, 2, 2), shown)
    outline = _points(2, 3, 8)
    polygon = _shape(outline | outline.map(lambda points: [*points, points[0]]), shown)
    point = _shape(_points(2, 1, 1), shown)
    plain = {"line": line, "polygon": polygon, "point": point | coordinates_pair()}
    plain["bidirectional"] = _object({"long": line, "short": line})
    return {name: shape | st.lists(shape.filter(_is_object), max_size=2) for name, shape in plain.items()}


@cache
def coordinates_pair() -> Strategy:
    """One bare point."""
    return st.lists(coordinates(pixels=True), min_size=2, max_size=2)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


@cache
def regions3d() -> Strategy:
    """Every kind of shape in space, each as its kind has to be (PS3.3 C.18.9.1.2)."""
    kinds = {"point": _points(3, 1, 1), "multipoint": _points(3, 1, 4), "polyline": _points(3, 2, 5)}
    kinds |= {"polygon": _in_a_plane(), "ellipse": _axes(2), "ellipsoid": _axes(3)}
    return st.sampled_from(sorted(kinds)).flatmap(
        lambda kind: _object({"frameOfReference": uids(), "kind": st.just(kind), "points": kinds[kind]})
    )


@st.composite
def _in_a_plane(draw: st.DrawFn) -> Any:
    """Corners in a plane, straight or oblique; to the tenth, as a sender may round them."""
    right, down, depth = draw(st.integers(-2, 2)), draw(st.integers(-2, 2)), draw(coordinates(pixels=False))
    flat = draw(_points(2, 3, 6))
    corners = [[x, y, round(depth + (right * x + down * y) / 3, 1)] for x, y in flat]
    turn = draw(st.integers(0, 2))
    return [[*corner[turn:], *corner[:turn]] for corner in corners]


@st.composite
def _axes(draw: st.DrawFn, axes: int) -> Any:
    """The ends of axes that halve each other at right angles, the longest first; straight or turned by 45 degrees."""
    middle = draw(st.lists(coordinates(pixels=False), min_size=3, max_size=3))
    halves = sorted(draw(st.lists(st.integers(1, 400), min_size=axes, max_size=axes)), reverse=True)
    straight = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    ways = draw(st.sampled_from([straight, [(1, 1, 0), (1, -1, 0), (0, 0, 1)]]))
    return [
        [round(at + sign * half / 8 * way, 4) for at, way in zip(middle, towards, strict=True)]
        for half, towards in zip(halves, ways, strict=False)
        for sign in (-1, 1)
    ]


@cache
def time_points(lexicon: Lexicon) -> Strategy:
    """Time points as a label and by members."""
    return lines(12) | _object(
        {"label": lines(12)},
        type=lexicon.term("timePoint.type"),
        order=st.integers(0, 40),
        subjectIdentifier=lines(8),
        protocolIdentifier=lines(8),
    )


@cache
def ranges() -> Strategy:
    """Reference ranges, low not above high."""
    pair = st.tuples(decimals(), decimals()).map(lambda made: sorted(made, key=float))
    return pair.map(lambda made: {"low": made[0], "high": made[1]}) | lines().map(lambda text: {"text": text})


@cache
def _measurement_members(lexicon: Lexicon) -> Strategy:
    return _object({}, method=lexicon.term("method"), derivation=lexicon.term("derivation"), range=ranges())


def _value(number: str, unit: str, form: int) -> Json:
    """A number and its unit in one of their four forms."""
    return (
        {"value": number, "unit": unit},
        {"value": f"{number} {unit}"},
        {"value": float(number), "unit": unit},
        {"value": number if "." in number else int(number), "unit": {"system": "UCUM", "code": unit}},
    )[form]


@st.composite
def measurements(draw: st.DrawFn, lexicon: Lexicon, images: list[str]) -> Any:
    """Measurements as an object and as a list; ``images`` are those that they may have been made on."""
    concepts = draw(st.lists(lexicon.measurement, max_size=4, unique_by=lambda pair: str(pair[0])))
    made: dict[str, Any] = {}
    listed: list[Json] = []
    as_object = draw(st.booleans())
    for concept, unit, number in concepts:
        members = _value(number, unit, draw(st.integers(0, 3))) | draw(_measurement_members(lexicon))
        on_image = draw(st.booleans())
        if images and on_image:
            members["image"] = draw(st.sampled_from(images))
        if as_object:
            made[concept] = f"{number} {unit}" if draw(st.booleans()) else members
        else:
            listed.append({"concept": concept} | members)
    return made if as_object else listed


@st.composite
def descriptors(draw: st.DrawFn, pairs: Strategy) -> Any:
    """Descriptors as an object and as a list."""
    found = draw(st.lists(pairs, max_size=_ANSWERS_MOST, unique_by=lambda pair: str(pair[0])))
    if draw(st.booleans()) and all(isinstance(name, str) for name, _ in found):
        return {name: draw(st.sampled_from([answer, [answer]])) for name, answer in found}
    return [{"field": name, "value": answer} for name, answer in found]


@cache
def _lesion_members(lexicon: Lexicon) -> Strategy:
    return _object(
        {"id": lines(12)},
        category=lexicon.term("category"),
        topography=lexicon.term("topography"),
        count=st.integers(1, 99) | st.sampled_from(["multiple", "innumerable"]),
        certainty=lexicon.term("certainty"),
        change=lexicon.term("change"),
        timePoint=time_points(lexicon),
        text=prose(),
        descriptors=descriptors(lexicon.descriptors),
        regions3d=st.lists(regions3d(), max_size=2),
        segment=_segment(),
    )


@cache
def _lesion_images(lexicon: Lexicon) -> Strategy:
    return st.lists(_image(**shapes(lexicon.measurement.map(lambda made: made[0]))), max_size=2)


@st.composite
def lesions(draw: st.DrawFn, lexicon: Lexicon, number: int) -> Json:
    """One lesion; ``number`` makes its ids its own."""
    made: Json = draw(_lesion_members(lexicon)) | draw(lexicon.place)
    made["id"] += f" {number}"
    if draw(st.booleans()):
        made["trackingUid"] = f"{_STUDY}.77.{number + 1}"
    images = draw(_lesion_images(lexicon))
    made["measurements"] = draw(measurements(lexicon, [item["sop"] for item in images]))
    if lexicon.linked:
        measured = made["measurements"]
        _link(images, list(measured) if isinstance(measured, dict) else [item["concept"] for item in measured])
    if images:
        made["images"] = images
    return made


def _link(value: Any, measured: list[str]) -> None:
    """Let each shape show a measurement that the lesion has; a bidirectional shows two, so it needs them."""
    if isinstance(value, list):
        for item in value:
            _link(item, measured)
    elif isinstance(value, dict):
        if not measured:
            value.pop("measurement", None)
            value.pop("bidirectional", None)
        elif "measurement" in value:
            value["measurement"] = measured[len(str(value)) % len(measured)]
        for item in value.values():
            _link(item, measured)
        for name in ("long", "short") if "long" in value else ():
            axis = value[name]
            points = axis if isinstance(axis, list) else axis["points"]
            value[name] = {"points": points, "measurement": measured[0]}


@cache
def studies(lexicon: Lexicon) -> Strategy:
    """The study reported on, with prior ones."""
    prior = _object(
        {"uid": st.just(_PRIOR)},
        started=times(),
        accession=lines(8),
        modality=lexicon.term("modality"),
        description=lines(),
    )
    return _object(
        {"uid": st.just(_STUDY), "modality": lexicon.term("modality"), "procedure": lexicon.terms("procedure")},
        accession=lines(8),
        accessionIssuer=lines(12),
        started=times(),
        description=lines(),
        referringPhysician=names().filter(lambda name: isinstance(name, str)) | people(lexicon),
        technique=lexicon.terms("technique"),
        comparisons=st.lists(prior, max_size=1),
        images=st.lists(_image(), max_size=2),
    )


@cache
def observers(lexicon: Lexicon, *, complete: bool) -> Strategy:
    """Devices and persons; only a complete report is verified by one."""
    device = _object(
        {"name": lines(12)},
        version=lines(6),
        uid=uids(),
        manufacturer=lines(12),
        model=lines(12),
        algorithm=lines(12),
    )
    verified = {"verifiedAt": instants()} if complete else {}
    return _object({}, device=device, person=people(lexicon, **verified)).filter(bool)


@cache
def headers(lexicon: Lexicon) -> Strategy:
    """The member ``report`` in every state."""
    states = ["preliminary", "final", "amended", "corrected", "appended", "cancelled", "entered-in-error"]
    return _object(
        {"id": lines(12), "status": st.sampled_from(states), "issued": instants()},
        sender=lines(12),
        version=st.integers(1, 9),
        language=st.sampled_from(["en-US", "en", "pl", "ja", "ar", "zh-Hans-CN"]),
        predecessor=_object({"sop": uids(), "series": uids(), "sopClass": uids()}, study=uids()),
        impression=prose(),
        findings=prose(),
        conclusion=lexicon.terms("conclusion"),
        differential=lexicon.terms("differential"),
        negatives=lexicon.terms("negatives"),
        descriptors=descriptors(lexicon.report_descriptors),
    )


PLAIN = Lexicon()
"""Words that no vocabulary has."""


@st.composite
def documents(draw: st.DrawFn, lexicon: Lexicon = PLAIN, most_lesions: int = 3) -> Json:
    """Findings JSON documents that the reader takes."""
    report = dict(draw(headers(lexicon)))
    document: Json = {"report": report, "patient": draw(patients()), "study": draw(studies(lexicon))}
    found = [draw(lesions(lexicon, number)) for number in range(draw(st.integers(0, most_lesions)))]
    if not found:
        report.setdefault("impression", "No lesion.")
    else:
        document["lesions"] = found
    one = observers(lexicon, complete=report["status"] not in ("preliminary", "cancelled"))
    how_many = draw(st.integers(-1, 2))
    if how_many < 0:
        document["observer"] = draw(one)
    elif how_many:
        document["observers"] = [draw(one) for _ in range(how_many)]
    return document
