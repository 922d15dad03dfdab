"""Control characters in messages, as they are and as hexadecimal: none gets into a report, none out of a message."""

from dataclasses import replace

import pytest
from hl7apy.parser import parse_message

from service.domain.received import Intake
from service.formats.hl7v2.fields import escape
from service.formats.hl7v2.message import unescape
from service.formats.hl7v2.read import read
from service.formats.hl7v2.write import write
from tests.report_set import rich_report
from tests.unit.formats.hl7v2.test_read import TEXT, message

CONTROLS = [chr(one) for one in (*range(0x20), *range(0x7F, 0xA0)) if chr(one) not in "\t\n\r"]


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(r"\X1C0D\MSH", id="the end of a block of MLLP"),
        pytest.param(r"\X0B\ ", id="its beginning"),
        pytest.param(r"\X00\ ", id="NUL"),
        pytest.param(r"\X1B5B33316D\ ", id="an escape sequence of a terminal"),
        pytest.param(r"\XE280AE\ ", id="U+202E"),
        pytest.param("\x1c", id="as it is"),
        pytest.param("\x9b", id="C1"),
        pytest.param("\u202e", id="U+202E as it is"),
        pytest.param("\ufffe", id="a noncharacter"),
    ],
)
def test_what_no_text_holds_is_replaced_and_flagged(said: str) -> None:
    found = read(message(TEXT.replace("14 mm", f"14 {said}mm")).encode(), Intake())
    assert found.report.findings is not None
    assert found.report.findings.startswith("A lesion, 14 \N{REPLACEMENT CHARACTER}")
    assert {(loss.where, loss.rule) for loss in found.losses if loss.rule == "v2-character"} == {
        ("OBX", "v2-character")
    }


@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        ("\\X0D0A\\", "\n"),
        ("\\XC3A4\\", "ä"),
        ("\\X0\\", "\\X0\\"),
        ("\\XE2\\", "\\XE2\\"),
        ("\\XEDA080\\", "\\XEDA080\\"),
        ("a\\b", "a\\b"),
    ],
)
def test_other_hexadecimal_is_read_or_stays_as_it_stands(said: str, read_as: str) -> None:
    found = read(message(TEXT.replace("14 mm", f"<{said}>")).encode(), Intake())
    assert found.report.findings == f"A lesion, <{read_as}>."
    assert "v2-character" not in {loss.rule for loss in found.losses}


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_character_is_written_as_hexadecimal_and_comes_back(control: str) -> None:
    made = escape(f"a{control}b")
    assert made == f"a\\X{control.encode().hex().upper()}\\b"
    assert unescape(made, "utf-8") == f"a{control}b"


def test_no_text_ends_the_block_that_its_message_stands_in() -> None:
    """By the writer alone, and as another library takes the message apart."""
    said = "one\x1c\rMSH|^~\\&|two\x0bthree\r\nOBX|9\nfour"
    content = write(replace(rich_report(), impression=said), None).content.decode()
    assert not set(content) & set("\x0b\x1c\x00\x1b")
    assert content.count("MSH|") == 1
    found = [line for line in content.split("\r") if "^Impression^" in line]
    parsed = parse_message(content, find_groups=False)
    assert next(one.name for one in parsed.children) == "MSH"
    back = "\n".join(unescape(line.split("|")[5], "utf-8") for line in found)
    assert back == "one\x1c\nMSH|^~\\&|two\x0bthree\nOBX|9\nfour"


@pytest.mark.parametrize("end", ["\t", "\N{NO-BREAK SPACE}", "\N{LINE SEPARATOR}", "\N{IDEOGRAPHIC SPACE}"])
def test_only_spaces_that_end_a_line_are_none_of_its_text(end: str) -> None:
    content = write(replace(rich_report(), impression=f"one{end}  \ntwo"), None).content
    assert read(content, Intake()).report.impression == f"one{end}\ntwo"
