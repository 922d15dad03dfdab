"""Messages of very many parts: split in bounded memory, or refused."""

from __future__ import annotations

import tracemalloc

import pytest

from service.domain.errors import Invalid, Unreadable
from service.domain.limits import Limits
from service.formats.hl7v2.message import message

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
