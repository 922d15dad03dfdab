"""Messages of others: what is taken, what is assumed, what is left out and said, what is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import Invalid, Problem, Refused, Unreadable
from service.domain.limits import Limits
from service.domain.received import Intake, Received
from service.domain.report import Status
from service.formats.hl7v2.read import read
from service.formats.hl7v2.tables import charsets
from service.formats.hl7v2.write import write
from tests.report_set import rich_report

HEADER = r"MSH|^~\&|RIS|NORTH|||20260302104100+0100||ORU^R01^ORU_R01|77|P|2.5.1||||||{charset}"
PATIENT = "PID|1||P1^^^NORTH^MR||{name}||19610402|F"
FIELDS = {1: "1", 3: "A481", 4: "MR1^MRI brain^L", 7: "20260302091200", 16: "7^Roe^Rita"}
REPORTED = {22: "20260302104100+0100", 24: "MR", 25: "F"}
ORDER = "|".join(["OBR", *((FIELDS | REPORTED).get(number, "") for number in range(1, 26))])
TEXT = "OBX|1|TX|59776-5^Findings^LN||A lesion, 14 mm.||||||F"


def message(*observations: str, charset: str = "UNICODE UTF-8", name: str = "Doe^Jane", order: str = ORDER) -> str:
    lines = [HEADER.format(charset=charset), PATIENT.format(name=name), order, *(observations or (TEXT,))]
    return "\r".join(lines) + "\r"


def received(*observations: str, zone: str = "Europe/Berlin") -> Received:
    return read(message(*observations).encode(), Intake(zone=zone))


def test_patient_order_and_text_are_taken() -> None:
    report = received().report
    assert (report.patient.id, report.patient.issuer.key if report.patient.issuer else "") == ("P1", "NORTH")
    assert str(report.patient.name) == "Doe^Jane"
    assert report.study.accession == report.id == "A481"
    assert report.study.started is not None
    assert report.study.started.text == "2026-03-02T09:12:00+01:00"
    assert (report.findings, report.status) == ("A lesion, 14 mm.", Status.FINAL)
    assert code_report(report, vocabulary()).study.modality.codes[0].code == "MR"


def test_what_had_to_be_assumed_is_flagged() -> None:
    assert {loss.rule for loss in received().losses} == {"study-uid-derived", "zone-assumed"}


def test_keeps_the_blanks_that_begin_a_line() -> None:
    found = received('OBX|1|TX|59776-5^Findings^LN||Brain: ~  - one lesion~""~  14 mm||||||F').report.findings
    assert found == "Brain:\n  - one lesion\n\n  14 mm"


def test_the_impression_begins_at_its_heading() -> None:
    lines = [f"OBX|{turn}|TX|&GDT||{text}||||||F" for turn, text in enumerate(("FINDINGS:", "x", "IMPRESSION:", "y"))]
    report = received(*lines).report
    assert (report.findings, report.impression) == ("FINDINGS:\nx", "y")


def test_a_section_is_known_by_its_suffix_and_repetitions_are_lines() -> None:
    report = received("OBX|1|FT|1&GDT||a~b\\.br\\c||||||F", "OBX|2|FT|1&IMP||d||||||F").report
    assert (report.findings, report.impression) == ("a\nb\nc", "d")


def test_a_coded_observation_is_an_answer_and_a_number_of_no_lesion_is_listed() -> None:
    made = received(
        "OBX|1|CWE|79654002^Edema^SCT||2032001^Cerebral edema^SCT||||||F",
        "OBX|2|NM|8480-6^Systolic^LN||120|mm[Hg]^^UCUM|||||F",
        "OBX|3|ED|1||^TEXT^PDF^Base64^AAAA||||||F",
    )
    assert len(made.report.evaluations) == 1
    assert [loss.where for loss in made.losses if loss.rule == "v2-observation"] == ["OBX[2]", "OBX[3]"]


def test_two_lesions_with_one_identifier_stay_two() -> None:
    lines = [
        f"OBX|{sub}|{kind}|{name}|{sub}|{value}||||||F"
        for sub in (1, 2)
        for kind, name, value in (
            ("ST", "112039^Tracking Identifier^DCM", "L1"),
            ("CWE", "121071^Finding^DCM", "94225005^^SCT"),
        )
    ]
    made = received(*lines)
    assert [lesion.id for lesion in made.report.lesions] == ["L1", "L1 2"]
    assert "v2-tracking" in {loss.rule for loss in made.losses}


def test_what_has_no_place_is_listed_by_its_field_without_its_value() -> None:
    made = read(message().replace("|F\rOBR", "|F||||Secret Street 1\rOBR", 1).encode(), Intake())
    listed = [loss for loss in made.losses if loss.rule == "v2-no-place"]
    assert [loss.where for loss in listed] == ["PID[1]-12"]
    assert "Secret" not in str(made.losses)


@pytest.mark.parametrize(("name", "codec"), [(name, codec) for name, codec in charsets().items() if codec])
def test_every_character_set_of_table_0211_is_decoded(name: str, codec: str) -> None:
    text = next(one for one in ("ąęł", "žš", "日本", "韓國", "ÄÖ", "йц", "שלום", "αβ", "Doe") if _fits(one, codec))
    body = message(charset=name, name=f"{text}^Jane").encode(codec)
    assert str(read(body, Intake()).report.patient.name) == f"{text}^Jane"


def _fits(text: str, codec: str) -> bool:
    try:
        return text.encode(codec).decode(codec) == text
    except UnicodeError:
        return False


@pytest.mark.parametrize("named", ["~ISO IR87", "ASCII~ISO IR87", "ISO IR6~ISO IR87~ISO IR159"])
def test_character_sets_that_are_switched_to_are_read(named: str) -> None:
    """MSH-18 repeats (2.14.9.18); without a first one the alternate sets stand beside the default."""
    made = read(message(charset=named, name="山田^太郎").encode("iso2022_jp"), Intake())
    assert "山田" in str(made.report.patient.name)


@pytest.mark.parametrize(
    ("body", "assumed"), [(message(charset="", name="Müller^Jan").encode(code), code) for code in ("utf-8", "latin-1")]
)
def test_without_a_character_set_it_is_assumed_and_flagged(body: bytes, assumed: str) -> None:
    made = read(body, Intake())
    assert str(made.report.patient.name) == "Müller^Jan"
    assert "v2-charset-assumed" in {loss.rule for loss in made.losses}
    assert assumed


@pytest.mark.parametrize(
    ("named", "name", "sent_as", "read_as"),
    [
        ("8859/1", "Müller", "utf-8", "Müller"),
        ("8859/15", "Müller", "utf-8", "Müller"),
        ("8859/1", "M\\XFC\\llé", "utf-8", "Müllé"),
        ("8859/2", "Wójcik", "utf-8", "WĂłjcik"),
        ("8859/2", "KÓŁKO", "iso8859-2", "KÓŁKO"),
    ],
)
def test_bytes_that_are_utf_8_whatever_the_message_says_are_flagged(
    named: str, name: str, sent_as: str, read_as: str
) -> None:
    """An engine between changed the bytes and not MSH-18, or they only look so."""
    made = read(message(charset=named, name=f"{name}^Jan").encode(sent_as), Intake())
    assert str(made.report.patient.name) == f"{read_as}^Jan"
    [flagged] = [loss for loss in made.losses if loss.rule == "v2-charset-assumed"]
    assert flagged.where == "MSH-18"


@pytest.mark.parametrize(("named", "codec"), [("8859/1", "iso8859-1"), ("8859/2", "iso8859-2")])
def test_bytes_of_the_set_that_is_named_are_not(named: str, codec: str) -> None:
    for name in ("Müller", "Mueller"):
        made = read(message(charset=named, name=f"{name}^Jan").encode(codec), Intake())
        assert str(made.report.patient.name) == f"{name}^Jan"
        assert "v2-charset-assumed" not in {loss.rule for loss in made.losses}


def test_hexadecimal_escapes_are_bytes_of_the_character_set() -> None:
    assert str(read(message(name="M\\XC3BC\\ller^Jan").encode(), Intake()).report.patient.name) == "Müller^Jan"


def test_a_frame_of_mllp_is_taken_off() -> None:
    assert read(b"\x0b" + message().encode() + b"\x1c\r", Intake()).report == received(zone="UTC").report


def test_results_that_are_all_withdrawn_are_a_withdrawn_report() -> None:
    assert received("OBX|1|TX|1||x||||||W").report.status is Status.ENTERED_IN_ERROR


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", ""),
        (b"PID|1", ""),
        (b"MSH|", ""),
        (b"MSH|||||||||||||||", "MSH-2"),
        (message(charset="KLINGON").encode(), "MSH-18"),
        (message(charset="CNS 11643-1992").encode(), "MSH-18"),
        (message(charset="UNICODE UTF-8").encode().replace(b"Doe", b"\xff\xfe"), "MSH-18"),
        (message().replace("ORU^R01", "ADT^A01").encode(), "MSH-9"),
        (message().replace("P1^^^NORTH^MR", "").encode(), "PID-3"),
        (message().replace("OBR|1", "ZZZ|1").encode(), "OBR"),
        ((message() + PATIENT + "\r").encode(), "PID[2]"),
        ((message() + message()).encode(), "MSH"),
        (message(order="OBR|1||||").replace("|77|", "||").encode(), "OBR-3"),
        (message(order="OBR|1||A|x").replace("20260302104100+0100", "").encode(), "OBR-22"),
    ],
)
def test_a_broken_message_is_refused_with_its_place(body: bytes, place: str) -> None:
    with pytest.raises((Unreadable, Invalid)) as raised:
        read(body, Intake())
    assert raised.value.problems[0].pointer == place
    assert "Doe" not in str(raised.value)


def test_more_segments_than_the_limit_are_refused() -> None:
    with pytest.raises(Invalid):
        read(message(*[TEXT] * 60).encode(), Intake(limits=Limits(values=50)))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_mutated_message_is_read_or_refused_never_worse(data: st.DataObject) -> None:
    body = bytearray(write(rich_report()).content)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"|", b"\r", b"\\"])
        )
    problems: tuple[Problem, ...] = ()
    try:
        report = read(bytes(body), Intake()).report
        assert [lesion.id for lesion in code_report(report, vocabulary()).lesions] == [one.id for one in report.lesions]
    except Refused as refused:  # any other error fails
        problems = refused.problems
    assert all(problem.rule and problem.detail for problem in problems)


def messages_of_others(folder: Path) -> Iterator[tuple[str, str]]:
    """Every message of the cases; the logs frame theirs with tags of their own."""
    for path in sorted(folder.glob("hl7v2/*")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".hl7":
            yield path.name, text
        for turn, framed in enumerate(text.split("<SB>")[1:]):
            yield f"{path.name} {turn}", framed.partition("<EB>")[0].replace("<R>\n", "\r").replace("<R>", "\r").strip()


@pytest.mark.cases
def test_every_message_of_others_is_read_with_all_its_text(cases: Path) -> None:
    read_ones = 0
    for name, text in messages_of_others(cases):
        if "ORU^R01" not in text:
            continue
        if "OBX|" not in text:  # some are of an order only, two of them "Final"
            with pytest.raises(Invalid) as raised:
                read(text.encode(), Intake())
            assert [problem.rule for problem in raised.value.problems] == ["v2-empty"]
            continue
        made = read(text.encode(), Intake())
        report = code_report(made.report, vocabulary())
        said = " ".join(f"{report.findings or ''} {report.impression or ''}".split())
        for line in text.replace("\n", "\r").split("\r"):
            fields = line.split("|")
            if fields[0] == "OBX" and fields[2] in ("TX", "FT", "ST") and fields[11:12] != ["D"]:
                for word in fields[5].replace("~", " ").split():
                    assert "\\" in word or word in said or word.rstrip(":").upper() in ("IMPRESSION", "CONCLUSION"), (
                        name,
                        word,
                    )
        read_ones += 1
    assert read_ones > 50
