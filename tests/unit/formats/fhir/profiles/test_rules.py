"""Every row of the table of rules: it can be read, it is about elements that exist, and breaking it costs the claim."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from service.formats.fhir.elements import elements
from service.formats.fhir.profiles.checks import CHECKS
from service.formats.fhir.profiles.claims import claim_bundle
from service.formats.fhir.profiles.modes import MODES
from service.formats.fhir.profiles.rules import Profile, Rule, profiles
from service.formats.fhir.profiles.shaping import Shaping
from service.formats.fhir.write import write
from tests.fhir_bundles import Json, sr_of
from tests.fhir_profiles import CANONICALS, PROFILED, ROWS, candidates, claimed, judged, name, shaped
from tests.report_set import REPORTS

KINDS = {"when", "unless", "min", "max", "all", "has", "target", "reaches", "check"}
JUDGING = [row for row in ROWS if row[2].kind not in ("when", "unless") and row[1].kind != "Bundle"]


@pytest.mark.parametrize("row", ROWS, ids=map(name, ROWS))
def test_a_rule_is_about_elements_that_the_type_has(row: tuple[str, Profile, Rule]) -> None:
    mode, profile, rule = row

    assert rule.kind in KINDS
    assert profile.source
    assert profile.url.startswith(CANONICALS.get(mode, (MODES[mode].canonical,)))
    for release in MODES[mode].releases:
        known = elements(release)
        kind = profile.kind
        for step in rule.path.split(".") if rule.path else ():
            kind = known[kind][step].kind


@pytest.mark.parametrize("row", ROWS, ids=map(name, ROWS))
def test_a_rule_names_what_there_is(row: tuple[str, Profile, Rule]) -> None:
    mode, _, rule = row
    values = rule.value.split()

    if rule.kind in ("min", "max"):
        assert rule.value.isdigit()
    elif rule.kind == "check":
        assert rule.value in CHECKS
    elif rule.kind in ("all", "has"):
        assert values
    elif rule.kind in ("target", "reaches"):
        known = {f"#{one.id}" for one in profiles(mode)} | set(elements("R4")) | set(elements("R5"))
        assert set(values) <= known
        assert values


def test_every_check_is_used() -> None:
    assert {rule.value for _, _, rule in ROWS if rule.kind == "check"} == set(CHECKS)


def _without(resource: Json, path: str) -> bool:
    """Take the elements at a path away; whether there was one."""
    parent, _, last = path.rpartition(".")
    found = False
    for one in _at(resource, parent):
        found |= one.pop(last, None) is not None
    return found


def _at(resource: Json, path: str) -> list[Any]:
    values: list[Any] = [resource]
    for step in path.split(".") if path else ():
        next_ones = [one[step] for one in values if isinstance(one, dict) and step in one]
        values = [inner for one in next_ones for inner in (one if isinstance(one, list) else [one])]
    return values


def _twice(resource: Json, path: str) -> bool:
    """Have an element at a path once more than allowed, the same or anything."""
    parent, _, last = path.rpartition(".")
    for one in _at(resource, parent):
        there = one.get(last, "x")
        there = there if isinstance(there, list) else [there]
        one[last] = [*there, there[-1]]
    return True


def _recode(resource: Json, path: str) -> bool:
    """Give every value at a path another code."""
    parent, _, last = path.rpartition(".")
    found = False
    for one in _at(resource, parent):
        if last in one:
            other = {"system": "http://example.org", "code": "other", "coding": [{"system": "x", "code": "y"}]}
            is_text = isinstance(one[last], str)
            one[last] = "http://example.org" if is_text else [other] if isinstance(one[last], list) else other
            found = True
    return found


def _mislead(resource: Json, path: str) -> bool:
    """Let every reference at a path lead nowhere."""
    references = _at(resource, path)
    for one in references:
        one["reference"] = "urn:uuid:00000000-0000-5000-8000-000000000000"
    return bool(references)


def _silence(observation: Json) -> bool:
    """Take away all that an Observation says."""
    said = [one for one in observation if one.startswith(("value", "component", "hasMember"))]
    for one in said:
        del observation[one]
    return bool(said)


def _another_region(resource: Json) -> bool:
    resource["derivedFrom"] = [*resource["derivedFrom"], resource["derivedFrom"][-1]]
    return True


def _nameless(report: Json) -> bool:
    """Take the accession number away that stands beside a reference to an order."""
    return any(one.pop("identifier", None) is not None for one in report.get("basedOn", ()))


def _another_priority(report: Json) -> bool:
    report["category"] = [*report["category"], report["category"][-1]]
    return True


def _unspoken(composition: Json) -> bool:
    """Take away the reason why a section is empty."""
    return any(one.pop("emptyReason", None) is not None for one in composition["section"])


def _section_twice(composition: Json) -> bool:
    composition["section"] = [*composition["section"], composition["section"][0]]
    return True


def _half_a_number(order: Json) -> bool:
    """Take the system of an accession number away."""
    return any(one.pop("system", None) is not None for one in order["identifier"] if "type" in one)


def _untyped(study: Json) -> bool:
    """Take away what says that an identifier is the Study Instance UID."""
    return any(one.pop("type", None) is not None for one in study["identifier"] if one["system"] == "urn:dicom:uid")


def _lead_astray(report: Json) -> bool:
    return _mislead(report, "extension.valueReference")


BREAKING: dict[str, Callable[[Json, str], bool]] = {
    "min": _without,
    "max": _twice,
    "all": _recode,
    "has": _recode,
    "target": _mislead,
    "reaches": _mislead,
}
CHECKS_BROKEN: dict[str, Callable[[Json], bool]] = {
    "us-core-6": lambda patient: patient.update(name=[{"prefix": ["Dr"]}]) is None,
    "us-core-1": lambda observation: observation.update(effectiveDateTime="2026") is None,
    "us-core-2": _silence,
    "IMRAttachmentInvariant": lambda report: bool(report["presentedForm"][0].pop("data")),
    "mcode-dimensions": lambda size: bool(size["component"].pop(0)),
    "us-core-10": lambda report: bool(report.pop("effectiveDateTime", None)),
    "one-selection-of-a-kind": _another_region,
    "eu-pat-1": lambda patient: patient.update(name=[{"prefix": ["Dr"]}]) is None,
    "eu-accession-number": _half_a_number,
    "eu-order-by-accession": _nameless,
    "eu-study-uid": _untyped,
    "eu-categories-once": _another_priority,
    "eu-composition": _lead_astray,
    "eu-section-says-something": _unspoken,
    "eu-sections": _section_twice,
}


@pytest.mark.parametrize("row", JUDGING, ids=map(name, JUDGING))
def test_a_broken_rule_costs_the_claim_and_is_named(row: tuple[str, Profile, Rule]) -> None:
    mode, profile, rule = row
    tried = 0
    for make in PROFILED.values():
        report = make()
        bundle, _ = shaped(report, mode)
        claims = claimed(bundle)
        holders = [one["fullUrl"] for one in candidates(bundle, profile) if profile.url in claims[one["fullUrl"]]]
        for url in holders[:3]:
            broken = copy.deepcopy(bundle)
            (resource,) = (one["resource"] for one in broken["entry"] if one["fullUrl"] == url)
            if rule.kind == "check":
                changed = CHECKS_BROKEN[rule.value](resource)
            else:
                changed = BREAKING[rule.kind](resource, rule.path)
            if not changed or url not in [one["fullUrl"] for one in candidates(broken, profile)]:
                continue
            claims, said = judged(broken, report, mode)
            if rule.value == "one-selection-of-a-kind" and profile.url in claims[url]:
                continue  # what stands twice was no region
            tried += 1
            assert profile.url not in claims[url], url
            assert any(f"{profile.kind}: {rule} (" in one and f"profile {profile.id} " in one for one in said)
        if tried > 2:
            break
    assert tried or rule.path in {one.path for one in profile.rules if one.kind in ("when", "unless")}


@pytest.mark.parametrize(
    "change",
    [
        lambda bundle: bundle.update(type="batch"),
        lambda bundle: bundle["entry"][0]["request"].update(method="PUT"),
        lambda bundle: bundle["entry"].append({"resource": {"resourceType": "Patient"}, "request": {"method": "POST"}}),
    ],
)
def test_a_broken_rule_costs_a_bundle_its_claim(change: Callable[[Json], None]) -> None:
    report = REPORTS["rich"]()
    made = write(report, sr_of(report), profile="imr")
    bundle = json.loads(made.content)[1]["resource"]
    shaping = Shaping(bundle, report)
    claimed_first = bundle.pop("meta")
    assert claim_bundle(shaping, bundle, "imr")["meta"] == claimed_first

    change(bundle)

    assert "meta" not in claim_bundle(shaping, bundle, "imr")
    assert "imr-store-multimedia-report-bundle" in shaping.losses[0].what


def _author_of_its_own(bundle: Json) -> None:
    """Let the Composition have an author organization that the report does not have."""
    (url,) = [one["fullUrl"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Organization"][:1]
    bundle["entry"][0]["resource"]["author"] = [{"reference": url}, {"reference": url}]


@pytest.mark.parametrize("mode", ["eu-imaging", "eu-imaging-r5"])
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda bundle: bundle.pop("identifier"), "identifier min 1"),
        (lambda bundle: bundle.update(type="collection"), "type all document"),
        (lambda bundle: bundle.update(total=1), "total max 0"),
        (lambda bundle: bundle["entry"][0].update(link=[{}]), "entry.link max 0"),
        (lambda bundle: bundle["entry"][-1].pop("fullUrl"), "entry.fullUrl min 1"),
        (lambda bundle: bundle["entry"][0].update(search={}), "entry.search max 0"),
        (lambda bundle: bundle["entry"][0].update(request={}), "entry.request max 0"),
        (lambda bundle: bundle["entry"][0].update(response={}), "entry.response max 0"),
        (lambda bundle: bundle["entry"].append(bundle["entry"][0]), "check eu-entries"),
        (lambda bundle: bundle["entry"][0]["resource"].pop("meta"), "check eu-entries"),
        (_author_of_its_own, "check dr-comp-author-org"),
    ],
)
def test_a_broken_rule_costs_an_eu_document_its_claim(mode: str, change: Callable[[Json], None], rule: str) -> None:
    report = REPORTS["rich"]()
    bundle, _ = shaped(report, mode)
    claimed_first = bundle.pop("meta")
    shaping = Shaping(bundle, report)
    assert claim_bundle(shaping, bundle, mode)["meta"] == claimed_first
    assert shaping.losses == []

    change(bundle)

    assert "meta" not in claim_bundle(shaping, bundle, mode)
    assert any(f"Bundle: {rule} (" in one.why for one in shaping.losses)
