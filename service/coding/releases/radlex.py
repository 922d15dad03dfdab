"""RadLex: the OWL file (RDF/XML), read as it comes, and the CSV that BioPortal makes of it.

Of the OWL file the annotations are read that name a class, say where it lies and what became of it. An entity of a
DOCTYPE may only shorten a URI, as ontology editors write them: one that refers to another, to a file, or is long, is
refused before it is expanded.
"""

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.parsers import expat

from service.coding.releases import layouts
from service.coding.releases.build import Build
from service.coding.releases.plain import PlainConcept, System, write
from service.coding.releases.refusing import truncated, wrong_layout
from service.coding.releases.rows import comma_separated
from service.coding.releases.sources import Entry, damaged
from service.coding.releases.store import Use

DESIGNATOR: Final = "RADLEX"
URI: Final = "http://radlex.org"
_CLASS: Final = re.compile(r"(?:^|[/#])(RP?ID[0-9]{1,7})$")
_CHUNK: Final = 1 << 18
_ENTITY_CHARACTERS: Final = 200
_ENTITIES: Final = 100
_LANGUAGES: Final = {
    "german": "de",
    "french": "fr",
    "spanish": "es",
    "dutch": "nl",
    "portuguese": "pt",
    "italian": "it",
    "turkish": "tr",
    "polish": "pl",
    "japanese": "ja",
}
_XML_LANGUAGE: Final = "http://www.w3.org/XML/1998/namespace|lang"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#|"


def class_of(uri: str) -> str | None:
    """The RID or RPID that a URI of RadLex ends in, whichever of its spellings it has."""
    match = _CLASS.search(uri)
    return match[1] if match else None


