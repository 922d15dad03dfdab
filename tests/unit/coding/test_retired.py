"""Retired codes: replaced where their release names one successor, asked about where it does not."""

from dataclasses import dataclass

import pytest

from service.coding import Vocabulary
from service.coding.coder import code_report
from service.coding.releases.store import ReleaseSystem
from service.coding.retired import FOLLOWED, REPLACED_BY, SAME_AS, Retired, retired
from service.domain.codes import Code, CodedTerm, Resolution, Term
from service.domain.errors import UnknownTerm
from service.domain.report import CodedReport
from tests.releases import Generated, Site
from tests.unit.coding.reports import code, make_lesion, make_report

SYSTEMS = ("SCT", "RADLEX")
OLD, OLDER = "1000004", "1001000"
FRONTAL, CALLOSUM = "83251001", "88442005"


@dataclass(frozen=True)
class Went:
    """An association."""

    kind: str
    target: str


@dataclass(frozen=True)
class Held:
    """A concept of a release."""

    display: str
    active: bool


class Release:
    """A release of a few codes: which are active, and where the others went."""

    def __init__(self, went: dict[str, list[Went]], active: tuple[str, ...] = (FRONTAL, CALLOSUM)) -> None:
        self._went = went
        self._active = active

    def systems(self) -> tuple[ReleaseSystem, ...]:
        return ()

    def lookup(self, system: str, code: str) -> Held | None:
        """A code."""
        assert system in SYSTEMS
        if code in self._active:
            return Held(f"display of {code}", active=True)
        return Held(f"old {code}", active=False) if code in self._went else None

    def historical(self, system: str, code: str) -> tuple[Went, ...]:
        """Where it went."""
        assert system in SYSTEMS
        return tuple(self._went.get(code, ()))


def report_of(term: Term, vocabulary: Vocabulary, release: Release | None) -> tuple[CodedTerm, CodedReport]:
    """The site of a lesion, coded behind a release."""
    made = code_report(make_report(make_lesion(site=term)), vocabulary.with_site(None, release))
    site = made.lesions[0].site
    assert site is not None
    return site, made


def test_a_code_that_is_the_same_is_replaced_and_stands_beside(small: Vocabulary) -> None:
    release = Release({OLD: [Went("same-as", FRONTAL)]})
    found, report = report_of(code("SCT", OLD, "lobe of front"), small, release)
    assert found.concept == "frontal-lobe"
    assert found.codes == (*small.concepts["frontal-lobe"].codes, Code("SCT", OLD, ""))
    assert found.said == f"SCT {OLD} lobe of front"
    assert report.losses == ()


def test_a_code_that_was_replaced_is_written_as_the_new_one_and_said(small: Vocabulary) -> None:
    found, report = report_of(code("SCT", OLD), small, Release({OLD: [Went("replaced-by", FRONTAL)]}))
    assert found.codes == small.concepts["frontal-lobe"].codes
    assert found.said == f"SCT {OLD}"
    assert [loss.rule for loss in report.losses] == ["replaced-code"]


def test_a_chain_is_followed_and_only_the_same_all_along_is_the_same(small: Vocabulary) -> None:
    same = Release({OLDER: [Went("same-as", OLD)], OLD: [Went("same-as", FRONTAL)]})
    near = Release({OLDER: [Went("same-as", OLD)], OLD: [Went("replaced-by", FRONTAL)]})
    new = Code("SCT", FRONTAL, "")
    assert retired(Code("SCT", OLDER, ""), same) == Retired(new, exact=True)
    assert retired(Code("SCT", OLDER, ""), near) == Retired(new, exact=False)


@pytest.mark.parametrize(
    "went",
    [
        [Went("possibly-equivalent-to", FRONTAL)],
        [Went("possibly-equivalent-to", FRONTAL), Went("possibly-equivalent-to", CALLOSUM)],
        [Went("same-as", FRONTAL), Went("same-as", CALLOSUM)],
        [Went("replaced-by", FRONTAL), Went("replaced-by", CALLOSUM)],
        [Went("was-a", FRONTAL)],
        [Went("moved-to", FRONTAL)],
        [],
    ],
)
def test_what_is_not_sure_is_asked_about_and_never_applied(went: list[Went], small: Vocabulary) -> None:
    found, report = report_of(code("SCT", OLD), small, Release({OLD: went}))
    assert (found.concept, found.codes, found.resolution) == (None, (Code("SCT", OLD, ""),), Resolution.GIVEN)
    (loss,) = report.losses
    assert loss.rule == "retired-code"
    assert loss.suggestions == tuple(f"SCT {one.target} display of {one.target}" for one in went)


