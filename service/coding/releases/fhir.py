"""FHIR: CodeSystem, ValueSet and ConceptMap (R4 or R5 JSON), single or in a package (NPM layout, FHIR packages page).

A resource is held whole while it is read, so its size has a limit of its own; a package is read one resource at a time.
Other resources of a package are passed over.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from service.coding.releases.build import Build
from service.coding.releases.plain import PlainConcept, System, write
from service.coding.releases.refusing import mixed, wrong_layout
from service.coding.releases.store import Use

READ: Final = ("CodeSystem", "ValueSet", "ConceptMap")
_RETIRED: Final = frozenset({"retired", "deprecated"})
_MOST_LEVELS: Final = 100
# R4's equivalence (of the target, seen from the source) as R5's relationship: HL7 ConceptMap R4-R5 transforms.
_R4: Final = {
    "equal": "equivalent",
    "equivalent": "equivalent",
    "wider": "source-is-narrower-than-target",
    "subsumes": "source-is-narrower-than-target",
    "narrower": "source-is-broader-than-target",
    "specializes": "source-is-broader-than-target",
    "relatedto": "related-to",
    "inexact": "related-to",
    "disjoint": "not-related-to",
}
_R5: Final = frozenset(_R4.values())


class Fhir:
    """The resources of one import; ``designators`` are those of known systems by URI."""

    def __init__(self, build: Build, designators: Mapping[str, str]) -> None:
        """Take the store to fill."""
        self._build = build
        self._designators = designators
        self._seen: dict[tuple[str, str], str] = {}

    def load(self, documents: Iterable[tuple[str, bytes]]) -> int:
        """Read documents (name, JSON); how many resources were taken. Refuses broken ones, and two of one URL."""
        count = 0
        first = ""
        for name, content in documents:
            first = first or name
            resource = self._parse(name, content)
            kind = resource.get("resourceType")
            if kind not in READ:
                continue
            url = str(resource.get("url") or resource.get("id") or "")
            if not url:
                wrong_layout(name, 0, f"a {kind} without a url")
            other = self._seen.setdefault((kind, url), name)
            if other != name:
                mixed(name, 0, f"{url} is in {other}, too")
            self._build.progress(name.rpartition("/")[2], 0, 0)
            if kind == "CodeSystem":
                self._code_system(name, url, resource)
            elif kind == "ValueSet":
                self._value_set(url, resource, content)
            else:
                self._map(name, url, resource)
            count += 1
        if not count:
            wrong_layout(first or "the package", 0, f"there is no FHIR {', '.join(READ)} in it")
        return count

    def _parse(self, name: str, content: bytes) -> dict[str, Any]:
        try:
            resource = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            wrong_layout(name, error.lineno, f"not JSON: {error.msg}")
        return resource if isinstance(resource, dict) else {}

    def _designator(self, uri: str) -> str:
        return self._designators.get(uri, uri)

    def _code_system(self, name: str, url: str, resource: Mapping[str, Any]) -> None:
        """A code system with its codes; one without (content not-present) or a supplement has nothing to look up."""
        if resource.get("content") in ("not-present", "supplement"):
            return
        language = str(resource.get("language") or "en")
        concepts: dict[str, PlainConcept] = {}
        try:
            for concept in _concepts(resource.get("concept", ()), language):
                if concept.code in concepts:
                    mixed(name, 0, f"{url} has the code {concept.code[:64]} twice")
                concepts[concept.code] = concept
        except (KeyError, TypeError, AttributeError, RecursionError):
            wrong_layout(name, 0, f"{url} has a concept that is none: a code and texts are wanted")
        for concept in concepts.values():
            children = [code for kind, code in concept.attributes if kind == "child"]
            concept.attributes = [row for row in concept.attributes if row[0] != "child"]
            for code in children:
                if code in concepts:
                    concepts[code].parents.append(concept.code)
        title = str(resource.get("title") or resource.get("name") or url)
        version = _text(resource, "version")
        write(self._build, System(self._designator(url), url, title, version, name), concepts.values())

    def _value_set(self, url: str, resource: Mapping[str, Any], content: bytes) -> None:
        """A value set as it came, with the codes that it lists or was expanded to."""
        rows = self._build.connection.execute(
            "insert into value_set (url, version, name, body) values (?, ?, ?, ?) returning id",
            (
                url,
                _text(resource, "version"),
                _text(resource, "title") or _text(resource, "name"),
                content,
            ),
        )
        number = rows.fetchone()[0]
        self._build.insert(
            "insert or ignore into value_set_member values (?, ?, ?, ?)",
            ((number, self._designator(system), code, display) for system, code, display in _members(resource)),
        )

    def _map(self, name: str, url: str, resource: Mapping[str, Any]) -> None:
        """A concept map; a relationship that neither version has is refused, for it would be guessed otherwise."""
        rows = []
        for group in resource.get("group", ()):
            source, target = (
                self._designator(str(group.get("source", ""))),
                self._designator(str(group.get("target", ""))),
            )
            for element in group.get("element", ()):
                for one in element.get("target", ()):
                    said = one.get("relationship") or _R4.get(one.get("equivalence", ""), one.get("equivalence"))
                    if said == "unmatched" or "code" not in one:
                        continue
                    if said not in _R5:
                        wrong_layout(name, 0, f"{url} maps {str(element.get('code'))[:64]} with no known relationship")
                    rows.append((url, source, str(element["code"]), target, str(one["code"]), said))
        self._build.insert("insert into translation values (?, ?, ?, ?, ?, ?)", rows)


def _text(row: Mapping[str, Any], key: str) -> str:
    return str(row.get(key) or "")


def _concepts(
    rows: Iterable[Mapping[str, Any]], language: str, above: str = "", level: int = 0
) -> Iterator[PlainConcept]:
    """Concepts with those below them, parents first."""
    if level > _MOST_LEVELS:
        raise RecursionError
    for row in rows:
        concept = PlainConcept(str(row["code"]))
        concept.word(str(row.get("display") or row["code"]), Use.PREFERRED, language)
        for one in row.get("designation", ()):
            concept.word(str(one["value"]), Use.SYNONYM, str(one.get("language") or language))
        concept.word(str(row.get("definition") or ""), Use.DEFINITION, language)
        concept.parents = [above] if above else []
        for one in row.get("property", ()):
            _property(concept, str(one["code"]), next((one[key] for key in one if key.startswith("value")), ""))
        yield concept
        yield from _concepts(row.get("concept", ()), language, concept.code, level + 1)


def _property(concept: PlainConcept, kind: str, value: Any) -> None:
    """FHIR's own concept properties: parent, child, inactive, status; any other is an attribute."""
    text = str(value["code"]) if isinstance(value, dict) else str(value)
    if kind == "parent":
        concept.parents.append(text)
    elif kind == "inactive":
        concept.active = concept.active and value is not True and text != "true"
    elif kind == "status" and text in _RETIRED:
        concept.active = False
    elif text:
        concept.attributes.append((kind, text))


def _members(resource: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Codes that a value set lists, or has in its expansion."""
    for include in resource.get("compose", {}).get("include", ()):
        for concept in include.get("concept", ()):
            yield str(include.get("system", "")), str(concept["code"]), str(concept.get("display", ""))
    left = list(resource.get("expansion", {}).get("contains", ()))
    while left:
        one = left.pop()
        left.extend(one.get("contains", ()))
        if one.get("code") and not one.get("abstract"):
            yield str(one.get("system", "")), str(one["code"]), str(one.get("display", ""))
