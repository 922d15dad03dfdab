"""A whole report coded: every rule that refuses or flags, and what comes out of the terms."""

from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.coding import Vocabulary, vocabulary
from service.coding.coder import code_report
from service.coding.negation import NEGATIONS
from service.coding.notes import MOST_PROBLEMS
from service.domain.codes import Code, CodedTerm, Resolution, Term
from service.domain.errors import (
    AmbiguousTerm,
    Contradiction,
    Implausible,
    Invalid,
    UnknownTerm,
)
from service.domain.geometry import Graphic, ImageReference, LesionImage, Region2D
from service.domain.loss import Loss, LossKind
from service.domain.names import PersonName
from service.domain.report import (
    CodedReport,
    Comparison,
    CountKind,
    Device,
    Issuer,
    Lesion,
    Measurement,
    Observer,
    Patient,
    PatientId,
    Person,
    TimePoint,
)
from service.domain.times import DateTime
from service.domain.uids import is_uid, tracking_uid
from tests.unit.coding.reports import answer, changed, code, make_lesion, make_report, number, term

IMAGE = ImageReference("1.2.840.10008.5.1.4.1.1.4", "1.2.3.4.5", "1.2.3.4")


def coded_lesion(small: Vocabulary, **changes: Any) -> Lesion[CodedTerm]:
    return code_report(make_report(make_lesion(**changes)), small).lesions[0]


def refused(small: Vocabulary, kind: type[Invalid], **changes: Any) -> list[tuple[str, str]]:
    """The rules and places that a lesion is refused for."""
    with pytest.raises(Invalid) as caught:
        code_report(make_report(make_lesion(**changes)), small)
    assert type(caught.value) is kind
    return [(problem.rule, problem.pointer) for problem in caught.value.problems]


def losses_of(small: Vocabulary, **changes: Any) -> list[tuple[LossKind, str, str]]:
    """What is said of a report, as kind, rule and place."""
    return [(loss.kind, loss.rule, loss.where) for loss in code_report(make_report(**changes), small).losses]


def terms_of(value: object) -> list[CodedTerm | Term]:
    """Every term in a report, by walking through all of it."""
    if isinstance(value, CodedTerm | Term):
        return [value]
    if isinstance(value, tuple | list):
        return [found for item in value for found in terms_of(item)]
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, Code | Loss):
        return [found for field in fields(value) for found in terms_of(getattr(value, field.name))]  # type: ignore[arg-type]  # a dataclass instance, as tested
    return []


def full_report() -> Any:
    """A report with a term in every member that takes one."""
    line = Region2D(Graphic.LINE, ((1.0, 2.0), (3.0, 4.0)), term("longest diameter"))
    lesion = make_lesion(
        category="neoplasm, secondary",
        site="frontal lobe",
        laterality="left",
        topography="junction",
        certainty="suspicious",
        change="new",
        time_point=TimePoint("T0", term("baseline", "/lesions/0/timePoint/type")),
        measurements=(
            number("long axis", "14.2", "mm", method=term("RECIST 1.1"), derivation=term("maximum"), image="1.2.3.4.5"),
            number("volume", "1450", "mm3"),
        ),
        evaluations=(answer("T1", "hypointense"), answer("edema-type", "vasogenic")),
        images=(LesionImage(IMAGE, (line,)),),
    )
    report = make_report(lesion)
    return changed(
        report,
        study=replace(
            report.study,
            technique=(term("T1", "/study/technique/0"),),
            comparisons=(Comparison("1.2.9", modality=term("CT", "/study/comparisons/0/modality")),),
            referring_physician=Person(
                PersonName.parse("A^B"), role=term("resident", "/study/referringPhysician/role")
            ),
        ),
        observers=(Observer(Device("D"), Person(PersonName.parse("C^D"), role=term("resident", "/observer/role"))),),
        conclusions=(term("brain metastasis", "/report/conclusion/0"),),
        differential=(term("glioma", "/report/differential/0"),),
        negatives=(term("no haemorrhage", "/report/negatives/0"),),
        evaluations=(answer("response", "stable", "/report/descriptors/response"),),
    )


def test_every_term_of_a_report_is_resolved(small: Vocabulary) -> None:
    report = full_report()

    coded = code_report(report, small)

    terms = terms_of(coded)
    assert coded.losses == ()
    assert len(terms) == len(terms_of(report)) == 30
    assert all(isinstance(term, CodedTerm) for term in terms)
    assert [term for term in terms if isinstance(term, CodedTerm) and term.resolution is Resolution.TEXT] == []