class _Reader:
    """Gathers classes from the events of the parser: what stands directly in an element about a class."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.version = ""
        self.concepts: dict[str, PlainConcept] = {}
        self._depth = 0
        self._class: PlainConcept | None = None
        self._member = ""
        self._language = ""
        self._text: list[str] = []
        self._entities = 0
        self._labels: dict[str, list[tuple[str, str]]] = {}
        self.parser = expat.ParserCreate(namespace_separator="|")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data
        self.parser.EntityDeclHandler = self._entity

    def _entity(self, name: str, parameter: bool, value: str | None, *_: Any) -> None:
        self._entities += 1
        plain = value is not None and not parameter and "&" not in value and "<" not in value
        if not plain or len(value or "") > _ENTITY_CHARACTERS or self._entities > _ENTITIES:
            line = self.parser.CurrentLineNumber
            wrong_layout(self.file, line, f"the entity {name[:32]} is more than a short form of a URI: not expanded")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 2:
            self._class = None
            code = class_of(attributes.get(f"{_RDF}about", ""))
            if code is not None:
                self._class = self.concepts.setdefault(code, PlainConcept(code))
        elif self._depth == 3:
            self._member = name.rpartition("|")[2]
            self._language = attributes.get(_XML_LANGUAGE, "")
            self._text = []
            target = class_of(attributes.get(f"{_RDF}resource", ""))
            if self._class is not None and target is not None:
                self._relate(self._class, self._member, target)

    def _data(self, text: str) -> None:
        if self._depth == 3:
            self._text.append(text)

    def _end(self, _: str) -> None:
        if self._depth == 3:
            text = "".join(self._text).strip()
            if self._class is not None and text:
                self._say(self._class, text)
            elif self._member == "versionInfo" and text:
                self.version = text
        self._depth -= 1

    def _relate(self, concept: PlainConcept, member: str, target: str) -> None:
        if member == "subClassOf":
            concept.parents.append(target)
        elif member == "Replaced_by":
            concept.active = False
            concept.went.append(("replaced-by", target))
        else:
            concept.attributes.append((member, target))

    def _say(self, concept: PlainConcept, text: str) -> None:
        if self._member == "label":
            self._labels.setdefault(concept.code, []).append((text, self._language or "en"))
        else:
            say(concept, self._member, text, self._language)

    def finished(self) -> list[PlainConcept]:
        """The classes, each named; a label counts only where no preferred name is (it may be the RID itself)."""
        for code, labels in self._labels.items():
            concept = self.concepts[code]
            named = any(word.use is Use.PREFERRED for word in concept.words)
            for text, language in labels:
                if text != code:
                    concept.word(text, Use.SYNONYM if named else Use.PREFERRED, language)
        return list(self.concepts.values())


def say(concept: PlainConcept, member: str, text: str, language: str = "") -> None:
    """Take one annotation of a class by the name that RadLex has for it; what is none of ours is passed over."""
    head, tail = _language_of(member)
    said = tail or language or "en"
    if head == "Preferred_name":
        concept.word(text, Use.PREFERRED, said)
    elif head in ("Synonym", "Non-English_name"):
        concept.word(text, Use.SYNONYM, said)
    elif head == "Acronym":
        concept.word(text, Use.ABBREVIATION, said)
    elif head == "Definition":
        concept.word(text, Use.DEFINITION, said)
    elif head == "Preferred_Name_for_Obsolete":
        concept.active = False
        concept.word(text, Use.PREFERRED, said)
    elif head == "Replaced_by":
        target = class_of(text)
        if target is not None and ("replaced-by", target) not in concept.went:
            concept.active = False
            concept.went.append(("replaced-by", target))
    elif head == "deprecated" and text == "true":
        concept.active = False


def _language_of(member: str) -> tuple[str, str]:
    """Preferred_name_German is the preferred name, in German."""
    head, _, tail = member.rpartition("_")
    language = _LANGUAGES.get(tail.lower(), "")
    return (head, language) if language else (member, "")


def load_owl(build: Build, entry: Entry, version: str) -> int:
    """Read the OWL file; refuses one that is no XML, is cut off, has entities that expand, or no RadLex class."""
    reader = _Reader(entry.name)
    done = 0
    try:
        with damaged(entry.name), entry.open() as raw:
            while chunk := raw.read(_CHUNK):
                reader.parser.Parse(chunk, False)
                done += len(chunk)
                build.progress(entry.base, done, entry.size)
            reader.parser.Parse(b"", True)
    except expat.ExpatError as error:
        truncated(entry.name, error.lineno, f"the XML breaks off or is malformed: {expat.ErrorString(error.code)}")
    if not reader.concepts:
        wrong_layout(entry.name, 0, "there is no class with a RID or RPID: it is no RadLex")
    system = System(DESIGNATOR, URI, "RadLex", version or reader.version, entry.name)
    return write(build, system, reader.finished())


def load_csv(build: Build, entry: Entry, version: str) -> int:
    """Read the CSV form."""
    system = System(DESIGNATOR, URI, "RadLex", version, entry.name)
    return write(build, system, _rows(build, entry))


def _rows(build: Build, entry: Entry) -> Iterator[PlainConcept]:
    seen: set[str] = set()
    heard = lambda line: build.progress(entry.base, line, 0)  # noqa: E731 - a name for the progress
    for line, row in comma_separated(entry, heard, layouts.RADLEX_CSV):
        code = class_of(row["Class ID"])
        if code is None:
            continue  # ontology metadata has rows, too
        if code in seen:
            wrong_layout(entry.name, line, f"{code} is there twice")
        seen.add(code)
        concept = PlainConcept(code, active=row["Obsolete"].strip().lower() != "true")
        concept.parents = [parent for uri in row["Parents"].split("|") if (parent := class_of(uri)) is not None]
        for column, text in row.items():
            member = column.rpartition("/")[2]
            if text and "/" in column and not member.startswith("Preferred_name_for"):
                for part in text.split("|"):
                    say(concept, member, part)
        if class_of(row["Preferred Label"]) is None and row["Preferred Label"] != code:
            concept.word(row["Preferred Label"])
        for synonym in row["Synonyms"].split("|"):
            concept.word(synonym, Use.SYNONYM)
        concept.word(row["Definitions"], Use.DEFINITION)
        yield concept
    if not seen:
        wrong_layout(entry.name, 0, "there is no class with a RID or RPID: it is no RadLex")
