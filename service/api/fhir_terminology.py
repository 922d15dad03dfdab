"""One FHIR request answered, whether it came by itself or in a batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import orjson

from service.api.fhir_exchange import refused
from service.coding.server.answers import Coding
from service.coding.server.compose import Composition
from service.coding.server.expanding import Wish, of_version
from service.coding.server.maps import Map
from service.coding.server.terminology import Terminology
from service.domain.codes import LOCAL_SCHEME
from service.domain.errors import NotFound, Problem, Unreadable
from service.formats.fhir.terminology import answers, capabilities, compose, resources
from service.formats.fhir.terminology.parameters import Values, defined_as, from_query, from_resource
from service.formats.fhir.terminology.release import Release

Resource = dict[str, Any]
_KEYS: Final = ("code", "coding", "codeableConcept")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request below the base: ``path`` is CodeSystem/$lookup, ValueSet/sites, metadata."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Resource | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Who answers: what is known, and what is said of this server. ``now`` gives the time as FHIR's dateTime."""

    terminology: Terminology
    version: str
    started: str
    base: str
    now: Callable[[], str]
    entries: int = 1_000  # of one batch

    def answer(self, asked: Asked, release: Release) -> Resource:
        """The resource that is asked for; raises NotFound and what the operations raise."""
        kind, *rest = asked.path.strip("/").split("/")
        if asked.method == "GET" and asked.path == "metadata":
            return self._metadata(asked, release)
        if kind not in capabilities.OPERATIONS or len(rest) > 2:
            raise _unknown(asked)
        operation = rest[-1].removeprefix("$") if rest and rest[-1].startswith("$") else ""
        if operation:
            key = rest[0] if len(rest) == 2 else ""
            return self._operation(asked, release, kind, operation, key)
        if asked.method != "GET" or len(rest) > 1:
            raise _unknown(asked)
        return self._read(kind, rest[0], release) if rest else self._search(kind, asked, release)

    def batch(self, bundle: Resource, release: Release) -> Resource:
        """The answers to the entries of a batch, each by itself."""
        entries = bundle.get("entry", [])
        if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "batch" or not isinstance(entries, list):
            raise Unreadable(Problem("Bundle", "structure", "a Bundle of type batch is wanted"))
        if len(entries) > self.entries:
            raise Unreadable(Problem("Bundle.entry", "too-costly", f"a batch has at most {self.entries} entries"))
        return {
            "resourceType": "Bundle",
            "type": "batch-response",
            "entry": [self._entry(entry, release) for entry in entries],
        }

    def _entry(self, entry: Any, release: Release) -> Resource:
        try:
            made = self.answer(_asked(entry), release)
        except Exception as error:  # noqa: BLE001 - one entry's failure is its own answer (R4 http.html#batch)
            status, made, _ = refused(error)
            return {"response": {"status": str(status), "outcome": made}}
        return {"resource": made, "response": {"status": "200"}}

    def _metadata(self, asked: Asked, release: Release) -> Resource:
        mode = dict(asked.query).get("mode", "full")
        said = {"version": self.version, "date": self.started, "base": self.base}
        if mode == "terminology":
            return capabilities.terminology_capabilities(self.terminology, release, **said)
        if mode in ("full", "normative"):
            return capabilities.capability_statement(release, **said)
        raise Unreadable(Problem("mode", "value", "mode is full, normative or terminology"))

    def _resources(self, kind: str, release: Release, *, whole: bool) -> dict[str, Callable[[], Resource]]:
        """How each resource of a type is made, by id."""
        here = self.terminology
        if kind == "CodeSystem":
            own = next(source for source in here.sources.values() if source.designator == LOCAL_SCHEME)
            return {resources.CODE_SYSTEM: partial(resources.code_system, own, whole=whole)}
        if kind == "ValueSet":
            sets = here.value_sets
            return {
                one.name: partial(resources.value_set, one, whole=whole)
                if one.url in sets.own
                else partial(self._kept_set, one, whole=whole)
                for one in sets.listed()
            }
        maps = [one for one in here.maps if one.listed]
        return {
            one.key: partial(resources.concept_map, one, one.version or self.version, release, whole=whole)
            for one in maps
        }

    def _kept_set(self, one: Composition, *, whole: bool) -> Resource:
        """A value set of a release: as it came, under the id that it has here."""
        body = self.terminology.value_sets.more.body(one.url) if whole else None
        if body is None:
            return resources.listed_value_set(one)
        made: Resource = orjson.loads(body)
        return made | {"id": one.name}

    def _read(self, kind: str, key: str, release: Release) -> Resource:
        make = self._resources(kind, release, whole=True).get(key)
        if make is None:
            raise NotFound.at("", "not-found", f"there is no {kind}/{key[:64]} here")
        return make()

    def _search(self, kind: str, asked: Asked, release: Release) -> Resource:
        wanted = [(name, value) for name, value in asked.query if name == "_id" or not name.startswith("_")]
        for name, _ in wanted:
            if name not in capabilities.SEARCH:
                raise Unreadable(Problem(name[:64], "not-supported", f"there is no search parameter {name[:64]!r}"))
        found = {}
        for key, make in self._resources(kind, release, whole=False).items():
            made = make()
            if all(_fits(made, name, value) for name, value in wanted):
                found[f"{kind}/{key}"] = made
        followed = f"?{urlencode(wanted)}" if wanted else ""
        return resources.searchset(found, self.base, f"{kind}{followed}")

    def _operation(self, asked: Asked, release: Release, kind: str, operation: str, key: str) -> Resource:
        if operation not in capabilities.OPERATIONS[kind]:
            raise _unknown(asked)
        named = defined_as(kind, operation)
        if asked.method == "POST":
            values = from_resource(asked.body, named, release)
        else:
            values = from_query(asked.query, named, release)
        if kind == "CodeSystem":
            return self._code_system(operation, values, key, release)
        if kind == "ValueSet":
            return self._value_set(operation, values, key, release)
        return self._translate(values, key, release)

    def _code_system(self, operation: str, values: Values, key: str, release: Release) -> Resource:
        here = self.terminology
        system = values.get("url") or values.get("system") or ""
        if key:
            own = self._read("CodeSystem", key, release)["url"] if key == resources.CODE_SYSTEM else ""
            if not own or (system and here.uri(system) != own):
                raise NotFound.at("url", "not-found", f"there is no such CodeSystem/{key[:64]} here")
            system = own
        language = values.get("displayLanguage")
        if operation == "subsumes":
            pair = [_one(values, f"code{side}", f"coding{side}", system, values.get("version", "")) for side in "AB"]
            return answers.subsumed(here.subsumes(*pair).value)
        codings = _codings(values, system, values.get("version", ""))
        if operation == "lookup":
            if len(codings) != 1:
                raise Unreadable(Problem("code", "required", "a code with its system, or a coding"))
            return answers.looked_up(here.lookup(codings[0], language), values.get("property", ()), release)
        if any(system and here.uri(coding.system) != here.uri(system) for coding in codings):
            raise Unreadable(Problem("coding", "invalid", "the coding is of another code system than url"))
        return answers.validated(here.validate(codings, language), release)

    def _value_set(self, operation: str, values: Values, key: str, release: Release) -> Resource:
        here = self.terminology
        composition = self._composition(values, key)
        if operation == "expand":
            return self._expand(composition, values)
        system = values.get("system", "")
        if "code" in values and not system:
            system = here.system_of(composition, values["code"])
        codings = _codings(values, system, values.get("systemVersion", ""))
        return answers.validated(here.validate_in(composition, codings, values.get("displayLanguage")), release)

    def _composition(self, values: Values, key: str) -> Composition:
        given = [one for one in (key, values.get("url"), values.get("valueSet")) if one]
        if len(given) != 1:
            raise Unreadable(Problem("url", "required", "one of url and valueSet names the value set"))
        if "valueSet" in values:
            return compose.read(values["valueSet"])
        if not key:
            return self.terminology.value_set(values["url"], values.get("valueSetVersion", ""))
        for one in self.terminology.value_sets.listed():
            if one.name == key:
                return self.terminology.value_set(one.url)
        raise NotFound.at("", "not-found", f"there is no ValueSet/{key[:64]} here")

    def _expand(self, composition: Composition, values: Values) -> Resource:
        here = self.terminology
        if values.get("includeDefinition"):
            raise Unreadable(Problem("includeDefinition", "not-supported", "the definition is read by itself"))
        for canonical in (*values.get("system-version", ()), *values.get("check-system-version", ())):
            system, _, version = canonical.partition("|")
            if here.uri(system) in here.sources:
                of_version(here.sources[here.uri(system)], version)
        wish = Wish(
            values.get("filter", ""),
            values.get("offset", 0),
            values.get("count"),
            values.get("activeOnly", False),
            values.get("displayLanguage"),
            values.get("includeDesignations", False),
            tuple(here.uri(canonical.partition("|")[0]) for canonical in values.get("exclude-system", ())),
        )
        return answers.expanded(composition, here.expand(composition, wish), wish, self.now())

    def _translate(self, values: Values, key: str, release: Release) -> Resource:
        here = self.terminology
        maps = self._maps(values.get("url", ""), key, values.get("conceptMapVersion", ""))
        system, version = values.get("system", ""), values.get("version", "")
        backward = bool(values.get("reverse"))
        if release is Release.R5:
            sides = [side for side in ("source", "target") if any(_key(side, name) in values for name in _KEYS)]
            if len(sides) != 1:
                raise Unreadable(Problem("sourceCode", "required", "one code is given: to translate from, or to"))
            backward = sides == ["target"]
            values = {**values, **{name: values.get(_key(sides[0], name)) for name in _KEYS}}
            values = {name: value for name, value in values.items() if value is not None}
        codings = _codings(values, system, version)
        if not codings:
            raise Unreadable(Problem("code", "required", "a code with its system, a coding or a codeableConcept"))
        target = values.get("targetsystem") or values.get("targetSystem") or ""
        scope = values.get("target") or values.get("targetScope") or ""
        found = here.translate(codings, maps, target=target, scope=scope, backward=backward)
        return answers.translated(found, release, backward=backward)

    def _maps(self, url: str, key: str, version: str) -> tuple[Map, ...]:
        wanted, _, said = url.partition("|")
        named = bool(key or wanted)
        found = tuple(
            one
            for one in self.terminology.maps
            if (one.listed and key in ("", one.key) and wanted in ("", one.url) if named else not one.only_named)
        )
        if not found:
            raise NotFound.at("url", "not-found", "there is no such concept map here")
        versions = {one.version or self.version for one in found}
        for one in filter(None, (version, said)):
            if one not in versions:
                why = f"the map is here in version {', '.join(sorted(versions))}"
                raise NotFound.at("conceptMapVersion", "not-found", why)
        return tuple(one for one in found if version in ("", one.version or self.version))