def test_the_place_and_the_words_of_the_sender_stay(small: Vocabulary) -> None:
    lesion = coded_lesion(small, site="Frontal  Lobe", laterality=code("http://radlex.org", "RID5824", "", "/side"))

    assert lesion.site is not None
    assert lesion.laterality is not None
    assert (lesion.site.said, lesion.site.where) == ("Frontal  Lobe", "/lesions/0/site")
    assert (lesion.laterality.resolution, lesion.laterality.where) == (Resolution.CODE, "/side")


def test_members_without_terms_pass_through(small: Vocabulary) -> None:
    report = full_report()
    lesion = replace(report.lesions[0], count=CountKind.INNUMERABLE, text="said so", tracking_uid="1.2.3")

    coded = code_report(changed(report, lesions=(lesion,), impression="I", findings="F", version=3), small)

    for name in ("id", "sender", "status", "issued", "version", "language", "predecessor", "impression", "findings"):
        assert getattr(coded, name) == getattr(changed(report, impression="I", findings="F", version=3), name)
    for name in ("id", "count", "text", "tracking_uid", "regions3d", "segment", "where"):
        assert getattr(coded.lesions[0], name) == getattr(lesion, name)
    assert coded.study.uid == report.study.uid


def test_digits_stay_as_written(small: Vocabulary) -> None:
    lesion = coded_lesion(small, measurements=(number("long axis", "12.50", "mm"),))

    assert str(lesion.measurements[0].value) == "12.50"


def test_the_same_report_is_coded_the_same(small: Vocabulary) -> None:
    assert code_report(full_report(), small) == code_report(full_report(), small)


def test_a_tracking_uid_is_derived_of_sender_patient_and_lesion(small: Vocabulary) -> None:
    report = make_report(make_lesion("L7"), patient=Patient("PID-1", Issuer("urn:oid:1.2.276.0.76.3.1.999.1")))

    coded = code_report(report, small)

    assert coded.patient.issuer is not None
    assert coded.patient.issuer.key == "HOSP"
    # The issuer as said, not the row found for it: a row added later changes no UID.
    said = "urn:oid:1.2.276.0.76.3.1.999.1"
    assert coded.lesions[0].tracking_uid == tracking_uid("local", said, "PID-1", "L7")


def test_a_device_without_uid_gets_one_that_its_version_changes(small: Vocabulary) -> None:
    devices = [Device("MetDetect", "2.1"), Device("MetDetect", "2.1"), Device("MetDetect", "2.2")]

    coded = [code_report(make_report(observers=(Observer(device),)), small).observers[0].device for device in devices]

    uids = [device.uid for device in coded if device is not None and device.uid is not None]
    assert all(is_uid(uid) for uid in uids)
    assert uids[0] == uids[1] != uids[2]


def test_a_given_device_uid_stays(small: Vocabulary) -> None:
    coded = code_report(make_report(observers=(Observer(Device("D", uid="1.2.3.4")),)), small)

    assert coded.observers[0].device is not None
    assert coded.observers[0].device.uid == "1.2.3.4"


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (Issuer("HOSP"), Issuer("HOSP", "urn:oid:1.2.276.0.76.3.1.999.1", "1.2.276.0.76.3.1.999.1")),
        (Issuer("x", uri="urn:oid:1.2.3.4.5"), Issuer("OIDONLY", "urn:oid:1.2.3.4.5", "1.2.3.4.5")),
        (Issuer("1.2.3.4.5"), Issuer("OIDONLY", "urn:oid:1.2.3.4.5", "1.2.3.4.5")),
        (Issuer("1.2.99"), Issuer("1.2.99", "urn:oid:1.2.99", "1.2.99")),
        (Issuer("urn:oid:1.2.99"), Issuer("urn:oid:1.2.99", "urn:oid:1.2.99", "1.2.99")),
        (Issuer("https://ids.example/mrn"), Issuer("https://ids.example/mrn", "https://ids.example/mrn")),
        (Issuer("x", oid="1.2.98"), Issuer("x", oid="1.2.98")),
    ],
)
def test_an_issuer_is_found_by_key_uri_or_oid(small: Vocabulary, said: Issuer, known: Issuer) -> None:
    report = make_report(patient=Patient("P", said, other_ids=(PatientId("Q", said),)))
    report = changed(report, study=replace(report.study, accession="A", accession_issuer=said))

    coded = code_report(report, small)

    assert coded.losses == ()
    assert coded.patient.issuer == coded.patient.other_ids[0].issuer == coded.study.accession_issuer == known


def test_an_unknown_issuer_stays_and_is_flagged(small: Vocabulary) -> None:
    report = make_report(patient=Patient("P", Issuer("CLINIC X")))

    coded = code_report(report, small)

    assert coded.patient.issuer == Issuer("CLINIC X")
    assert [(loss.rule, loss.where) for loss in coded.losses] == [("unknown-issuer", "/patient/issuer")]


