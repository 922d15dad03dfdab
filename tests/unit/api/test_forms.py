"""Forms of a document and its masks: nothing of them is left out silently, and none is without bound."""

import pytest

from service.api.forms import parts
from service.domain.errors import Invalid, Unreadable
from service.doors import Format

FORM = "multipart/form-data; boundary=B"
REPORT = (
    b'--B\r\nContent-Disposition: form-data; name="report"; filename="r"\r\n'
    b"Content-Type: application/json\r\n\r\n{}\r\n"
)
MASK = b'--B\r\nContent-Disposition: form-data; name="seg"; filename="s"\r\n\r\nx\r\n'
TEXT = b'--B\r\nContent-Disposition: form-data; name="seg"\r\n\r\nx\r\n'
END = b"--B--\r\n"


def test_a_form_is_its_document_and_its_masks() -> None:
    assert parts(FORM, REPORT + MASK * 3 + END, 3) == (b"{}", Format.FINDINGS, (b"x",) * 3)


def test_what_only_begins_as_the_boundary_is_content() -> None:
    mask = MASK.replace(b"\r\nx\r\n", b"\r\n--Bx\r\n --B\r\n")
    assert parts(FORM, REPORT + mask + END, 3)[2] == (b"--Bx\r\n --B",)


def test_more_masks_than_the_limit_are_refused_with_its_name() -> None:
    with pytest.raises(Invalid, match=r"limits\.masks") as refused:
        parts(FORM, REPORT + MASK * 4 + END, 3)
    assert refused.value.problems[0].rule == "limit"


def test_a_mask_that_came_as_a_text_field_is_refused_and_not_left_out() -> None:
    with pytest.raises(Invalid, match="files `seg`"):
        parts(FORM, REPORT + TEXT + END, 3)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", REPORT + END),
        ('multipart/form-data; boundary=""', REPORT + END),
        (FORM, REPORT),
        (FORM, REPORT + b"--B\r\nX: " + b"a" * 100_000),
    ],
)
def test_a_form_that_can_not_be_taken_apart_is_refused(kind: str, content: bytes) -> None:
    with pytest.raises((Unreadable, Invalid)):
        parts(kind, content, 3)
