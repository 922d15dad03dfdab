"""Messages of very many parts: split in bounded memory, or refused."""

from __future__ import annotations

import tracemalloc

import pytest

from service.domain.errors import Invalid, Unreadable
from service.domain.limits import Limits
from service.domain.received import Intake
from service.formats.hl7v2.message import message
from service.formats.hl7v2.read import read
from tests.unit.formats.hl7v2.test_read import TEXT
from tests.unit.formats.hl7v2.test_read import message as text_message

HEAD = "MSH|^~\\&|RIS|NORTH|EHR|MAIN|20260302101500||ORU^R01^ORU_R01|M1|P|2.5.1\r"
MANY = 100_000


@pytest.mark.parametrize("part", ["|", "~", "^", "&", "\\T\\", "\nno segment", "\nNTE|x"])
def test_parts_of_every_kind_are_counted(part: str) -> None:
    with pytest.raises(Invalid) as refused:
        message((HEAD + "NTE|" + part * 1_001).encode(), Limits(values=1_000))
    assert refused.value.problems[0].rule == "limit"


@pytest.mark.parametrize("part", ["|", "~", "^", "&", "\nno segment", "\nNTE|x"])
def test_many_parts_take_bounded_memory(part: str) -> None:
    content = (HEAD + "NTE|" + part * MANY).encode()
    tracemalloc.start()
    try:
        segments, _ = message(content, Limits())
        segments[1].repetitions(1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000 * MANY


def test_lines_that_go_on_are_flagged_once_a_segment() -> None:
    segments, losses = message((HEAD + "NTE|1||a\nmore of it\nand more\nNTE|2||b\nmore\n").encode(), Limits())
    assert [(one.where, one.rule) for one in losses] == [("NTE", "v2-continued-line")] * 2
    assert segments[1].display(3) == "a\nmore of it\nand more"


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x1c"])
def test_a_control_character_is_no_delimiter(sign: str) -> None:
    with pytest.raises(Unreadable):
        message(HEAD.replace("|", sign).encode(), Limits())


@pytest.mark.parametrize("command", ["\\.sp80\\", "\\.sk80\\", "\\.sp9999\\", "\\.sp+80\\", "\\.sk 80 \\"])
def test_what_formatting_commands_make_is_counted_before_it_is_made(command: str) -> None:
    limits = Limits(values=1_000)
    enough = (HEAD + "NTE|1||" + command * 11 + "\rNTE|2||x").encode()
    assert message(enough, limits)[0][1].display(3).count("\n") in (0, 11 * 80)
    with pytest.raises(Invalid) as refused:
        message((HEAD + "NTE|1||x\rNTE|2||" + command * 12).encode(), limits)
    assert [(one.pointer, one.rule) for one in refused.value.problems] == [("NTE[2]", "limit")]


def test_the_commands_that_a_message_of_the_usual_size_holds_are_refused() -> None:
    with pytest.raises(Invalid) as refused:
        message((HEAD + "NTE|1||" + "\\.sp80\\" * 240_000).encode(), Limits())
    assert refused.value.problems[0].pointer == "NTE[1]"


@pytest.mark.parametrize("lines", [1, 40])
def test_a_text_that_is_too_long_is_cut_and_listed(lines: int) -> None:
    said = "~".join(["x" * (120 // lines)] * lines)
    found = read(
        text_message(TEXT.replace("A lesion, 14 mm.", said)).encode(), Intake(limits=Limits(text_characters=50))
    )
    assert len(found.report.findings or "") == 50
    assert ("OBX", "findings", "limit") in {(one.where, one.what, one.rule) for one in found.losses}


def test_what_stands_before_a_command_hides_none() -> None:
    limits = Limits(values=1_000)
    with pytest.raises(Invalid) as refused:
        message((HEAD + "NTE|1||" + "\\H\\" + ".sp1\\.sp80\\" * 40).encode(), limits)
    assert refused.value.problems[0].pointer == "NTE[1]"


@pytest.mark.parametrize("signs", ["^~/&", "^~!&#"])
def test_another_escape_character_is_refused_and_not_taken_for_text(signs: str) -> None:
    with pytest.raises(Unreadable) as refused:
        message((HEAD.replace("^~\\&", signs, 1) + "NTE|1||3 /T/ 4 mm").encode(), Limits())
    assert [(one.pointer, one.rule) for one in refused.value.problems] == [("MSH-2", "v2-escape")]