def test_two_lesions_of_one_tracking_uid_are_refused(small: Vocabulary) -> None:
    lesions = (make_lesion("A", tracking_uid="1.2.3"), make_lesion("B", tracking_uid="1.2.3"))

    with pytest.raises(Contradiction) as caught:
        code_report(make_report(*lesions), small)

    assert [problem.rule for problem in caught.value.problems] == ["duplicate-tracking-uid"]


def test_two_groups_of_one_lesion_in_somebody_elses_document_are_flagged(small: Vocabulary) -> None:
    lesions = [replace(make_lesion(name, tracking_uid="1.2.3"), where=f"1.4.{name}") for name in "AB"]

    coded = code_report(make_report(*lesions), small)

    assert [(loss.rule, loss.where) for loss in coded.losses] == [("duplicate-tracking-uid", "1.4.B")]


@pytest.mark.parametrize(
    ("change", "takes"), [("resolved", True), ("disappeared", True), ("smaller", False), (None, False)]
)
def test_a_lesion_that_is_gone_may_measure_nothing(change: str | None, takes: bool) -> None:
    changes: dict[str, Any] = {"change": Term(change)} if change is not None else {}
    report = make_report(make_lesion(measurements=(number("long axis", "0", "mm"),), **changes))

    if takes:
        assert code_report(report, vocabulary()).lesions[0].measurements[0].value == 0
        return
    with pytest.raises(Implausible, match="above 0 mm"):
        code_report(report, vocabulary())


# Negative findings


@pytest.mark.parametrize("negation", NEGATIONS)
def test_a_negation_is_cut_off_a_negative_finding(small: Vocabulary, negation: str) -> None:
    said = f"{negation.capitalize()}haemorrhage"

    negative = code_report(make_report(negatives=(term(said, "/n"),)), small).negatives[0]

    assert (negative.concept, negative.said, negative.where) == ("haemorrhage", said, "/n")


def test_a_negation_is_cut_off_before_a_negative_concept_is_found(small: Vocabulary) -> None:
    # "no enhancement", absent, would say that it enhances.
    negative = code_report(make_report(negatives=(term("no enhancement"),)), small).negatives[0]

    assert negative.concept != "no-enhancement"


def test_a_negation_is_cut_off_an_unknown_finding_too(small: Vocabulary) -> None:
    coded = code_report(make_report(negatives=(term("no zebra sign"),)), small)

    assert (coded.negatives[0].text, coded.negatives[0].said) == ("zebra sign", "no zebra sign")
    assert [loss.kind for loss in coded.losses] == [LossKind.UNCODED]


@pytest.mark.parametrize("said", ["no longer enhancing", "no change", "nodule", "no"])
def test_what_is_no_negation_stays_whole(small: Vocabulary, said: str) -> None:
    assert code_report(make_report(negatives=(term(said),)), small).negatives[0].text == said


@pytest.mark.parametrize(
    "said",
    [
        "No fracture, no cord compression",
        "no fracture but cord compression",
        "haemorrhage cannot be excluded",
        "Fracture not seen",
        "No significant change",
        "no longer enhancing",
        "non-zebra, no haemorrhage",
    ],
)
def test_refuses_a_negative_finding_that_denies_by_itself(small: Vocabulary, said: str) -> None:
    # Listed as absent it would say the contrary.
    with pytest.raises(Contradiction) as caught:
        code_report(make_report(negatives=(term(said, "/report/negatives/0"),)), small)

    assert [(one.rule, one.pointer) for one in caught.value.problems] == [("negative-denied", "/report/negatives/0")]


@pytest.mark.parametrize("said", ["non-enhancing lesion", "no-enhancement", "non-hemorrhagic", "non-haemorrhagic"])
def test_refuses_a_negative_finding_that_is_itself_the_lack_of_one(said: str) -> None:
    report = make_report(negatives=(term(said, "/report/negatives/0"),), lesions=())

    with pytest.raises(Contradiction, match="denies by itself"):
        code_report(report, vocabulary())


@pytest.mark.parametrize("said", ["keine Blutung", "sans hémorragie", "sin fractura", "brak krwotoku", "出血なし"])
def test_refuses_a_negative_finding_that_denies_by_itself_in_another_language(small: Vocabulary, said: str) -> None:
    with pytest.raises(Contradiction) as caught:
        code_report(make_report(negatives=(term(said, "/report/negatives/0"),)), small)

    assert [one.rule for one in caught.value.problems] == ["negative-denied"]


def test_flags_a_negative_of_another_format_that_denies_by_itself(small: Vocabulary) -> None:
    coded = code_report(make_report(negatives=(term("no change", "1.7"),)), small)

    assert coded.negatives[0].text == "no change"
    assert ("negative-denied", "1.7") in [(loss.rule, loss.where) for loss in coded.losses]