def _unknown(asked: Asked) -> NotFound:
    return NotFound(Problem("", "not-found", f"{asked.method} {asked.path[:100]} is not served"))


def _asked(entry: Any) -> Asked:
    """The request of an entry; raises Unreadable."""
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict) or not all(isinstance(request.get(name), str) for name in ("method", "url")):
        raise Unreadable(Problem("Bundle.entry.request", "structure", "an entry has a request with method and url"))
    if request["method"] not in ("GET", "POST"):
        raise Unreadable(Problem("Bundle.entry.request.method", "not-supported", "only GET and POST are served"))
    try:
        parts = urlsplit(request["url"])
    except ValueError:
        raise Unreadable(Problem("Bundle.entry.request.url", "value", "is no URL")) from None
    query = tuple(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=100))
    body = entry.get("resource")
    return Asked(request["method"], unquote(parts.path), query, body if isinstance(body, dict) else None)


def _fits(made: Mapping[str, Any], name: str, value: str) -> bool:
    """Whether a resource fits one search parameter: a string by its beginning (R4 search.html#string)."""
    held = str(made.get(name.removeprefix("_"), ""))
    if name == "name":
        return any(str(made.get(of, "")).lower().startswith(value.lower()) for of in ("name", "title"))
    return held in value.split(",")


