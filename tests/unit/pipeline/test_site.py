"""What a site adds to the tables, through every output: overlays and retired codes."""

import orjson
import pytest
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from service.coding import vocabulary
from service.coding.overlays.layers import Layers
from service.coding.overlays.site import SiteOverlays
from service.coding.retired import Historical
from service.domain.errors import Contradiction
from service.pipeline import CHECKED, Format, Options, Outcome, Source, convert
from tests.findings import make_body
from tests.unit.coding.overlays.lines import line, made
from tests.unit.coding.test_retired import FRONTAL, OLD, Release, Went

OUTPUTS = (Format.SR, Format.FHIR_R4, Format.HTML, Format.FINDINGS)


def converted(site: object, releases: Historical | None = None, *lines: str) -> Outcome:
    """A report with this site in every format, SR and FHIR held to it."""
    overlays = SiteOverlays(vocabulary(), releases=releases)
    if lines:
        overlays._layers = Layers(vocabulary(), (made(vocabulary(), *lines).held(),), releases)
    source = Source(make_body(lesions__0__site=site), site=overlays)
    return convert(source, OUTPUTS, Options(check=True))


def written(outcome: Outcome) -> tuple[list[str], list[str]]:
    """The codes of the finding site in the SR, equivalents last, and in the bundle's bodySite."""
    document = dcmread(DicomBytesIO(outcome.outputs[Format.SR].content))
    found: list[str] = []

    def walk(item: object) -> None:
        for child in getattr(item, "ContentSequence", ()):
            name = child.get("ConceptNameCodeSequence")
            if name and name[0].get("CodeValue") == "363698007" and "ConceptCodeSequence" in child:
                code = child.ConceptCodeSequence[0]
                found.extend([code.CodeValue, *(one.CodeValue for one in code.get("EquivalentCodeSequence", ()))])
            walk(child)

    walk(document)
    bundle = orjson.loads(outcome.outputs[Format.FHIR_R4].content)
    resources = [entry["resource"] for entry in bundle["entry"]]
    sites = [one["bodySite"] for one in resources if "bodySite" in one]
    return found, [coding["code"] for coding in sites[0]["coding"]] if sites else []


def test_a_code_that_is_the_same_stands_last_in_both() -> None:
    outcome = converted({"system": "SCT", "code": OLD}, Release({OLD: [Went("same-as", FRONTAL)]}))
    assert outcome.checks == (CHECKED,)
    in_sr, in_fhir = written(outcome)
    assert (in_sr[0], in_sr[-1]) == (FRONTAL, OLD)
    assert in_fhir == in_sr


def test_a_code_that_was_replaced_is_in_neither() -> None:
    outcome = converted({"system": "SCT", "code": OLD}, Release({OLD: [Went("replaced-by", FRONTAL)]}))
    assert outcome.checks == (CHECKED,)
    in_sr, in_fhir = written(outcome)
    assert in_sr[0] == in_fhir[0] == FRONTAL
    assert OLD not in in_sr + in_fhir
    assert "replaced-code" in [loss.rule for loss in outcome.losses]


@pytest.mark.parametrize("relationship", ["equivalent", "source-is-narrower-than-target"])
def test_what_an_overlay_says_is_the_same_in_both(relationship: str) -> None:
    row = line(field="site", term="Operculum", concept="frontal-lobe", relationship=relationship)
    outcome = converted("Operculum", None, row)
    assert outcome.checks == (CHECKED,)
    in_sr, in_fhir = written(outcome)
    assert in_sr == in_fhir
    assert in_sr[0] == FRONTAL
    shown = outcome.outputs[Format.HTML].content.decode()
    assert "Operculum" in shown


def test_a_side_is_still_held_against_a_site_of_the_overlay() -> None:
    sites, sides = vocabulary().members["site"].values or (), vocabulary().sides
    concept = next(key for key in sorted(sites) if sides.get(key) == "right")
    with pytest.raises(Contradiction):
        converted("Hirn R", None, line(field="site", term="Hirn R", concept=concept))
