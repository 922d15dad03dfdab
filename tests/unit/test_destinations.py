"""Destinations held to what can be written for them, when the service starts."""

from pathlib import Path

import pytest

from service.destinations import load
from service.domain.errors import DestinationsError
from service.pipeline import LANGUAGES, PROFILES

FOLDER = '[destinations.pacs]\nkind = "folder"\npath = "/srv/outbox"\ntakes = "{takes}"\n{more}'


def loaded(folder: Path, more: str, takes: str = "fhir-r4") -> str:
    """The language of a destination that says this."""
    path = folder / "destinations.toml"
    path.write_text(FOLDER.format(takes=takes, more=more), encoding="utf-8")
    return load(str(path), {})["pacs"].language


@pytest.mark.parametrize("member", ["dialect", "bundle", "profile", "encoding", "language"])
def test_what_nothing_here_writes_is_refused_with_what_there_is(member: str, tmp_path: Path) -> None:
    with pytest.raises(DestinationsError) as refused:
        loaded(tmp_path, f'{member} = "nonsense"')
    [problem] = refused.value.problems
    assert problem.pointer == f"destinations.pacs.{member}"
    assert problem.detail.startswith("is one of ")


def test_what_is_known_is_taken(tmp_path: Path) -> None:
    said = 'dialect = "ohif"\nbundle = "document"\nprofile = "uscore"\nencoding = "xml"\nlanguage = "de-CH"'
    assert loaded(tmp_path, said) == "de-CH"
    assert loaded(tmp_path, "") == ""


def test_the_words_are_those_of_the_writers() -> None:
    assert "imr" in PROFILES
    assert LANGUAGES == ("en", "de", "es", "fr", "ja", "pl")