@pytest.mark.parametrize(
    "said", ["no brain metastases or zebra", "No acute haemorrhage", "non-zebra lesion", "no non-zebra lesion"]
)
def test_a_plain_negative_in_other_words_is_kept(small: Vocabulary, said: str) -> None:
    assert code_report(make_report(negatives=(term(said, "/report/negatives/0"),)), small).negatives


@pytest.mark.parametrize(
    ("said", "absent"),
    [
        ("no rib metastasis", ["SCT"]),
        ("no brain metastases", ["SCT"]),
        ("no cauda equina syndrome", []),
        ("no pineoblastoma", ["SCT", "RADLEX", "NCIt"]),
    ],
)
def test_an_absent_finding_denies_no_whole_class(said: str, absent: list[str]) -> None:
    # C79.51 is any metastasis to bone, ICD-O-3 9362/3 also another tumor.
    negative = code_report(make_report(negatives=(term(said),), lesions=()), vocabulary()).negatives[0]

    assert negative.concept is not None
    assert [code.system for code in negative.codes] == absent


# Terms that can't be coded


def test_an_unknown_term_is_kept_with_suggestions(small: Vocabulary) -> None:
    coded = code_report(make_report(make_lesion(site="fronatl lobe")), small)

    (loss,) = coded.losses
    assert (loss.kind, loss.rule, loss.where, loss.what) == (
        LossKind.UNCODED,
        "unknown-term",
        "/lesions/0/site",
        "fronatl lobe",
    )
    assert loss.suggestions[0] == "frontal lobe"


def test_an_unknown_term_is_refused_where_it_must_be_coded(small: Vocabulary) -> None:
    with pytest.raises(UnknownTerm) as caught:
        code_report(make_report(make_lesion(laterality="lefft")), small)

    (problem,) = caught.value.problems
    assert (problem.rule, problem.pointer, problem.candidates[0]) == ("unknown-term", "/lesions/0/laterality", "left")


def test_an_ambiguous_term_is_refused_with_its_candidates(tmp_path: Path) -> None:
    from tests.unit.coding.small import load

    words = "glioma,en,synonym,,wet tumour\nlytic,en,synonym,,wet-tumours\n"
    vocabulary = load(tmp_path, add={"terminology/designations.csv": words})

    with pytest.raises(AmbiguousTerm) as caught:
        code_report(make_report(make_lesion(finding=term("wet tumor", "/f"))), vocabulary)

    assert caught.value.problems[0].candidates == ("glioma", "lytic lesion")


def test_all_problems_are_told_at_once_as_one_class_or_as_invalid(small: Vocabulary) -> None:
    one = refused(small, UnknownTerm, laterality="lhs", change="whatever")
    several = refused(small, Invalid, laterality="lhs", measurements=(number("long axis", "-1", "mm"),))

    assert [rule for rule, _ in one] == ["unknown-term", "unknown-term"]
    assert sorted(rule for rule, _ in several) == ["unknown-term", "value-range"]


def test_a_list_of_problems_is_bounded_and_counted(small: Vocabulary) -> None:
    lesions = [make_lesion(f"L{number}", laterality="lhs") for number in range(MOST_PROBLEMS + 7)]

    with pytest.raises(UnknownTerm) as caught:
        code_report(make_report(*lesions), small)

    assert len(caught.value.problems) == MOST_PROBLEMS + 1
    assert caught.value.problems[-1].detail == "7 more problems are not listed."


def test_suggestions_are_looked_for_a_bounded_number_of_times(small: Vocabulary) -> None:
    lesions = [make_lesion(f"L{number}", site=f"frontal lobe {number}") for number in range(60)]

    coded = code_report(make_report(*lesions), small)

    suggested = [bool(loss.suggestions) for loss in coded.losses]
    assert len(suggested) == 60
    assert suggested == [True] * 25 + [False] * 35


# Measurements


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("long-axis", Resolution.KEY),
        ("long axis", Resolution.EXACT),
        ("Long Axis", Resolution.EXACT),
        ("long diameter", Resolution.SYNONYM),
        ("longest diameter", Resolution.SYNONYM),
        ("longest diameters", Resolution.VARIANT),
    ],
)
def test_a_measurement_is_named_by_key_name_or_designation(small: Vocabulary, name: str, how: Resolution) -> None:
    concept = coded_lesion(small, measurements=(number(name, "14.2", "mm"),)).measurements[0].concept

    assert (concept.concept, concept.resolution) == ("long-axis", how)
    assert concept.said == ("" if name == "long axis" else name)


