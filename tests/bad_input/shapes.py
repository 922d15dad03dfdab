"""Images and the shapes on them or in space that are none."""

from tests.bad_input.case import IMAGE, Case, lesion, shape
from tests.documents import as_bytes, make_lesion_document

_PIXELS_IN_SPACE = {"frameOfReference": "1.2", "kind": "point", "points": [[0, 0]]}
_FIVE_POINTS = {"frameOfReference": "1.2", "kind": "ellipse", "points": [[0, 0, n] for n in range(5)]}
_IN_SPACE: dict[str, list[list[float]]] = {
    "polygon": [[0, 0, 0], [4, 0, 0], [2, 1, 0], [3, -1, 5]],
    "ellipse": [[0, 0, 0], [10, 0, 0], [5, 3, 0], [6, -3, 3]],
    "ellipsoid": [[0, 0, 0], [10, 0, 0], [5, 3, 0], [5, -3, 0], [5, 0, 1], [5, 0, 9]],
}
_TWO_LINES = [{"points": [[0, 0], [-1, 0]]}, {"points": 1}]

_POINT = make_lesion_document(images=[IMAGE | {"point": [1, 4711]}])
_POINT_REFUSED = frozenset({("/lesions/0/images/0/point/1", "coordinate")})

SHAPES = [
    *[
        lesion(f"an image that is {what}", {"images": [IMAGE | {"sopClass": uid}]}, ("/images/0/sopClass", "sop-class"))
        for what, uid in (("an SR", "1.2.840.10008.5.1.4.1.1.88.33"), ("a transfer syntax", "1.2.840.10008.1.2.1"))
    ],
    shape("a negative pixel", {"point": [-1, 0]}, ("/point/0", "coordinate")),
    shape("a coordinate past float32", {"line": [[0, 0], [0, 1e39]]}, ("/line/1/1", "coordinate")),
    *[
        Case(f"a coordinate of {number}", as_bytes(_POINT).replace(b"4711", number.encode()), _POINT_REFUSED)
        for number in ("1e400", "-1e9999999", "1e999999999999999999", "9" * 4_000, "-0.1")
    ],
    shape("a huge integer", {"line": [[0, 0], [0, 10**400]]}, ("/line/1/1", "coordinate")),
    shape("text among coordinates", {"line": [[0, 0], ["1", 2]]}, ("/line/1/0", "type")),
    shape("true among coordinates", {"line": [[0, 0], [True, 2]]}, ("/line/1/0", "type")),
    shape("null among coordinates", {"line": [[0, None], [1, 2]]}, ("/line/0/1", "null")),
    shape("text for a point", {"line": [[0, 0], "12"]}, ("/line/1", "type")),
    shape("an object for a point", {"line": [[0, 0], {"x": 1, "y": 2}]}, ("/line/1", "type")),
    shape("three numbers for a pixel", {"line": [[0, 0], [1, 2, 3]]}, ("/line/1", "points")),
    shape("one point for a line", {"line": {"points": [[0, 0]]}}, ("/line/points", "points")),
    shape("three points for a line", {"line": {"points": [[0, 0], [1, 1], [2, 2]]}}, ("/line/points", "points")),
    shape("no points", {"polygon": {"points": []}}, ("/polygon/points", "points")),
    shape("a polygon of two points", {"polygon": {"points": [[0, 0], [1, 1]]}}, ("/polygon/points", "points")),
    shape("a polygon back and forth", {"polygon": {"points": [[0, 0], [1, 1], [0, 0]]}}, ("/polygon/points", "points")),
    shape("a number for points", {"polygon": {"points": 3}}, ("/polygon/points", "type")),
    shape(
        "faults in several members",
        {"line": _TWO_LINES, "frame": 0},
        ("/line/0/points/1/0", "coordinate"),
        ("/line/1/points", "type"),
        ("/frame", "range"),
    ),
    lesion("an ellipse of five points", {"regions3d": [_FIVE_POINTS]}, ("/regions3d/0/points", "points")),
    *[
        lesion(
            f"points that are no {kind}",
            {"regions3d": [{"frameOfReference": "1.2", "kind": kind, "points": points}]},
            ("/regions3d/0/points", "shape"),
        )
        for kind, points in _IN_SPACE.items()
    ],
    lesion("a region in pixels", {"regions3d": [_PIXELS_IN_SPACE]}, ("/regions3d/0/points/0", "points")),
]
