"""FHIR resources, single and packed: what is read, and what is refused."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from service.domain.errors import Invalid, LesionBridgeError, TooLarge, Unreadable
from service.domain.limits import Limits
from tests.releases import Site

URL = "http://example.org/codes"
SYSTEM: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "url": URL,
    "version": "3",
    "name": "Local",
    "status": "active",
    "content": "complete",
    "concept": [
        {
            "code": "a",
            "display": "Above",
            "definition": "What is above.",
            "designation": [{"language": "de", "value": "Oben"}],
            "concept": [{"code": "b", "display": "Below", "property": [{"code": "site", "valueCode": "a"}]}],
        },
        {"code": "c", "property": [{"code": "parent", "valueCode": "b"}, {"code": "inactive", "valueBoolean": True}]},
    ],
}
VALUES = {
    "resourceType": "ValueSet",
    "url": "http://example.org/values",
    "compose": {"include": [{"system": "http://snomed.info/sct", "concept": [{"code": "404684003"}]}]},
    "expansion": {"contains": [{"system": URL, "code": "a", "contains": [{"system": URL, "code": "b"}]}]},
}


def _map(**target: str) -> dict[str, Any]:
    element = {"code": "a", "target": [{"code": "404684003", **target}]}
    group = {"source": URL, "target": "http://snomed.info/sct", "element": [element]}
    return {"resourceType": "ConceptMap", "url": "http://example.org/map", "group": [group]}


def _file(folder: Path, resource: object, name: str = "codes.json") -> Path:
    path = folder / name
    path.write_text(resource if isinstance(resource, str) else json.dumps(resource))
    return path


def _package(folder: Path, **resources: object) -> Path:
    path = folder / "site.terms-1.0.0.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, resource in {"package": {"name": "site.terms", "version": "1.0.0"}, **resources}.items():
            content = json.dumps(resource).encode()
            member = tarfile.TarInfo(f"package/{name}.json")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_reads_a_code_system(site: Site, tmp_path: Path) -> None:
    placed = site.load(_file(tmp_path, SYSTEM))
    assert (placed.name, placed.systems) == ("fhir-codes", ((URL, "3", 3),))
    releases = site.releases
    assert releases.ancestors(URL, "c") == ("a", "b")
    found = releases.lookup(URL, "c")
    assert found is not None
    assert not found.active
    assert {(word.term, word.language) for word in releases.designations(URL, "a")} == {
        ("Above", "en"),
        ("Oben", "de"),
        ("What is above.", "en"),
    }
    assert [(one.type, one.target) for one in releases.attributes(URL, "b")] == [("site", "a")]


def test_a_known_system_has_its_designator(site: Site, tmp_path: Path) -> None:
    placed = site.load(_file(tmp_path, SYSTEM | {"url": "http://radlex.org"}))
    assert placed.systems[0][0] == "RADLEX"


def test_reads_a_package_with_value_sets_and_maps(site: Site, tmp_path: Path) -> None:
    placed = site.load(_package(tmp_path, codes=SYSTEM, values=VALUES, map=_map(equivalence="wider")))
    assert placed.name == "fhir-site.terms"
    members = site.releases.value_set("http://example.org/values")
    assert members is not None
    assert {(one.system, one.code) for one in members} == {("SCT", "404684003"), (URL, "a"), (URL, "b")}
    assert site.releases.value_set("http://example.org/none") is None
    (there,) = site.releases.translations(URL, "a")
    assert (there.to_system, there.to_code, there.relationship) == (
        "SCT",
        "404684003",
        "source-is-narrower-than-target",
    )
    assert site.releases.translations("SCT", "404684003", back=True) == (there,)
    assert site.releases.translations("SCT", "404684003") == ()


@pytest.mark.parametrize("said", [{"relationship": "equivalent"}, {"equivalence": "equal"}])
def test_both_versions_of_a_concept_map_are_read(said: dict[str, str], site: Site, tmp_path: Path) -> None:
    site.load(_file(tmp_path, _map(**said)))
    assert [one.relationship for one in site.releases.translations(URL, "a")] == ["equivalent"]


@pytest.mark.parametrize(
    ("resource", "error", "why"),
    [
        ('{"resourceType": "CodeSystem",', Invalid, "not JSON"),
        ({"resourceType": "Patient"}, Invalid, "there is no FHIR CodeSystem"),
        ({"name": "some settings"}, Invalid, "there is no FHIR CodeSystem"),
        ("[1, 2]", Invalid, "there is no FHIR CodeSystem"),
        ({"resourceType": "CodeSystem", "concept": []}, Invalid, "without a url"),
        (SYSTEM | {"concept": [{"display": "no code"}]}, Invalid, "a concept that is none"),
        (SYSTEM | {"concept": [{"code": "a"}, {"code": "a"}]}, Invalid, "the code a twice"),
        (_map(equivalence="alike"), Invalid, "no known relationship"),
        (_map(), Invalid, "no known relationship"),
    ],
)
def test_refuses_a_broken_resource(
    resource: object, error: type[LesionBridgeError], why: str, site: Site, tmp_path: Path
) -> None:
    with pytest.raises(error, match=why):
        site.load(_file(tmp_path, resource))


def test_refuses_two_resources_of_one_url(site: Site, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"is in .*one\.json, too"):
        site.load(_package(tmp_path, one=SYSTEM, two=SYSTEM))


def test_refuses_a_cycle(site: Site, tmp_path: Path) -> None:
    rows = [{"code": a, "property": [{"code": "parent", "valueCode": b}]} for a, b in (("a", "b"), ("b", "a"))]
    with pytest.raises(Invalid, match="its own ancestor"):
        site.load(_file(tmp_path, SYSTEM | {"concept": rows}))


def test_refuses_a_cut_package(site: Site, tmp_path: Path) -> None:
    path = _package(tmp_path, codes=SYSTEM)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Unreadable, match="damaged"):
        site.load(path)


def test_refuses_a_resource_that_is_too_large_to_hold(site: Site, tmp_path: Path) -> None:
    limits = Limits(release_json_bytes=100)
    for path in (_package(tmp_path, codes=SYSTEM), _file(tmp_path, SYSTEM)):
        with pytest.raises(TooLarge, match="release_json_bytes"):
            site.load(path, limits=limits)


def test_refuses_a_packed_bomb(site: Site, tmp_path: Path) -> None:
    path = _package(tmp_path, codes=SYSTEM | {"description": "0" * (40 << 20)})
    with pytest.raises(TooLarge, match="times its size"):
        site.load(path)


def test_a_file_without_a_resource_is_named(site: Site, tmp_path: Path) -> None:
    file = _file(tmp_path, {"name": "some settings"})
    with pytest.raises(Invalid) as refused:
        site.load(file)
    assert [problem.pointer for problem in refused.value.problems] == [file.name]
