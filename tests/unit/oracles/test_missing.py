"""What happens when a judge is not there, tried in a pytest of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
SUITE = """
    def test_needs_a_tool(oracle):
        oracle("a-judge-that-nobody-has")

    def test_needs_cases(cases):
        assert cases

    def test_goes_on_with_the_judges_that_are_there(sr_complaints, tmp_path):
        assert sr_complaints([tmp_path / "a.dcm"], only=["ohif", "tid1500reader"]) == []
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    conftest = Path(__file__).parents[2] / "conftest.py"
    pytester.makeconftest(conftest.read_text(encoding="utf-8"))
    pytester.makepyfile(SUITE)
    monkeypatch.setenv("PYTHONPATH", str(conftest.parents[1]))
    monkeypatch.setenv("LESIONBRIDGE_ORACLES", str(pytester.path / "nothing"))
    for variable in ("LESIONBRIDGE_CASES", "LESIONBRIDGE_REFERENCE", "LESIONBRIDGE_REQUIRE_ORACLES"):
        monkeypatch.delenv(variable, raising=False)
    return pytester


@pytest.mark.parametrize("options", [[], ["-n2"]], ids=["alone", "xdist"])
def test_skips_and_counts_by_name_what_is_missing(suite: pytest.Pytester, options: list[str]) -> None:
    result = suite.runpytest_subprocess(*options)

    result.assert_outcomes(skipped=2, passed=1)
    expected = "LESIONBRIDGE_CASES (1), a-judge-that-nobody-has (1), ohif (1), tid1500reader (1)"
    result.stdout.fnmatch_lines([f"not there, and so not asked, with the number of tests: {expected}"])


def test_fails_for_what_is_missing_where_all_is_required(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESIONBRIDGE_REQUIRE_ORACLES", "1")

    result = suite.runpytest_subprocess()

    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 3
    assert "skipped" not in outcomes
