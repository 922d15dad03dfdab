"""The file of what is received, against its guide; and what is refused in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from service.delivery.settings import Folder, ServerTls
from service.delivery.table import members
from service.domain.errors import ReceivingError
from service.domain.report import Status
from service.receiving.settings import LISTENERS, WAYS, Receiving, Route, Site, load

GUIDE = (Path(__file__).parents[3] / "docs" / "receiving.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
KNOWN = {name: Folder(name=name, path="/srv") for name in ("pacs", "ehr", "engine", "research")}


def loaded(folder: Path, text: str) -> Receiving:
    file = folder / "receiving.toml"
    file.write_text(text, encoding="utf-8")
    return load(str(file), KNOWN)


def test_the_example_can_be_used_and_has_everything(tmp_path: Path) -> None:
    made = loaded(tmp_path, EXAMPLE)
    assert [one.name for one in made.sites.values()] == ["north"]
    assert len(made.routes) == 3
    assert None not in (made.dicom, made.hl7, made.folder)
    assert made.site_of_title("NORTHAI") == made.site_of_facility("NORTH") == made.sites["north"]
    assert made.site_of_title("OTHER") is None is made.site_of_facility("")


@pytest.mark.parametrize("kind", [Site, Route, ServerTls, *LISTENERS.values()])
def test_every_member_is_in_the_example(kind: Any) -> None:
    said = set(re.findall(r"^([a-z_]+) =", EXAMPLE, re.MULTILINE)) | {"tls"}
    assert {one.name for one in members(kind)} - said == ({"name"} if kind is Site else set()) - said


@pytest.mark.parametrize("word", [*WAYS, *Status])
def test_every_word_of_a_rule_is_described(word: str) -> None:
    assert f"`{word}`" in GUIDE


def test_no_file_is_nothing() -> None:
    assert load("", {}) == Receiving()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[[routes]]\nname = "a"\ndeliver = ["nobody"]', "routes[0].deliver"),
        ('[[routes]]\nname = "a"\ndeliver = []\n[[routes]]\nname = "a"\ndeliver = []', "routes[1].name"),
        ('[[routes]]\nname = "a"', "routes[0].deliver"),
        ('[sites."nor\\nth"]', "sites.nor\nth"),
        ('[sites." north"]', "sites. north"),
        ('[[routes]]\nname = "a"\ndeliver = []\nstatus = ["done"]', "routes[0]"),
        ('[[routes]]\nname = "a"\ndeliver = []\nsource = ["fax"]', "routes[0]"),
        ('[[routes]]\nname = "a"\ndeliver = []\ncolour = ["red"]', "routes[0].colour"),
        ('[[routes]]\nname = "a"\ndeliver = []\nmodality = [""]', "routes[0].modality"),
        ('[[routes]]\nname = "a"\ndeliver = []\nmodality = ""', "routes[0].modality"),
        ('[[routes]]\nname = "a"\ndeliver = []\nsender = ["north "]', "routes[0].sender"),
        ('routes = "a"', "routes"),
        ('[sites.a]\nzone = "Mars/Phobos"', "sites.a"),
        ('[sites.a]\nae_titles = ["X"]\n[sites.b]\nae_titles = ["X"]', "sites.b.ae_titles"),
        ("[listen.fax]\nport = 1", "listen.fax"),
        ("[listen.hl7]\nport = 99999", "listen.hl7"),
        ("[listen.hl7]\nport = 1\nconnections = 0", "listen.hl7"),
        ("[listen.dicom]\nport = 1\nmax_pdu = 1", "listen.dicom"),
        ('[listen.folder]\npath = "/srv"\npoll_s = 0', "listen.folder"),
        ('[listen.folder]\npath = "/srv"\nsite = "south"', "listen.folder.site"),
        ("[other]", "other"),
        ("=", "receiving_file"),
    ],
)
def test_what_can_not_be_is_refused_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(ReceivingError) as refused:
        loaded(tmp_path, text)
    assert [(one.pointer, one.rule) for one in refused.value.problems] == [(place, "receiving")]


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(ReceivingError, match="can't be read"):
        load("/nonexistent/receiving.toml", {})