@pytest.mark.parametrize(
    "given", [code("SCT", "103339001"), code("SRT", "G-A185"), code("99LESIONBRIDGE", "long-axis")]
)
def test_a_measurement_is_named_by_code(small: Vocabulary, given: Term) -> None:
    concept = coded_lesion(small, measurements=(number(given, "14.2", "mm", "/m/0"),)).measurements[0].concept

    assert (concept.concept, concept.resolution) == ("long-axis", Resolution.CODE)


def test_a_single_letter_names_no_measurement(small: Vocabulary) -> None:
    assert [name for name in ascii_lowercase if small.names("measurements").find(name)[0]] == []


def test_a_measurement_of_an_unknown_name_is_kept_as_text(small: Vocabulary) -> None:
    coded = code_report(make_report(make_lesion(measurements=(number("longest axs", "3", "mm"),))), small)

    (loss,) = coded.losses
    assert (loss.kind, loss.rule) == (LossKind.UNCODED, "unknown-measurement")
    assert "long axis" in loss.suggestions
    assert coded.lesions[0].measurements[0].concept == CodedTerm("longest axs")


def test_a_measurement_of_a_code_unknown_here_is_passed_on(small: Vocabulary) -> None:
    made = number(code("LN", "21889-1", "Size Tumor"), "3", "mm", "/m/0")

    coded = code_report(make_report(make_lesion(measurements=(made,))), small)

    assert coded.losses == ()
    assert coded.lesions[0].measurements[0].concept.codes == (Code("LN", "21889-1", "Size Tumor"),)


@pytest.mark.parametrize(
    ("unit", "code_", "said"),
    [
        (term("mm"), "mm", ""),
        (term("millimetres"), "mm", "millimetres"),
        (code("UCUM", "cm"), "cm", ""),
        (code("http://unitsofmeasure.org", "cm", "centimeter"), "cm", ""),
    ],
)
def test_a_unit_is_one_of_the_rows_units_in_any_spelling(small: Vocabulary, unit: Term, code_: str, said: str) -> None:
    made = coded_lesion(small, measurements=(number("long axis", "1.4", unit),)).measurements[0].unit

    assert (made.text, made.code, made.said) == (code_, Code("UCUM", code_, ""), said)


@pytest.mark.parametrize("unit", ["mm3", "g/ml{SUVbw}", "1", "um"])
def test_refuses_a_unit_of_another_kind_and_says_which_are_accepted(small: Vocabulary, unit: str) -> None:
    with pytest.raises(Implausible) as caught:
        coded_lesion(small, measurements=(number("long axis", "14", unit),))

    (problem,) = caught.value.problems
    assert (problem.rule, problem.candidates) == ("unit-kind", ("mm", "cm"))


@pytest.mark.parametrize("unit", ["furlong", "MM", "{SUVbw}"])
def test_refuses_an_unknown_unit(small: Vocabulary, unit: str) -> None:
    assert refused(small, Invalid, measurements=(number("long axis", "14", unit),))[0][0] == "unit-unknown"


def test_refuses_a_unit_of_another_system(small: Vocabulary) -> None:
    unit = code("SCT", "258673006", "mm")

    assert refused(small, Invalid, measurements=(number("long axis", "14", unit),))[0][0] == "unit-system"


def test_refuses_a_number_without_unit_except_where_the_unit_is_one(small: Vocabulary) -> None:
    counted = coded_lesion(small, measurements=(number("number of lesions", "3", ""),))

    assert counted.measurements[0].unit.text == "1"
    assert refused(small, Invalid, measurements=(number("long axis", "14", ""),))[0][0] == "unit-missing"


def test_a_measurement_without_a_row_has_any_known_unit_or_ucum(small: Vocabulary) -> None:
    named = code("LN", "21889-1", "Size Tumor")

    known = coded_lesion(small, measurements=(number(named, "3", "cc", "/m/0"),)).measurements[0].unit
    given = coded_lesion(small, measurements=(number(named, "3", code("UCUM", "mol/L"), "/m/0"),)).measurements[0].unit

    assert (known.text, given.text, given.resolution) == ("cm3", "mol/L", Resolution.GIVEN)
    assert refused(small, Invalid, measurements=(number(named, "3", "mol/L", "/m/0"),)) == [("unit-unknown", "")]


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("long axis", "0", "mm"),
        ("long axis", "-3", "mm"),
        ("long axis", "-0.1", "cm"),
        ("long axis", "NaN", "mm"),
        ("long axis", "Infinity", "mm"),
        ("volume", "-396", "mm3"),
        ("suv", "-1", "g/ml{SUVbw}"),
        ("number of lesions", "0", "1"),
    ],
)
def test_refuses_what_nothing_can_measure(small: Vocabulary, name: str, value: str, unit: str) -> None:
    measurement = number(name, value, unit)

    assert refused(small, Implausible, measurements=(measurement,)) == [("value-range", measurement.where)]


