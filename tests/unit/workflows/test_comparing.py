"""What was sent against what was sent another time."""

from typing import Any

import pytest

from service.store.versions import Output, output
from service.workflows.comparing import MOST, compare


def made(media_type: str, content: str | bytes) -> Output:
    return output("role", media_type, content.encode() if isinstance(content, str) else content)


def differences(media_type: str, this: str | bytes, other: str | bytes) -> list[tuple[Any, ...]]:
    found = compare(made(media_type, this), made(media_type, other))
    assert not found["same"]
    return [(one["place"], one["this"], one["other"]) for one in found["differences"]]


def test_what_is_the_same_has_no_differences() -> None:
    found = compare(made("text/plain", "a"), made("text/plain", "a"))
    assert (found["same"], found["differences"], found["more"]) == (True, [], 0)


def test_a_place_in_json_is_a_pointer() -> None:
    assert differences("application/fhir+json", '{"a": [1, {"b/c": null}]}', '{"a": [1, {"b/c": 2}], "d": true}') == [
        ("/a/1/b~1c", None, 2),
        ("/d", None, True),
    ]


def test_a_number_is_another_one_when_it_is_written_otherwise() -> None:
    assert differences("application/fhir+json", '{"value": 12.50}', '{"value": 12.5}') == [("/value", "12.50", "12.5")]


def test_a_number_is_another_one_as_a_text() -> None:
    this, other = '{"a": 12.5, "b": 1, "c": true}', '{"a": "12.5", "b": 1.0, "c": 1}'
    assert [place for place, *_ in differences("application/fhir+json", this, other)] == ["/a", "/b", "/c"]


def test_the_lines_of_a_page_are_its_own() -> None:
    this, other = "<p>\n<b>1</b><i>2</i>\n</p>", "<p>\n<b>1</b><i>2</i>\n</q>"
    assert differences("text/html", this, other) == [("line 3", "</p>", "</q>")]


def test_lines_of_a_message_are_compared_one_by_one() -> None:
    this, other = "MSH|1\rOBX|1|a\rOBX|2|b\r", "MSH|1\rOBX|1|c\rOBX|2|b\rOBX|3|d\r"
    assert differences("application/hl7-v2; charset=utf-8", this, other) == [
        ("line 2", "OBX|1|a", "OBX|1|c"),
        ("line 4", None, "OBX|3|d"),
    ]


def test_xml_without_lines_is_compared_tag_by_tag() -> None:
    assert differences("application/fhir+xml", "<a><b v='1'/><c/></a>", "<a><b v='2'/><c/></a>") == [
        ("line 2", "<b v='1'/>", "<b v='2'/>")
    ]


@pytest.mark.parametrize(
    ("media_type", "this", "other"),
    [
        ("application/pdf", b"%PDF-1.7 a", b"%PDF-1.7 bc"),
        ("application/fhir+json", b'{"a": 1}', b'{"a":1}'),
    ],
)
def test_what_says_the_same_in_other_bytes_is_told_by_its_size(media_type: str, this: bytes, other: bytes) -> None:
    assert differences(media_type, this, other) == [("", f"{len(this)} bytes", f"{len(other)} bytes")]


def test_bytes_that_are_no_text_stay_apart() -> None:
    assert differences("application/hl7-v2", b"PID|\xfc\r", b"PID|\xe4\r") == [("line 1", "PID|\\xfc", "PID|\\xe4")]


def test_long_messages_are_compared_line_by_line_only() -> None:
    """To look for likeness within each pair of lines that differ would take hours: this would not end."""
    this, other = ("\r".join(f"OBX|{n}|NM|{n * step % 9973}.{n}|mm" for n in range(20_000)) for step in (3, 7))
    found = compare(made("application/hl7-v2", this), made("application/hl7-v2", other))
    assert len(found["differences"]) == MOST
    assert found["more"] > 10_000
