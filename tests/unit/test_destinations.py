"""Destinations held to what can be written for them, when the service starts."""

from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from service.delivery.settings import DestinationSettings
from service.destinations import load
from service.domain.errors import DestinationsError, NotAcceptable
from service.pipeline import BUNDLES, ENCODINGS, LANGUAGES, PROFILES, Format, Options, Source, convert
from service.workflows.accepting import written_for
from tests.findings import make_body

FOLDER = '[destinations.pacs]\nkind = "folder"\npath = "/srv/outbox"\ntakes = "{takes}"\n{more}'


def settings(folder: Path, more: str, takes: str = "fhir-r4") -> DestinationSettings:
    """A destination that says this."""
    path = folder / "destinations.toml"
    path.write_text(FOLDER.format(takes=takes, more=more), encoding="utf-8")
    return load(str(path), {})["pacs"]


def loaded(folder: Path, more: str, takes: str = "fhir-r4") -> str:
    """The language of a destination that says this."""
    return settings(folder, more, takes).language


def written(at: DestinationSettings, bundle: str) -> bool:
    """Whether a report is written for it whose sender asks for this bundle."""
    form = Format(at.takes)
    try:
        return bool(
            convert(Source(make_body()), (form,), written_for(at, Options(bundle=bundle))).outputs[form].content
        )
    except NotAcceptable:
        return False


@pytest.mark.parametrize("member", ["dialect", "bundle", "profile", "encoding", "language"])
def test_what_nothing_here_writes_is_refused_with_what_there_is(member: str, tmp_path: Path) -> None:
    with pytest.raises(DestinationsError) as refused:
        loaded(tmp_path, f'{member} = "nonsense"')
    [problem] = refused.value.problems
    assert problem.pointer == f"destinations.pacs.{member}"
    assert problem.detail.startswith("is one of ")


@pytest.mark.parametrize(
    ("takes", "more", "at", "said"),
    [
        ("fhir-r5", 'profile = "imr"', "profile", "imr is FHIR R4; this is R5"),
        ("fhir-r4", 'profile = "dicom-sr"', "profile", "dicom-sr is FHIR R5; this is R4"),
        (
            "fhir-r4",
            'profile = "eu-imaging"\nbundle = "transaction"',
            "profile",
            "eu-imaging has bundle=document; this is R4, bundle transaction",
        ),
        (
            "fhir-r4",
            'profile = "imr"\nencoding = "xml"',
            "encoding",
            "a list of requests or transactions is JSON, never XML",
        ),
        (
            "fhir-r5",
            'bundle = "single"\nencoding = "xml"',
            "encoding",
            "a list of requests or transactions is JSON, never XML",
        ),
    ],
)
def test_what_is_never_written_together_is_refused(takes: str, more: str, at: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DestinationsError) as refused:
        loaded(tmp_path, more, takes)
    [problem] = refused.value.problems
    assert (problem.pointer, problem.detail) == (f"destinations.pacs.{at}", said)


def test_a_bundle_that_is_not_said_is_the_one_that_the_sender_asks_for(tmp_path: Path) -> None:
    for said in ('profile = "eu-imaging"', 'profile = "eu-imaging"\nencoding = "xml"'):
        at = settings(tmp_path, said)
        assert [bundle for bundle in BUNDLES if written(at, bundle)] == ["document"]


@pytest.mark.parametrize("takes", ["fhir-r4", "fhir-r5"])
def test_every_combination_is_refused_or_written(takes: str, tmp_path: Path) -> None:
    found = Counter[bool]()
    for profile, bundle, encoding in product(("", *PROFILES), ("", *BUNDLES), ("", *ENCODINGS)):
        said = {"profile": profile, "bundle": bundle, "encoding": encoding}
        lines = [f'{member} = "{word}"' for member, word in said.items() if word]
        try:
            at = settings(tmp_path, "\n".join(lines), takes)
        except DestinationsError:
            found[False] += 1
            continue
        assert any(written(at, bundle) for bundle in BUNDLES)
        found[True] += 1
    assert min(found.values()) > 10


def test_of_another_format_nothing_of_fhir_is_asked(tmp_path: Path) -> None:
    assert loaded(tmp_path, 'profile = "imr"\nbundle = "single"\nlanguage = "de"', "html") == "de"


def test_what_is_known_is_taken(tmp_path: Path) -> None:
    said = 'dialect = "ohif"\nbundle = "document"\nprofile = "uscore"\nencoding = "xml"\nlanguage = "de-CH"'
    assert loaded(tmp_path, said) == "de-CH"
    assert loaded(tmp_path, "") == ""


def test_the_words_are_those_of_the_writers() -> None:
    assert "imr" in PROFILES
    assert LANGUAGES == ("en", "de", "es", "fr", "ja", "pl")