def test_refuses_a_fraction_of_a_count(small: Vocabulary) -> None:
    found = refused(small, Implausible, measurements=(number("number of lesions", "2.5", "1"),))

    assert found[0][0] == "value-integer"


@pytest.mark.parametrize(
    ("name", "value", "unit", "flagged"),
    [
        ("long axis", "300", "mm", False),
        ("long axis", "300.1", "mm", True),
        ("long axis", "30", "cm", False),
        ("long axis", "30.1", "cm", True),
        ("volume", "2000", "ml", False),
        ("volume", "2001", "cm3", True),
        ("adc", "0.0051", "mm2/s", True),
        ("adc", "0.005", "mm2/s", False),
        ("volume", "0", "ml", False),
        ("number of lesions", "3.0", "1", False),
    ],
)
def test_flags_what_is_hard_to_believe_in_any_unit(
    small: Vocabulary, name: str, value: str, unit: str, flagged: bool
) -> None:
    coded = code_report(make_report(make_lesion(measurements=(number(name, value, unit),))), small)

    assert [loss.rule for loss in coded.losses] == ["implausible-value"] * flagged
    assert coded.lesions[0].measurements[0].value == Decimal(value)


def test_refuses_two_names_of_one_measurement_in_an_object(small: Vocabulary) -> None:
    twice = (number("long axis", "14", "mm"), number("longest diameter", "15", "mm"))

    assert refused(small, Invalid, measurements=twice) == [
        ("duplicate-measurement", "/lesions/0/measurements/longest diameter")
    ]


@pytest.mark.parametrize("places", [("/lesions/0/measurements/0", "/lesions/0/measurements/1"), ("1.4.2.1", "1.4.2.2")])
def test_a_list_may_give_one_measurement_twice(small: Vocabulary, places: tuple[str, str]) -> None:
    twice = tuple(number("long axis", "14", "mm", place) for place in places)

    assert len(coded_lesion(small, measurements=twice).measurements) == 2


def test_the_image_of_a_measurement_is_the_lesions_or_the_studys(small: Vocabulary) -> None:
    measurement = number("long axis", "14", "mm", image=IMAGE.sop_instance)

    shown = make_report(make_lesion(measurements=(measurement,), images=(LesionImage(IMAGE),)))
    kept = make_report(make_lesion(measurements=(measurement,)))
    kept = changed(kept, study=replace(kept.study, images=(IMAGE,)))

    assert code_report(shown, small).lesions[0].measurements[0].image == IMAGE.sop_instance
    assert code_report(kept, small).lesions[0].measurements[0].image == IMAGE.sop_instance
    assert refused(small, Invalid, measurements=(measurement,)) == [("measurement-image", measurement.where)]


def region(name: str, where: str = "/r") -> LesionImage[Term]:
    return LesionImage(IMAGE, (Region2D(Graphic.LINE, ((1.0, 2.0), (3.0, 4.0)), term(name, where)),))


def test_a_shape_shows_a_measurement_of_the_lesion_by_any_of_its_names(small: Vocabulary) -> None:
    lesion = coded_lesion(small, measurements=(number("long axis", "14", "mm"),), images=(region("longest diameter"),))

    assert lesion.images[0].regions[0].measurement == lesion.measurements[0].concept


def test_a_shape_may_show_a_measurement_kept_as_text(small: Vocabulary) -> None:
    lesion = coded_lesion(small, measurements=(number("odd size", "14", "mm"),), images=(region("odd size"),))

    assert lesion.images[0].regions[0].measurement == CodedTerm("odd size")


@pytest.mark.parametrize("name", ["short axis", "volume", "odd size"])
def test_refuses_a_shape_of_what_was_not_measured(small: Vocabulary, name: str) -> None:
    found = refused(small, Invalid, measurements=(number("long axis", "14", "mm"),), images=(region(name),))

    assert found == [("region-measurement", "/r")]


# Descriptors


@pytest.mark.parametrize("name", ["T1", "t1-signal", "T1 signal", "t1"])
def test_a_descriptor_is_named_by_key_name_or_designation(small: Vocabulary, name: str) -> None:
    (made,) = coded_lesion(small, evaluations=(answer(name, "hypointense"),)).evaluations

    assert (made.row, made.value.concept) == ("t1-signal", "t1-hypointense")
    assert made.name.codes == (Code("99LESIONBRIDGE", "t1-signal", "T1 signal"),)


