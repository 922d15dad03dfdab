"""Files of any transfer syntax and character set are read; what is no SR, or too much of one, is refused."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from benchmarks.cost import cost
from service.domain.errors import Invalid, TooLarge, Unreadable
from service.domain.limits import Limits
from tests import sr_files as sr
from tests.unit.formats.sr.reading import long_axis, only, received, rules


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"]
)
def test_every_transfer_syntax_says_the_same(syntax: str) -> None:
    def content(chosen: str) -> bytes:
        return sr.measured(long_axis(sr.shape("POLYLINE", [1.5, 2, 3, 4.25])), syntax=chosen)

    assert received(content(syntax)).report == received(content("1.2.840.10008.1.2.1")).report


def test_a_document_without_content_is_no_report_without_lesions() -> None:
    for root in (sr.ROOT, ("11528-7", "LN", "Radiology Report")):
        losses = received(sr.document(root=root)).losses
        assert [one.where for one in losses if one.rule == "sr-empty"] == ["1"]
    assert "sr-empty" not in rules(received(sr.measured(long_axis())))


def test_undefined_lengths_private_tags_and_unknown_vrs_are_stepped_over() -> None:
    group = sr.group(long_axis())
    group.is_undefined_length_sequence_item = True
    outer = sr.container(sr.MEASUREMENTS, group)
    block = group.private_block(0x0099, "SITE", create=True)
    block.add_new(1, "UN", b"\x01\x02")
    block.add_new(2, "SQ", Sequence([sr.coded(sr.MM)]))
    made = sr.document(outer)
    found = received(made)
    assert len(only(found).measurements) == 1
    undefined = outer["ContentSequence"]
    undefined.is_undefined_length = True
    assert received(sr.document(outer)).report == found.report


def test_a_bare_data_set_is_read() -> None:
    content = sr.measured(long_axis())
    start = 132 + 12 + int.from_bytes(content[140:144], "little")
    assert received(content[start:]).report == received(content).report


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Äneas^Rüdiger"),
        ("ISO_IR 101", "Żółć^Łukasz"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("ISO_IR 192", "Żółć^Łukasz=山田^太郎"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_character_sets(charset: Any, name: str) -> None:
    found = received(sr.measured(SpecificCharacterSet=charset, PatientName=name))
    assert str(found.report.patient.name) == name


@pytest.mark.parametrize(
    ("named", "raw", "name", "flagged"),
    [
        ("ISO_IR 192", b"M\xfcller", "M\N{REPLACEMENT CHARACTER}ller", True),
        ("ISO_IR 100", b"M\xfcller", "Müller", False),
        (None, b"M\xfcller", "Müller", True),
        (None, "Müller".encode(), "Müller", True),
        (None, b"Miller", "Miller", False),
        ("ISO_IR 192", "Müller".encode(), "Müller", False),
    ],
)
def test_bytes_that_the_character_set_does_not_have_are_flagged(
    named: str | None, raw: bytes, name: str, flagged: bool
) -> None:
    """Else a name that is not the patient's would go on as if it were."""
    placeholder = b"@" * (len(raw) + len(raw) % 2)
    content = sr.measured(SpecificCharacterSet=named, PatientName=placeholder.decode())
    assert content.count(placeholder) == 1
    found = received(content.replace(placeholder, raw.ljust(len(placeholder))))
    assert str(found.report.patient.name) == name
    assert ("sr-character-set" in rules(found)) == flagged


def _why(content: bytes) -> list[str]:
    """What is said about the character set of a document."""
    return [loss.why for loss in received(content).losses if loss.rule == "sr-character-set"]


@pytest.mark.parametrize(
    ("named", "meaning", "flagged"),
    [
        (None, b"Zyste gr\xf6\xdfer", True),
        ("ISO_IR 192", b"Zyste gr\xf6\xdfer", True),
        ("ISO_IR 192", "Zyste größer ".encode(), False),
        ("ISO_IR 192", b"Zyste\x07", True),
        (None, b"Zyste klein", False),
    ],
)
def test_what_was_read_before_changes_neither_texts_nor_flags(named: str | None, meaning: bytes, flagged: bool) -> None:
    """Codes of other documents are remembered by their bytes, which say the same only where they are ASCII."""
    placeholder = b"@" * (len(meaning) + len(meaning) % 2)

    def content(charset: str | None) -> bytes:
        said = sr.answer(sr.FINDING, ("T-1", "99SITE", placeholder.decode()))
        made = sr.document(
            sr.container(sr.MEASUREMENTS, sr.container(sr.GROUP, said, long_axis())), SpecificCharacterSet=charset
        )
        assert made.count(placeholder) == 1
        return made.replace(placeholder, meaning.ljust(len(placeholder)))

    others = [content(other) for other in (None, "ISO_IR 192", "ISO_IR 100") if other != named]
    first = received(content(named))
    assert ("sr-character-set" in rules(first)) == flagged
    for other in others:
        received(other)
        assert received(content(named)) == first


