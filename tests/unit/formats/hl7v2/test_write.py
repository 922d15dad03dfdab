"""The message as a receiver sees it, read by another library."""

from base64 import b64decode
from dataclasses import replace

import pytest
from hl7apy.parser import parse_message

from service.domain.received import Intake
from service.domain.report import Status
from service.doors import WRITERS, Format, Options
from service.formats.hl7v2.read import read
from service.formats.hl7v2.tables import READ, WRITTEN
from service.formats.hl7v2.write import write
from tests.report_set import minimal_report, regions_report, rich_report, segment_report, status_report
from tests.reports import make_coded_report, make_lesion

REPORTS = {
    "default": make_coded_report,
    "minimal": minimal_report,
    "rich": rich_report,
    "regions": regions_report,
    "segment": segment_report,
}


def lines(content: bytes) -> list[str]:
    assert content.endswith(b"\r")
    return content.decode("utf-8").rstrip("\r").split("\r")


@pytest.mark.parametrize("name", REPORTS)
def test_another_library_finds_no_fault_in_it(name: str) -> None:
    message = parse_message(write(REPORTS[name]()).content.decode(), find_groups=True)
    assert message.validate()


@pytest.mark.parametrize("name", REPORTS)
def test_the_same_report_gives_the_same_bytes(name: str) -> None:
    assert write(REPORTS[name]()) == write(REPORTS[name]())


def test_another_content_has_another_control_id() -> None:
    first, second = (lines(write(make_coded_report(impression=text)).content)[0].split("|")[9] for text in ("a", "b"))
    assert first != second
    assert len(first) == len(second) == 20


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_its_codes(status: Status) -> None:
    written = lines(write(status_report(status)).content)
    request = next(line for line in written if line.startswith("OBR"))
    observed = {line.split("|")[11] for line in written if line.startswith("OBX")}
    assert request.split("|")[25] == WRITTEN[status][0]
    assert observed == {WRITTEN[status][1]}
    assert WRITTEN[status][0] in READ


def test_free_text_is_a_line_an_observation_and_its_delimiters_are_escaped() -> None:
    written = lines(write(make_coded_report(findings="one|two\n\nthr^ee & ~ \\")).content)
    texts = [line.split("|")[5] for line in written if line.startswith("OBX") and "|TX|121070^" in line]
    assert texts == ["one\\F\\two", "", "thr\\S\\ee \\T\\ \\R\\ \\E\\"]


def test_a_text_of_two_quotation_marks_is_no_null() -> None:
    content = write(make_coded_report(impression='""')).content
    assert b"|\\X2222\\|" in content
    assert read(content, Intake()).report.impression == '""'


def test_a_number_keeps_its_digits_and_has_a_ucum_unit() -> None:
    number = next(line for line in lines(write(make_coded_report()).content) if "|NM|103339001^" in line)
    fields = number.split("|")
    assert fields[5] == str(make_lesion().measurements[0].value)
    assert fields[6].endswith("^UCUM")


def test_a_code_beyond_the_second_is_named_as_lost() -> None:
    report = make_coded_report()
    codes = report.study.modality.codes
    third = replace(codes[0], system="RADLEX", code="RID10312")
    modality = replace(report.study.modality, codes=(*codes[:1], replace(third, code="RID1"), third))
    made = write(replace(report, study=replace(report.study, modality=modality)))
    assert [loss.what for loss in made.losses if loss.rule == "v2-third-code"][:1] == ["RADLEX RID10312"]


def test_the_sr_is_pointed_to_when_it_is_given() -> None:
    from service.formats.sr.write import write as write_sr

    sr = write_sr(make_coded_report()).reference
    pointers = [line for line in lines(write(make_coded_report(), sr).content) if "|RP|" in line]
    assert len(pointers) == 1
    assert pointers[0].split("|")[5].split("^")[0] == sr.sop_instance
    assert not [line for line in lines(write(make_coded_report()).content) if "|RP|" in line]


@pytest.mark.parametrize("name", ["default", "rich"])
def test_the_page_goes_along_as_pdf_when_it_is_asked_for(name: str) -> None:
    report = REPORTS[name]()
    page = WRITERS[Format.PDF](report, Options(), None)
    made = WRITERS[Format.HL7V2](report, Options(pdf=True), None)
    assert parse_message(made.content.decode(), find_groups=True).validate()
    plain, written = lines(WRITERS[Format.HL7V2](report, Options(), None).content), lines(made.content)
    assert written[1:-1] == plain[1:]
    fields = written[-1].split("|")
    assert fields[:3] == ["OBX", str(len(plain) - 3), "ED"]
    assert fields[3].startswith("18748-4^")
    *head, data = fields[5].split("^")
    assert head == ["", "AP", "PDF", "Base64"]
    assert b64decode(data, validate=True) == page.content
    assert set(page.losses) <= set(made.losses)
    assert made == WRITERS[Format.HL7V2](report, Options(pdf=True), None)


def test_a_document_that_comes_along_is_named_as_not_read() -> None:
    report = make_coded_report()
    with_document, without = (
        read(WRITERS[Format.HL7V2](report, Options(pdf=pdf), None).content, Intake()) for pdf in (True, False)
    )
    assert with_document.report == without.report
    [loss] = [one for one in with_document.losses if one not in without.losses]
    assert (loss.rule, loss.what) == ("v2-observation", "an encapsulated document")
