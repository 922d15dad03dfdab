"""GET /v1/reports/{id}/html: the page of a kept report, as it was emitted and in another language."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.formats.html.outline import APPENDIX
from service.pipeline import LANGUAGES
from tests import sr_files as sr
from tests.findings import make_body
from tests.unit.api.conftest import FINDINGS

EXAMPLES = sorted(Path(__file__).resolve().parents[3].joinpath("examples").glob("b*.json"))
DICOM = {"Content-Type": "application/dicom"}
FOREIGN = "/v1/reports/00000000-0000-4000-8000-000000000000/html"


def post(client: FlaskClient, body: bytes, route: str = "/v1/reports", accept: str = "") -> TestResponse:
    """Publish or convert a report."""
    answer = client.post(route, data=body, headers={**FINDINGS, **({"Accept": accept} if accept else {})})
    assert answer.status_code in (200, 201), answer.data
    return answer


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_kept_page_is_that_of_a_conversion_in_this_language(client: FlaskClient, language: str) -> None:
    place = post(client, make_body()).headers["Location"]
    answer = client.get(f"{place}/html?language={language}")
    made = post(client, make_body(), f"/v1/convert?language={language}", "text/html")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, made.headers["Content-Type"])
    assert answer.data == made.data
    assert (answer.data == client.get(f"{place}/html").data) is (language == "en")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.stem)
def test_the_page_made_anew_says_what_the_emitted_one_does(client: FlaskClient, example: Path) -> None:
    place = post(client, example.read_bytes()).headers["Location"]
    emitted = client.get(f"{place}/html").data
    [language] = {one for one in LANGUAGES if b'<html lang="%b' % one.encode() in emitted} or {"en"}
    assert client.get(f"{place}/html?language={language}").data == emitted


def test_an_sr_that_came_and_an_amended_report_have_their_pages_too(client: FlaskClient) -> None:
    first = post(client, make_body()).headers["Location"]
    sr = client.post(
        "/v1/convert", data=make_body(report__id="R2"), headers={**FINDINGS, "Accept": "application/dicom"}
    )
    came = client.post("/v1/reports", data=sr.data, headers={"Content-Type": "application/dicom"})
    body = make_body(report__issued="2026-03-03T08:00:00+01:00", report__impression="Two of them.")
    corrected = post(client, body, f"{first}/amend?kind=correct").headers["Location"]
    withdrawn = client.post(f"{corrected}/cancel").headers["Location"]
    for place in (came.headers["Location"], corrected, withdrawn):
        assert client.get(f"{place}/html?language=en").data == client.get(f"{place}/html").data
        german = client.get(f"{place}/html?language=de")
        assert german.status_code == 200
        assert german.data != client.get(f"{place}/html").data


def test_each_language_has_an_etag_of_its_own(client: FlaskClient) -> None:
    place = post(client, make_body()).headers["Location"]
    pages = {one: client.get(f"{place}/html?language={one}") for one in LANGUAGES}
    tags = {one: page.headers["ETag"] for one, page in pages.items()}
    assert len(set(tags.values())) == len(LANGUAGES)
    assert client.get(f"{place}/html").headers["ETag"] == tags["en"]
    for language, status in (("de", 304), ("fr", 200)):
        again = client.get(f"{place}/html?language={language}", headers={"If-None-Match": tags["de"]})
        assert again.status_code == status


@pytest.mark.parametrize("query", ["language=tlh", "language=", "language=DE", "lang=de"])
def test_a_language_without_words_is_refused_as_everywhere(client: FlaskClient, query: str) -> None:
    place = post(client, make_body()).headers["Location"]
    answers = [client.get(f"{place}/{route}?{query}").json for route in ("html", "fhir")]
    for one in answers:
        assert one is not None
        one.pop("instance")
    assert answers[0] == answers[1]
    assert answers[0] is not None
    assert answers[0]["status"] == 422


@pytest.mark.parametrize("query", ["", "?language=de"])
def test_there_is_no_page_of_what_is_not_there(client: FlaskClient, query: str) -> None:
    assert client.get(f"{FOREIGN}{query}").status_code == 404


def test_the_page_of_a_document_that_is_more_than_a_report_has_all_of_it_in_each_language(
    client: FlaskClient,
) -> None:
    more = sr.document(
        sr.text(("X", "99SITE", "Dose"), "12 of something"),
        root=("18748-4", "LN", "Diagnostic imaging report"),
        SOPClassUID=sr.BASIC_TEXT,
    )
    first = client.post("/v1/reports", data=more, headers=DICOM).headers["Location"]
    amended = client.post(f"{first}/amend?kind=correct", data=more, headers=DICOM).headers["Location"]
    withdrawn = client.post(f"{amended}/cancel").headers["Location"]
    for place in (first, amended, withdrawn):
        emitted = client.get(f"{place}/html").data
        assert b"12 of something" in emitted
        again = client.get(f"{place}/html?language=en").data
        # Of a version that is kept as findings JSON, places are those of that.
        pages = [one.replace(b"<small>/study/modality<", b"<small>Modality<") for one in (emitted, again)]
        assert pages[0] == pages[1]
        assert b"12 of something" in client.get(f"{place}/html?language=de").data


def test_one_that_was_amended_by_findings_shows_no_more_of_the_document_before(client: FlaskClient) -> None:
    more = sr.document(
        sr.text(("X", "99SITE", "Dose"), "12"), root=("18748-4", "LN", "Report"), SOPClassUID=sr.BASIC_TEXT
    )
    first = client.post("/v1/reports", data=more, headers=DICOM).headers["Location"]
    findings = client.get(f"{first}/findings").data
    amended = post(client, findings, f"{first}/amend?kind=correct").headers["Location"]
    emitted = client.get(f"{amended}/html").data
    assert APPENDIX.encode() not in emitted
    assert client.get(f"{amended}/html?language=en").data == emitted
