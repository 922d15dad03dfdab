"""Bundles shaped for profile modes, for tests."""

import json
from decimal import Decimal
from typing import Any

from service.coding import vocabulary
from service.domain.codes import CodedTerm
from service.domain.names import NameGroup, PersonName
from service.domain.report import CodedReport, Evaluation, Observer, Person
from service.formats.fhir.profiles.claims import claim
from service.formats.fhir.profiles.modes import MODES
from service.formats.fhir.profiles.rules import Profile, Rule, is_for, profiles
from service.formats.fhir.profiles.shaping import Shaping
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.write import write
from tests.fhir_bundles import Json, sr_of
from tests.report_set import REPORTS
from tests.report_terms import MM
from tests.reports import make_coded_report, make_lesion, number

RELEASES = {"R4": R4, "R5": R5}
CANONICALS = {
    "mcode": ("http://hl7.org/fhir/us/mcode", "http://hl7.org/fhir/us/core"),
    "eu-imaging": ("http://hl7.eu/fhir/imaging/", "http://hl7.eu/fhir/base/"),
    "eu-imaging-r5": ("http://hl7.eu/fhir/imaging-r5/", "http://hl7.eu/fhir/base-r5/"),
}
"""The guides whose profiles a mode has, where they are several."""


def proven_report() -> CodedReport:
    """Lesions of which one is proven and called malignant, measured and judged, one proven only, one called so only."""
    tables = vocabulary()
    known, secondary, malignant = map(tables.term, ("known", "neoplasm-secondary", "malignant"))
    field = make_lesion().evaluations[0].name
    progressive = Evaluation(field, tables.term("target-lesion-progressive-disease"), "response")
    called = PersonName(NameGroup("Roe", "Rita"))
    person: Observer[CodedTerm] = Observer(person=Person(called, id="R1", organization="North"))
    sizes = (
        number(tables.term("long-axis"), "14.20", MM),
        number(tables.term("short-axis"), "1.10", tables.term("unit-cm")),
    )
    alone: dict[str, Any] = {"topography": None, "certainty": known}
    malign = Evaluation(field, malignant, "malignancy")
    lesions = (
        make_lesion("T1", category=secondary, measurements=sizes, evaluations=(progressive,), **alone),
        make_lesion("T2", certainty=known, measurements=sizes),
        make_lesion("T3", category=secondary, measurements=sizes),
        make_lesion("T4", measurements=sizes[:1], evaluations=(malign,), **alone),
    )
    return make_coded_report(id="PROVEN", lesions=lesions, observers=(person,))


PROFILED = {**REPORTS, "proven": proven_report}
"""The reports of the tests of modes."""
ROWS = [(mode, profile, rule) for mode in MODES for profile in profiles(mode) for rule in profile.rules]
"""Every rule of every profile."""


def modes() -> list[tuple[str, str, str]]:
    """Each mode with each release and kind of bundle that it has."""
    return [(name, release, kind) for name, mode in MODES.items() for release in mode.releases for kind in mode.bundles]


def shaped(report: CodedReport, mode: str) -> tuple[Any, list[str]]:
    """What a mode makes of a report, read back, and what it says of profiles that are not claimed."""
    chosen = RELEASES[MODES[mode].releases[0]]
    made = write(report, sr_of(report), bundle=MODES[mode].bundles[0], release=chosen, profile=mode)
    said = [f"{loss.what}: {loss.why}" for loss in made.losses if loss.rule.startswith("fhir-profile")]
    found = json.loads(made.content, parse_float=Decimal)
    return (found if isinstance(found, dict) else whole(found)), said


def whole(requests: list[Json]) -> Json:
    """The transactions of a list as one, with references by fullUrl, as it was judged."""
    entries = {entry["fullUrl"]: entry for one in requests for entry in one["resource"]["entry"]}
    text = json.dumps(list(entries.values()), default=str)
    for url, entry in entries.items():
        request = entry["request"]
        found = f"{request['url']}?{request['ifNoneExist']}" if "ifNoneExist" in request else request["url"]
        text = text.replace(f'"reference": {json.dumps(found)}', f'"reference": {json.dumps(url)}')
    return {"resourceType": "Bundle", "type": "transaction", "entry": json.loads(text)}


def claimed(bundle: Json) -> dict[str, list[str]]:
    """The profiles that each entry claims, by its fullUrl."""
    return {one["fullUrl"]: one["resource"].get("meta", {}).get("profile", []) for one in bundle["entry"]}


def judged(bundle: Json, report: CodedReport, mode: str) -> tuple[dict[str, list[str]], list[str]]:
    """What the entries of a bundle may claim, judged anew, and the rules that are named as not kept."""
    for entry in bundle["entry"]:
        entry["resource"].pop("meta", None)
    shaping = Shaping(bundle, report)
    claim(shaping, mode)
    return claimed(bundle), [f"{loss.what}: {loss.why}" for loss in shaping.losses]


def candidates(bundle: Json, profile: Profile) -> list[Json]:
    """The entries that a profile is for."""
    return [one for one in bundle["entry"] if is_for(profile, one["resource"])]


def name(row: tuple[str, Profile, Rule]) -> str:
    """A rule as the name of a test."""
    mode, profile, rule = row
    return f"{mode}-{profile.id}-{rule}".replace(" ", "_")
