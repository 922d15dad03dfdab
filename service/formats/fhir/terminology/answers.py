"""Answers as Parameters, and as the expansion of a ValueSet."""

from collections.abc import Collection, Iterable
from typing import Any, Final

from service.coding.server.answers import Coding, Expansion, Item, Looked, Match, Relationship, Translated, Validated
from service.coding.server.compose import SNOMED, Composition
from service.coding.server.expanding import Wish
from service.coding.server.maps import INVERSE
from service.coding.server.source import Word
from service.formats.fhir.terminology.release import Release

Resource = dict[str, Any]

R4_EQUIVALENCE: Final = {
    Relationship.EQUIVALENT: "equivalent",
    Relationship.BROADER: "wider",
    Relationship.NARROWER: "narrower",
    Relationship.RELATED: "relatedto",
    Relationship.NONE: "unmatched",
}
"""ConceptMapEquivalence (R4): of the target, read from the source; ``wider``: the target says less."""
R5_RELATIONSHIP: Final = {
    Relationship.EQUIVALENT: "equivalent",
    Relationship.BROADER: "source-is-narrower-than-target",
    Relationship.NARROWER: "source-is-broader-than-target",
    Relationship.RELATED: "related-to",
    Relationship.NONE: "not-related-to",
}
"""ConceptMapRelationship (R5)."""
_CODES: Final = frozenset({"parent", "child", "moduleId"})
_USES: Final = {"fully-specified": ("900000000000003001", "Fully specified name")}
_SYNONYM: Final = ("900000000000013009", "Synonym")


def parameters(*given: Resource | None) -> Resource:
    """A Parameters resource of those that are there."""
    return {"resourceType": "Parameters", "parameter": [one for one in given if one is not None]}


def named(name: str, kind: str, value: Any) -> Resource | None:
    """One parameter; None for an empty text."""
    return None if value == "" else {"name": name, f"value{kind}": value}


def _parts(name: str, *parts: Resource | None) -> Resource:
    return {"name": name, "part": [part for part in parts if part is not None]}


def looked_up(looked: Looked, wanted: Collection[str], release: Release) -> Resource:
    """The answer of $lookup; ``wanted`` are the properties asked for, none: all."""
    words: Iterable[Word] = looked.words
    if wanted and "designation" not in wanted:
        languages = {name.removeprefix("lang.") for name in wanted if name.startswith("lang.")}
        words = [word for word in words if word.language in languages]
    definitions = [word for word in looked.words if word.use == "definition"]
    properties = [(name, value) for name, value in looked.properties if not wanted or name in wanted]
    if definitions and release is Release.R4 and (not wanted or "definition" in wanted):
        properties.append(("definition", definitions[0].text))  # R4 has no parameter of that name
    return parameters(
        named("name", "String", looked.name),
        named("version", "String", looked.version),
        named("display", "String", looked.display),
        named("definition", "String", definitions[0].text) if definitions and release is Release.R5 else None,
        *(_designation(word) for word in words if word.use != "definition"),
        *(_property(name, value) for name, value in properties),
        _property("answered-by", looked.note) if looked.note else None,
    )


def _designation(word: Word) -> Resource:
    return _parts(
        "designation",
        named("language", "Code", word.language),
        {"name": "use", "valueCoding": use} if (use := _use(word.use)) else None,
        named("value", "String", word.text),
    )


def _use(use: str) -> Resource | None:
    """A designation's use by R4's value set designation-use, which has no code for the preferred one."""
    if use == "preferred":
        return None
    code, display = _USES.get(use, _SYNONYM)
    return {"system": SNOMED, "code": code, "display": display}


def _property(name: str, value: str | bool) -> Resource:
    kind = "Boolean" if isinstance(value, bool) else "Code" if name in _CODES else "String"
    return _parts("property", named("code", "Code", name), {"name": "value", f"value{kind}": value})


def validated(verdict: Validated, release: Release) -> Resource:
    """The answer of $validate-code."""
    coding = verdict.coding if release is Release.R5 else None
    return parameters(
        {"name": "result", "valueBoolean": verdict.result},
        named("message", "String", verdict.message),
        named("display", "String", verdict.display),
        *([] if coding is None else _said(coding)),
    )