def test_ascii_that_is_named_and_not_kept_to_is_not_said_to_be_unnamed() -> None:
    placeholder, raw = b"@@@@@@", b"M\xfcller"
    by_set = {
        named: _why(sr.measured(SpecificCharacterSet=named, PatientName=placeholder.decode()).replace(placeholder, raw))
        for named in ("ISO_IR 6", None)
    }
    assert [len(why) for why in by_set.values()] == [1, 1]
    assert "no character set is named" not in by_set["ISO_IR 6"][0]
    assert "no character set is named" in by_set[None][0]


def test_texts_of_iso_2022_are_read() -> None:
    comment = sr.text(("121106", "DCM", "Comment"), "脳転移 1")
    found = received(sr.measured(comment, SpecificCharacterSet=["", "ISO 2022 IR 87"]))
    assert only(found).text == "脳転移 1"


@pytest.mark.parametrize("end", [200, 400, 700])
def test_a_truncated_file_is_refused_with_the_place(end: int) -> None:
    with pytest.raises(Unreadable) as raised:
        received(sr.measured(long_axis())[:end])
    assert raised.value.problems[0].rule in ("dicom", "sr-no-tree")


def test_what_is_no_sr_is_refused() -> None:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = sr.MR, "1.2.3"
    with pytest.raises(Unreadable) as raised:
        received(sr.encoded(made))
    assert raised.value.problems[0].rule == "sr-no-tree"


def test_depth_size_and_number_of_items_are_bounded() -> None:
    deep = long_axis()
    for _ in range(40):
        deep = sr.container(sr.MEASUREMENTS, deep)
    with pytest.raises(Invalid) as raised:
        received(sr.document(deep))
    assert raised.value.problems[0].rule == "limit"
    with pytest.raises(Invalid):
        received(sr.measured(*(long_axis() for _ in range(20))), limits=Limits(values=10))
    with pytest.raises(TooLarge):
        received(sr.measured(), limits=Limits(body_bytes=100))
    with pytest.raises(Invalid):
        received(sr.document(sr.container(sr.MEASUREMENTS, sr.group(), sr.group())), limits=Limits(lesions=1))


def test_a_deflated_bomb_is_refused() -> None:
    content = sr.measured(sr.text(("121106", "DCM", "Comment"), "x" * 5_000_000), syntax="1.2.840.10008.1.2.1.99")
    assert len(content) < 50_000
    with pytest.raises(TooLarge):
        received(content, limits=Limits(body_bytes=1_000_000))


def sizes(number: int) -> bytes:
    """A group of so many measurements."""
    return sr.measured(*(long_axis(value=str(one + 1)) for one in range(number)))


def words_beside_codes(number: int) -> bytes:
    """A group of so many codes, and as many words that each belong to one."""
    evaluations = ("C0034375", "UMLS", "Qualitative Evaluations")
    field = ("121071", "DCM", "Finding")
    answers = [sr.answer(field, ("1", "99SITE", "x")) for _ in range(number)]
    words = [
        sr.text(
            evaluations,
            "Finding: x y",
            sr.answer(("121050", "DCM", "Name"), field, relation="HAS CONCEPT MOD"),
            sr.answer(("121051", "DCM", "Value"), ("2", "99SITE", "z"), relation="HAS CONCEPT MOD"),
        )
        for _ in range(number)
    ]
    return sr.measured(*answers, *words)


@pytest.mark.parametrize("group", [sizes, words_beside_codes])
def test_four_times_as_large_a_group_costs_four_times_as_much_to_read(group: Callable[[int], bytes]) -> None:
    few, many = (cost(partial(received, group(number))).instructions for number in (100, 400))
    assert many <= few * 4
