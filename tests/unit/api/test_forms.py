"""Forms of a document and its masks: nothing of them is left out silently, and none is without bound."""

import pytest
from werkzeug.datastructures import Headers
from werkzeug.sansio.multipart import MultipartDecoder

from service.api.forms import parts
from service.domain.errors import Invalid, Unreadable
from service.domain.limits import Limits
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
    assert parts(FORM, REPORT + MASK * 3 + END, Limits(masks=3)) == (b"{}", Format.FINDINGS, (b"x",) * 3)


def test_what_only_begins_as_the_boundary_is_content() -> None:
    mask = MASK.replace(b"\r\nx\r\n", b"\r\n--Bx\r\n --B\r\n")
    assert parts(FORM, REPORT + mask + END, Limits(masks=3))[2] == (b"--Bx\r\n --B",)


def test_more_masks_than_the_limit_are_refused_with_its_name() -> None:
    with pytest.raises(Invalid, match=r"limits\.masks") as refused:
        parts(FORM, REPORT + MASK * 4 + END, Limits(masks=3))
    assert refused.value.problems[0].rule == "limit"


def test_a_mask_that_came_as_a_text_field_is_refused_and_not_left_out() -> None:
    with pytest.raises(Invalid, match="files `seg`"):
        parts(FORM, REPORT + TEXT + END, Limits(masks=3))


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
        parts(kind, content, Limits(masks=3))


class Counted:
    """How many headers werkzeug was given to parse."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines = 0
        parse = MultipartDecoder._parse_headers

        def counting(decoder: MultipartDecoder, data: bytes | bytearray) -> Headers:
            self.lines += data.count(b"\n") + 1
            return parse(decoder, data)

        monkeypatch.setattr(MultipartDecoder, "_parse_headers", counting)


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r"])
@pytest.mark.parametrize("before", [b"", REPORT], ids=["first", "second"])
def test_headers_of_a_part_are_bounded_before_a_line_of_them_is_parsed(
    before: bytes, line_end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(monkeypatch)
    part = b"--B" + line_end + (b"a:" + line_end) * 2_000_000 + MASK[len(b"--B\r\n") :]
    with pytest.raises(Invalid, match=r"limits\.part_header_bytes") as refused:
        parts(FORM, before + part + END, Limits())
    assert refused.value.problems[0].pointer == f"part[{2 if before else 1}]"
    assert counted.lines == 0


def test_headers_up_to_the_limit_are_taken() -> None:
    long = MASK.replace(b"form-data;", b"form-data; x=" + b"y" * 300 + b";")
    size = long.index(b"\r\n\r\n") - len(b"--B\r\n")
    assert parts(FORM, REPORT + long + END, Limits(part_header_bytes=size))[2] == (b"x",)
    with pytest.raises(Invalid):
        parts(FORM, REPORT + long + END, Limits(part_header_bytes=size - 8))