def _said(coding: Coding) -> list[Resource | None]:
    return [
        named("code", "Code", coding.code),
        named("system", "Uri", coding.system),
        named("version", "String", coding.version),
    ]


def subsumed(outcome: str) -> Resource:
    """The answer of $subsumes."""
    return parameters(named("outcome", "Code", outcome))


def translated(found: Translated, release: Release, *, backward: bool = False) -> Resource:
    """The answer of $translate.

    In R4 an equivalence is of the code that is returned, seen from the one that was given, also where the map was read
    backward; in R5 a relationship is of the map, whose source and target it names.
    """
    message = found.message
    if backward and found.matches:
        r4 = "Read backward: each equivalence is of the returned code, seen from the given one."
        r5 = "Read backward: each relationship is that of the map, its source is the returned code."
        message = " ".join(part for part in (message, r4 if release is Release.R4 else r5) if part)
    return parameters(
        {"name": "result", "valueBoolean": found.result},
        named("message", "String", message),
        *(_match(match, release, backward=backward) for match in found.matches),
    )


def _match(match: Match, release: Release, *, backward: bool) -> Resource:
    coding = {"system": match.system, "code": match.code, "display": match.display}
    concept = {name: value for name, value in coding.items() if value} if match.code else None
    if release is Release.R4:
        seen = INVERSE.get(match.relationship, match.relationship) if backward else match.relationship
        how = named("equivalence", "Code", R4_EQUIVALENCE[seen])
        origin = named("source", "Uri", match.origin)
    else:
        how = named("relationship", "Code", R5_RELATIONSHIP[match.relationship])
        origin = named("originMap", "Uri", match.origin)
    return _parts("match", how, {"name": "concept", "valueCoding": concept} if concept else None, origin)


def expanded(composition: Composition, expansion: Expansion, wish: Wish, timestamp: str) -> Resource:
    """The answer of $expand: the value set with what is in it, and what the expansion depended on."""
    said: list[Resource] = [
        {"name": "version", "valueUri": f"{system}|{version}"}
        for system, version in expansion.versions
        if version and not system.startswith("urn:oid:")  # with a version behind it that is no OID any more
    ]
    if wish.filter:
        said.append({"name": "filter", "valueString": wish.filter})
    if wish.offset or wish.count is not None:
        said.append({"name": "offset", "valueInteger": wish.offset})
    if wish.count is not None:
        said.append({"name": "count", "valueInteger": wish.count})
    if wish.active_only:
        said.append({"name": "activeOnly", "valueBoolean": True})
    if wish.language:
        said.append({"name": "displayLanguage", "valueCode": wish.language})
    if wish.designations:
        said.append({"name": "includeDesignations", "valueBoolean": True})
    said += [{"name": "exclude-system", "valueUri": system} for system in wish.without]
    said += [{"name": "note", "valueString": note} for note in expansion.notes]
    made: Resource = {"resourceType": "ValueSet"}
    for name, value in (("url", composition.url), ("version", composition.version), ("title", composition.title)):
        if value:
            made[name] = value
    made["status"] = "active"
    page: Resource = {"timestamp": timestamp, "total": expansion.total, "offset": expansion.offset}
    if said:
        page["parameter"] = said
    if expansion.items:
        page["contains"] = [_contained(item) for item in expansion.items]
    made["expansion"] = page
    return made


def _contained(item: Item) -> Resource:
    made: Resource = {"system": item.system}
    if not item.active:
        made["inactive"] = True
    made["code"] = item.code
    if item.display:
        made["display"] = item.display
    words = [word for word in item.words if word.use != "definition"]
    if words:
        made["designation"] = [designated(word) for word in words]
    return made


def designated(word: Word) -> Resource:
    """A designation of a concept or of a code in an expansion."""
    use = _use(word.use)
    return {"language": word.language, **({"use": use} if use else {}), "value": word.text}
