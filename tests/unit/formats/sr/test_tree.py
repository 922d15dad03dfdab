from decimal import Decimal
from itertools import pairwise

import pytest

from service.formats.sr.items import (
    TYPES,
    CodeItem,
    Container,
    Num,
    Scoord,
    Scoord3D,
    Text,
    UidRef,
)
from service.formats.sr.relationships import ALLOWED, WIDTHS, Iod, widths_below
from tests.unit.formats.sr.items import IMAGE, MM, NAME


def test_refuses_a_relationship_that_no_iod_has() -> None:
    inner = Text(NAME, "a", "CONTAINS")
    with pytest.raises(ValueError, match="below CODE"):
        CodeItem(NAME, NAME, "CONTAINS", (inner,))


def test_every_link_of_the_widest_iod_and_no_other_can_be_built() -> None:
    for kind in TYPES:
        below = {(kind.kind, relationship, target) for relationship, target in widths_below(kind.kind)}
        assert below == {link for link in ALLOWED[Iod.COMPREHENSIVE_3D] if link[0] == kind.kind}


def test_each_iod_has_what_the_narrower_one_has() -> None:
    for narrow, wide in pairwise(WIDTHS):
        assert ALLOWED[narrow] < ALLOWED[wide]


def test_a_shape_in_space_deep_down_needs_comprehensive_3d() -> None:
    shape = Scoord3D(NAME, "POINT", (1.0, 2.0, 3.0), "1.2.3", "INFERRED FROM")
    number = Num(NAME, Decimal(1), MM, "CONTAINS", (shape,))
    root = Container(NAME, None, (Container(NAME, "CONTAINS", (number,)),))
    assert WIDTHS[root.width] is Iod.COMPREHENSIVE_3D


def test_a_shape_in_pixels_needs_no_more_than_enhanced() -> None:
    number = Num(NAME, Decimal(1), MM, "CONTAINS", (Scoord(NAME, "POINT", (1.0, 2.0), "INFERRED FROM", IMAGE),))
    assert WIDTHS[Container(NAME, None, (number,)).width] is Iod.ENHANCED


def test_observation_context_of_a_code_needs_comprehensive() -> None:
    code = CodeItem(NAME, NAME, "CONTAINS", (UidRef(NAME, "1.2.3", "HAS OBS CONTEXT"),))
    assert WIDTHS[Container(NAME, None, (code,)).width] is Iod.COMPREHENSIVE
