"""A page in the language of its report: drafts are marked, English stands beside them, codes stay as they are."""

import csv
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

import service.formats.html
from service.coding import vocabulary
from service.coding.labels import STATUSES, labels, languages
from service.domain.codes import CodedTerm, Resolution
from service.domain.report import CodedReport, Status
from service.formats.html.phrases import COLUMNS, DRAFT, note, shown
from service.formats.html.write import narrative, page
from tests.report_set import REPORTS, status_report
from tests.reports import make_coded_report, make_lesion

ROOM = Path(service.formats.html.__file__).parent
LANGUAGES = ("de", "es", "fr", "ja", "pl")


def table(language: str) -> list[dict[str, str]]:
    """The phrases of a language, a line each."""
    with (ROOM / "phrases" / f"{language}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def spoken() -> set[str]:
    """Every phrase that the code of the room says by its English words."""
    source = "".join(path.read_text(encoding="utf-8") for path in ROOM.glob("*.py"))
    found = set(re.findall(r"\bsay\(\s*\"([^\"]+)\"", source)) | set(re.findall(r"\bsay\('([^']+)'", source))
    places = set(re.findall(r"yield \"([^\"]+)\",", (ROOM / "codes.py").read_text(encoding="utf-8")))
    return (found | places) - {""}


def in_language(language: str) -> CodedReport:
    """A report of one brain metastasis on the left."""
    shipped = vocabulary()
    lesion = make_lesion(finding=shipped.term("brain-metastasis"), laterality=shipped.term("left"))
    return make_coded_report(language=language, lesions=(lesion,))


def test_the_languages_are_those_of_the_project() -> None:
    assert languages() == LANGUAGES
    assert {path.stem for path in (ROOM / "phrases").glob("*.csv")} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_of_the_room_is_there_with_its_places(language: str) -> None:
    lines = table(language)
    english = {line["english"] for line in lines}

    assert tuple(lines[0]) == COLUMNS
    assert len(english) == len(lines)
    assert len(spoken()) > 60
    assert not spoken() - english
    for line in lines:
        assert line["phrase"].count("{}") == line["english"].count("{}"), line
        assert line["status"] in STATUSES
        assert not set(line["phrase"]) & set('<>&"'), line


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_draft_is_marked_and_its_english_stands_beside_it(language: str) -> None:
    label = labels(language)["brain-metastasis"]
    assert not label.verified

    for text in (page(in_language(language)), narrative(in_language(language))):
        assert f"{label.text}{DRAFT}" in text
        assert f"{label.text}{DRAFT} = brain metastasis" in text
        assert f"{labels(language)['left'].text}{DRAFT} = left" in text
        assert "machine translations that nobody has reviewed" in text


def test_a_language_is_told_by_its_first_part() -> None:
    assert "Hirnmetastase*" in narrative(in_language("de-CH"))
    assert "Hirnmetastase*" in narrative(in_language("DE"))


@pytest.mark.parametrize("language", ["en", "en-US", "en-GB", "nl", "zh-Hans", "", "../de"])
def test_another_language_is_shown_in_english_as_it_came(language: str) -> None:
    report = in_language(language)

    assert shown(report).report is report
    assert note(shown(report)) == ""
    assert "<h3>Lesions</h3>" in narrative(report)


def test_the_language_that_is_asked_for_goes_before_that_of_the_report() -> None:
    report = in_language("pl")

    for text in (narrative(report, "de-DE"), page(report, language="de-DE")):
        assert "Hirnmetastase*" in text
        assert 'lang="de' in text
    assert "brain metastasis" in narrative(report, "en")
    assert narrative(report, "pl") == narrative(report)


@pytest.mark.parametrize("language", LANGUAGES)
def test_codes_and_displays_stay(language: str) -> None:
    text = page(in_language(language))
    for code in vocabulary().term("brain-metastasis").codes:
        assert code.code in text
        assert code.display in text


def test_words_of_the_sender_are_not_translated() -> None:
    kept = CodedTerm("left lesion of unknown kind", resolution=Resolution.TEXT)
    lesion = make_lesion(finding=kept)

    assert "left lesion of unknown kind" in narrative(make_coded_report(language="pl", lesions=(lesion,)))


def test_a_reviewed_text_is_shown_without_a_mark() -> None:
    term = vocabulary().term("brain-metastasis")
    official = CodedTerm("Metastase im Gehirn", term.codes, term.concept, said="brain metastasis")
    text = narrative(make_coded_report(language="de", lesions=(make_lesion(finding=official),)))

    assert "Metastase im Gehirn" in text
    assert "Metastase im Gehirn*" not in text
    assert "Hirnmetastase" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", [status for status in Status if status is not Status.FINAL])
def test_whether_a_report_may_be_used_is_said_in_english_too(language: str, status: Status) -> None:
    text = narrative(replace(status_report(status), language=language))
    assert f"({status.value.replace('-', ' ').upper()}: " in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_report_can_be_shown(language: str, name: str) -> None:
    report = replace(REPORTS[name](), language=language)
    assert ET.fromstring(narrative(report)).tag.endswith("div")
    assert page(report).startswith(f'<!DOCTYPE html>\n<html lang="{language}"')