def test_refuses_a_retired_code_where_the_field_must_be_coded(small: Vocabulary) -> None:
    release = Release({OLD: [Went("possibly-equivalent-to", "7771000")]}, ("7771000",))
    report = make_report(make_lesion(laterality=code("SCT", OLD, where="/lesions/0/laterality")))
    with pytest.raises(UnknownTerm) as raised:
        code_report(report, small.with_site(None, release))
    assert raised.value.problems[0].candidates == ("SCT 7771000 display of 7771000",)


@pytest.mark.parametrize(
    "went", [{OLD: [Went("same-as", OLD)]}, {OLD: [Went("same-as", OLDER)], OLDER: [Went("same-as", OLD)]}]
)
def test_a_circle_ends_as_a_question(went: dict[str, list[Went]]) -> None:
    found = retired(Code("SCT", OLD, ""), Release(went))
    assert found is not None
    assert found.code is None


def test_an_active_code_is_not_retired_and_an_unknown_one_is_not_judged() -> None:
    release = Release({})
    assert retired(Code("SCT", FRONTAL, ""), release) is None
    assert retired(Code("SCT", OLD, ""), release) is None
    assert retired(Code("SCT", OLD, ""), None) is None


def test_an_old_radlex_id_goes_as_a_snomed_code_does(small: Vocabulary) -> None:
    release = Release({"RID1": [Went("replaced-by", "RID6440")]}, ("RID6440",))
    for spelling in ("RADLEX", "http://radlex.org", "http://www.radlex.org", "https://radlex.org"):
        found, _ = report_of(code(spelling, "RID1"), small, release)
        assert (found.concept, found.said) == ("frontal-lobe", "RADLEX RID1"), spelling


def test_a_replacement_that_no_concept_has_is_written_with_its_own_name(small: Vocabulary) -> None:
    release = Release({OLD: [Went("same-as", "85050009")]}, ("85050009",))
    found, _ = report_of(code("SCT", OLD, "old words"), small, release)
    assert found.codes == (Code("SCT", "85050009", ""), Code("SCT", OLD, ""))
    assert (found.text, found.codes[0].display) == ("display of 85050009", "display of 85050009")


def test_srt_is_replaced_and_kept_in_what_was_said(small: Vocabulary) -> None:
    found, report = report_of(code("SRT", "T-A2200", "Lobus frontalis"), small, None)
    assert (found.concept, found.said) == ("frontal-lobe", "SRT T-A2200 Lobus frontalis")
    assert found.codes == small.concepts["frontal-lobe"].codes
    assert report.losses == ()


def test_a_code_that_dicom_retired_is_flagged(small: Vocabulary) -> None:
    found, report = report_of(code("DCM", "121201", "Area Outline"), small, None)
    assert found.resolution is Resolution.GIVEN
    assert [(loss.rule, loss.suggestions) for loss in report.losses] == [("retired-code", ())]


def test_a_loaded_release_is_asked(rf2: Generated, loaded: Site) -> None:
    kinds = set()
    for old, (kind, target) in rf2.made.old.items():
        found = retired(Code("SCT", old, ""), loaded.releases)
        assert found is not None
        assert found.exact is (kind == SAME_AS)
        assert (found.code is not None and found.code.code == target) is (kind in FOLLOWED)
        assert [one.code for one in found.candidates] == ([] if kind in FOLLOWED else [target])
        kinds.add(kind)
    assert {SAME_AS, REPLACED_BY} < kinds


def test_a_code_that_a_loaded_release_has_in_use_is_left_alone(rf2: Generated, loaded: Site) -> None:
    active = next(code for code, active in zip(rf2.made.codes, rf2.made.active, strict=True) if active)
    assert retired(Code("SCT", active, ""), loaded.releases) is None
