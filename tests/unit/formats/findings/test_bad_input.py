"""Each bad document is refused at its place, for its rule, within bounded work, and never by quoting the patient."""

import tracemalloc
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from service.domain.errors import Invalid, Refused
from service.domain.limits import Limits
from service.formats.findings.read import read
from service.formats.findings.rules import Rule
from service.formats.reading import MOST_PROBLEMS
from tests.bad_input.case import Case
from tests.bad_input.cases import CASES
from tests.bad_input.huge import HUGE, MEGABYTE, Huge
from tests.documents import FULL, as_bytes, make_document

_GUIDE = Path(__file__).parents[4] / "docs" / "findings-json.md"


def refusal(body: bytes, limits: Limits | None = None) -> Refused:
    with pytest.raises(Refused) as refused:
        read(body, default_sender="local", limits=limits or Limits())
    return refused.value


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_refuses_at_the_place_for_the_rule(case: Case) -> None:
    error = refusal(case.body)

    assert {(problem.pointer, problem.rule) for problem in error.problems} == case.expected
    assert type(error) is case.error
    assert not error.retryable
    for problem in error.problems:
        assert problem.detail.endswith((".", "?"))


def test_every_rule_has_a_bad_document() -> None:
    held = {rule for case in CASES for _, rule in case.expected} | {huge.rule for huge in HUGE}
    assert held == {rule.value for rule in Rule}


def test_every_rule_is_explained() -> None:
    refusals = _GUIDE.read_text(encoding="utf-8").partition("## Refusals")[2]
    rows = [line.split("|")[1].strip(" `") for line in refusals.splitlines() if line.startswith("| `")]
    assert rows == [rule.value for rule in Rule]


@pytest.mark.timeout(60)  # guards against a hang: each takes well under a second
@pytest.mark.parametrize("huge", HUGE, ids=[huge.name for huge in HUGE])
def test_refuses_what_is_huge_within_bounded_memory(huge: Huge) -> None:
    body = huge.make()
    tracemalloc.start()
    try:
        error = refusal(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (huge.pointer, huge.rule) in {(problem.pointer, problem.rule) for problem in error.problems}
    assert type(error) is huge.error
    # A few copies of the text and of what is left of it; 50 MB are refused without a single one.
    assert peak < (MEGABYTE if len(body) > Limits().body_bytes else 6 * len(body) + 32 * MEGABYTE)


def test_what_is_right_and_as_large_as_may_be_takes_bounded_memory() -> None:
    document = make_document(lesions=[{"id": f"L{n}", "finding": "brain metastasis"} for n in range(5_000)])
    tracemalloc.start()
    try:
        report = read(as_bytes(document), default_sender="local", limits=Limits())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(report.lesions) == 5_000
    assert peak < 32 * MEGABYTE


def test_a_document_wrong_all_over_gets_a_short_answer() -> None:
    lesions = [{"id": f"L{n}", "finding": None, "x": 1} for n in range(5_000)]
    problems = refusal(as_bytes(make_document(lesions=lesions))).problems
    assert len(problems) == MOST_PROBLEMS + 1
    assert problems[-1].detail.startswith("9900 more problems")


@pytest.mark.parametrize(
    "limit", ["lesions", "items", "points", "term_characters", "text_characters", "digits", "depth"]
)
def test_every_limit_of_the_deployment_holds(limit: str) -> None:
    narrow = {
        "lesions": 1,
        "items": 1,
        "points": 2,
        "term_characters": 3,
        "text_characters": 5,
        "digits": 1,
        "depth": 4,
    }
    error = refusal(as_bytes(FULL), Limits(**{limit: narrow[limit]}))
    assert {problem.rule for problem in error.problems} <= {"limit", "length", "number", "points"}


def test_the_numbers_of_values_and_bytes_are_limits_too() -> None:
    assert refusal(as_bytes(FULL), Limits(values=50)).problems[0].rule == "limit"
    assert refusal(as_bytes(FULL), Limits(body_bytes=50)).status == 413


def test_no_detail_quotes_the_patient() -> None:
    """Whatever is wrong beside them, ids, names, dates and texts of the sender are not in the answer."""
    secret = "Qwrtzpl"
    document = _with_secret(deepcopy(FULL), secret)
    said: list[str] = []
    for wrong in (
        secret,
        f"{secret}^a^b^c^d^e",
        f"{secret}\n{secret}",
        f"{secret}\\",
        secret * 50,
        [secret],
        {"x": secret},
    ):
        for holder, key in _leaves(document):
            kept, holder[key] = holder[key], wrong
            try:
                read(as_bytes(document), default_sender="local", limits=Limits())
            except Invalid as error:
                said += [problem.detail for problem in error.problems]
            holder[key] = kept
    assert len(said) > 500
    assert not [detail for detail in said if secret in detail]


def _with_secret(value: Any, secret: str) -> Any:
    value["patient"] |= {"id": secret, "name": f"{secret}^{secret}", "birthDate": "1961"}
    value["report"] |= {"id": secret, "impression": secret, "findings": secret}
    return value


def _leaves(value: Any) -> list[tuple[Any, Any]]:
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    found = [(value, key) for key, _ in items]
    return found + [leaf for _, item in items if isinstance(item, dict | list) for leaf in _leaves(item)]
