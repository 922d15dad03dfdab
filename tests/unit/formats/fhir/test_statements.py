"""What the report says beyond its lesions."""

from tests.fhir_bundles import Json, lesions, only, resources, target, written
from tests.report_set import REPORTS
from tests.report_terms import ABSCESS, BRAIN_METASTASIS, GLIOBLASTOMA, HEMORRHAGE, MIDLINE_SHIFT
from tests.reports import make_coded_report


def beyond(bundle: Json) -> list[Json]:
    results = [target(bundle, item) for item in only(bundle, "DiagnosticReport")["result"]]
    return [item for item in results if "focus" not in item]


def test_impression_and_conclusions_are_the_reports_own() -> None:
    report = only(written(REPORTS["rich"]()), "DiagnosticReport")

    assert report["conclusion"] == "Three new brain metastases."
    assert [item["text"] for item in report["conclusionCode"]] == ["brain metastasis", "treat again"]
    assert report["language"] == "de-DE"


def test_findings_text_is_an_observation_word_for_word() -> None:
    (text,) = (item["valueString"] for item in beyond(written(REPORTS["rich"]())) if "valueString" in item)

    assert text == "Seven enhancing lesions.\n\nNo <b>midline</b> shift & no haemorrhage."


def test_a_negative_finding_is_the_question_and_absent_the_answer() -> None:
    bundle = written(make_coded_report(negatives=(HEMORRHAGE, MIDLINE_SHIFT)))

    first, second = beyond(bundle)

    assert [coding["code"] for coding in first["code"]["coding"]] == [code.code for code in HEMORRHAGE.codes]
    assert second["code"] == {"text": "midline shift"}
    for negative in (first, second):
        assert negative["valueCodeableConcept"]["text"] == "absent"
        assert negative["valueCodeableConcept"]["coding"][0]["code"] == "2667000"


def test_a_finding_that_is_absent_is_never_a_value() -> None:
    bundle = written(make_coded_report(lesions=(), negatives=(BRAIN_METASTASIS,)))

    values = [item.get("valueCodeableConcept", {}).get("text") for item in resources(bundle, "Observation")]

    assert values == ["absent"]
    assert lesions(bundle) == []


def test_the_differential_keeps_its_order() -> None:
    bundle = written(make_coded_report(differential=(GLIOBLASTOMA, ABSCESS)))

    (differential,) = beyond(bundle)

    assert [item["valueCodeableConcept"]["text"] for item in differential["component"]] == [
        "glioblastoma",
        "cerebral abscess",
    ]
    assert "valueCodeableConcept" not in differential


def test_each_technique_procedure_and_evaluation_of_the_report_is_a_result() -> None:
    answers = {
        item["valueCodeableConcept"]["text"]
        for item in beyond(written(REPORTS["rich"]()))
        if "valueCodeableConcept" in item
    }

    assert answers == {
        "complete response",
        "subtraction imaging",
        "diffusion-weighted imaging",
        "whole spine survey, house protocol 7",
        "absent",
    }


def test_a_report_of_nothing_has_no_results() -> None:
    bundle = written(make_coded_report(lesions=()))

    assert resources(bundle, "Observation") == []
    assert "result" not in only(bundle, "DiagnosticReport")