def test_a_descriptor_is_named_by_code(small: Vocabulary) -> None:
    field = code("99LESIONBRIDGE", "edema-type", where="/lesions/0/descriptors/0/field")

    (made,) = coded_lesion(
        small, evaluations=(answer(field, term("vasogenic"), "/lesions/0/descriptors/0"),)
    ).evaluations

    assert (made.row, made.value.concept, made.value.broader) == ("edema-type", "vasogenic", True)


def test_refuses_a_descriptor_of_an_unknown_name(small: Vocabulary) -> None:
    with pytest.raises(UnknownTerm) as caught:
        coded_lesion(small, evaluations=(answer("bone matrx", "lytic"),))

    (problem,) = caught.value.problems
    assert (problem.rule, problem.candidates[0]) == ("unknown-field", "bone matrix")


def test_a_descriptor_of_a_code_unknown_here_is_passed_on(small: Vocabulary) -> None:
    field = code("SCT", "364644000", "Functional observable", "1.4.1")

    (made,) = coded_lesion(small, evaluations=(answer(field, term("severe"), "1.4.1"),)).evaluations

    assert (made.row, made.name.codes[0].code, made.value.concept) == ("", "364644000", "severe")


def test_an_answer_that_must_be_coded_is_refused_when_unknown(small: Vocabulary) -> None:
    found = refused(small, UnknownTerm, evaluations=(answer("edema degree", "so-so"),))

    assert found == [("unknown-term", "/lesions/0/descriptors/edema degree")]


def test_refuses_two_answers_where_there_is_one(small: Vocabulary) -> None:
    places = [f"/lesions/0/descriptors/edema degree/{turn}" for turn in range(2)]
    words = zip(("mild", "severe"), places, strict=True)
    twice = tuple(answer("edema degree", term(word, place), place) for word, place in words)

    assert refused(small, Invalid, evaluations=twice) == [("one-answer", "/lesions/0/descriptors/edema degree/1")]


def test_two_answers_of_somebody_elses_document_are_flagged(small: Vocabulary) -> None:
    field = code("99LESIONBRIDGE", "edema-degree", where="1.4.1")
    twice = (answer(field, term("mild"), "1.4.1"), answer(field, term("severe"), "1.4.2"))

    coded = code_report(make_report(make_lesion(evaluations=twice)), small)

    assert [(loss.kind, loss.rule, loss.where) for loss in coded.losses] == [(LossKind.FLAGGED, "one-answer", "1.4.2")]


def test_a_field_of_many_answers_takes_a_list(small: Vocabulary) -> None:
    twice = (answer("oedema", "vasogenic"), answer("oedema", "vasogenic"))

    assert len(coded_lesion(small, evaluations=twice).evaluations) == 2


def test_refuses_two_names_of_one_descriptor(small: Vocabulary) -> None:
    twice = (answer("T1", "hypointense"), answer("t1-signal", "hyperintense"))

    assert refused(small, Invalid, evaluations=twice) == [("duplicate-descriptor", "/lesions/0/descriptors/t1-signal")]


def test_refuses_a_descriptor_at_the_wrong_level(small: Vocabulary) -> None:
    assert refused(small, Invalid, evaluations=(answer("response", "stable"),))[0][0] == "level"
    with pytest.raises(Invalid) as caught:
        code_report(make_report(evaluations=(answer("T1", "hypointense", "/report/descriptors/T1"),)), small)
    assert caught.value.problems[0].rule == "level"


# Dates and language


@pytest.mark.parametrize("tag", ["en-US", "en-us", "EN-us"])
def test_a_language_that_has_a_name_is_not_spoken_of(small: Vocabulary, tag: str) -> None:
    assert losses_of(small, language=tag) == []


def test_a_language_without_a_name_is_flagged(small: Vocabulary) -> None:
    assert losses_of(small, language="gsw-CH") == [(LossKind.FLAGGED, "unknown-language", "/report/language")]


@pytest.mark.parametrize("tag", ["English", "en_US", "", "e", "en-USA"])
def test_refuses_what_is_no_language_tag(small: Vocabulary, tag: str) -> None:
    with pytest.raises(Invalid) as caught:
        code_report(make_report(language=tag), small)

    assert caught.value.problems[0].rule == "language"


@pytest.mark.parametrize(
    ("birth", "rules"),
    [
        ("2026-03-03", ["birth-after-study"]),
        ("2026-03-02", []),
        ("2026-03", []),
        ("2027", ["birth-after-study"]),
        ("1961-04-02", []),
        ("1899-12-31", ["year"]),
        ("2201", ["year", "birth-after-study"]),
    ],
)
def test_flags_a_birth_that_can_hardly_be(small: Vocabulary, birth: str, rules: list[str]) -> None:
    coded = code_report(make_report(patient=Patient("P", birth_date=DateTime(birth))), small)

    assert [loss.rule for loss in coded.losses] == rules
    assert {loss.where for loss in coded.losses} <= {"/patient/birthDate"}