def _key(side: str, name: str) -> str:
    return side + name[0].upper() + name[1:]


def _codings(values: Values, system: str, version: str) -> tuple[Coding, ...]:
    """The codes of a request: one of code, coding and codeableConcept."""
    given = [name for name in _KEYS if name in values]
    if len(given) != 1:
        raise Unreadable(Problem("code", "required", "one of code, coding and codeableConcept is wanted"))
    if given == ["code"]:
        if not system:
            raise Unreadable(Problem("system", "required", "No system parameter provided in request"))
        return (Coding(system, values["code"], values.get("display", ""), version),)
    listed = [values["coding"]] if given == ["coding"] else values["codeableConcept"].get("coding", [])
    if not isinstance(listed, list) or not listed or len(listed) > _MOST_CODINGS:
        raise Unreadable(Problem(given[0], "structure", f"1 to {_MOST_CODINGS} codings are wanted"))
    return tuple(_coding(one, given[0]) for one in listed)


_MOST_CODINGS: Final = 100


def _coding(one: Any, where: str) -> Coding:
    if not isinstance(one, dict) or not all(isinstance(one.get(name), str) for name in ("system", "code")):
        raise Unreadable(Problem(where, "structure", "a coding has a system and a code"))
    said = [one.get(name, "") for name in ("display", "version")]
    if not all(isinstance(text, str) for text in said):
        raise Unreadable(Problem(where, "structure", "display and version are texts"))
    return Coding(one["system"], one["code"], *said)


def _one(values: Values, code: str, coding: str, system: str, version: str) -> Coding:
    """One of the two codes of $subsumes."""
    if (code in values) == (coding in values):
        raise Unreadable(Problem(code, "required", f"one of {code} and {coding} is wanted"))
    if coding in values:
        return _coding(values[coding], coding)
    if not system:
        raise Unreadable(Problem("system", "required", "No system parameter provided in request"))
    return Coding(system, values[code], "", version)