@pytest.mark.parametrize(("born", "rules"), [("2026-03-03", ["birth-after-study"]), ("2026-03-02", [])])
def test_where_nobody_said_when_the_study_was_it_was_before_the_report(
    small: Vocabulary, born: str, rules: list[str]
) -> None:
    report = make_report(patient=Patient("P", birth_date=DateTime(born)))
    coded = code_report(changed(report, study=replace(report.study, started=None)), small)

    assert [loss.rule for loss in coded.losses] == rules


@pytest.mark.parametrize(
    ("issued", "rules"),
    [
        ("2026-03-02T08:12:00Z", []),
        ("2026-03-02T08:11:59Z", ["issued-before-study"]),
        ("2026-03-02T09:11:59+01:00", ["issued-before-study"]),
        ("2026-03-01T23:59:60-12:00", []),
        ("1901-01-01T00:00:00Z", ["issued-before-study"]),
        ("0001-01-01T00:00:00+14:00", ["year", "issued-before-study"]),
    ],
)
def test_flags_a_report_older_than_its_study(small: Vocabulary, issued: str, rules: list[str]) -> None:
    found = losses_of(small, issued=DateTime(issued))

    assert [rule for _, rule, _ in found] == rules


def test_flags_a_comparison_later_than_the_study(small: Vocabulary) -> None:
    report = make_report()
    later: tuple[Comparison[Term], ...] = (
        Comparison("1.2.8", DateTime("2025")),
        Comparison("1.2.9", DateTime("2026-04")),
    )

    coded = code_report(changed(report, study=replace(report.study, comparisons=later)), small)

    assert [(loss.rule, loss.where) for loss in coded.losses] == [
        ("comparison-after-study", "/study/comparisons/1/started")
    ]


def test_a_coded_report_is_a_report_with_terms_resolved(small: Vocabulary) -> None:
    assert isinstance(code_report(make_report(), small), CodedReport)


@given(st.text(min_size=1, max_size=30), st.sampled_from(["finding", "site", "topography", "certainty", "category"]))
def test_any_word_is_coded_or_kept_as_it_is(small: Vocabulary, text: str, member: str) -> None:
    coded = code_report(make_report(make_lesion(**{member: text})), small)

    made = getattr(coded.lesions[0], member)
    assert made.concept is not None or (made.text == text and len(coded.losses) == 1)


def outcome(small: Vocabulary, lesion: Lesion[Term]) -> CodedReport | list[str]:
    """The coded report, or the rules that it is refused by."""
    try:
        return code_report(make_report(lesion), small)
    except Invalid as refused:
        return [problem.rule for problem in refused.problems]


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_any_code_is_known_passed_on_kept_or_refused(small: Vocabulary, system: str, value: str, display: str) -> None:
    found = outcome(small, make_lesion(site=code(system, value, display)))

    if isinstance(found, list):
        assert found == ["code-shape"]
    else:
        site = found.lesions[0].site
        assert site is not None
        assert site.codes or found.losses


@given(st.text(max_size=20), st.decimals(), st.text(max_size=10))
def test_any_number_is_taken_or_refused_by_a_rule(small: Vocabulary, name: str, value: Decimal, unit: str) -> None:
    measurement = Measurement(term(name), value, term(unit), where="/lesions/0/measurements/x")

    found = outcome(small, make_lesion(measurements=(measurement,)))

    assert isinstance(found, CodedReport) or set(found) <= {"unit-missing", "unit-unknown", "unit-kind", "value-range"}


@pytest.mark.parametrize("turn", ["first", "again"])
def test_what_was_met_before_is_held_to_the_same_rules(small: Vocabulary, turn: str) -> None:
    """Field and answer, name and unit are remembered in pairs: the second time nothing but the look-up is left out."""
    if turn == "again":
        code_report(make_report(make_lesion(evaluations=(answer("edema degree", "mild"),))), small)
        code_report(make_report(make_lesion(measurements=(number("long axis", "3", "mm"),))), small)
    twice = tuple(answer("edema degree", "mild", f"/lesions/0/descriptors/edema degree/{place}") for place in (0, 1))
    assert [rule for rule, _ in refused(small, Invalid, evaluations=twice)] == ["one-answer"]
    assert [rule for rule, _ in refused(small, Implausible, measurements=(number("long axis", "-3", "mm"),))] == [
        "value-range"
    ]
    made = coded_lesion(small, evaluations=(answer("edema degree", "mild", "/here"),)).evaluations[0]
    assert (made.where, made.value.where, made.value.concept) == ("/here", "/here", "mild")
