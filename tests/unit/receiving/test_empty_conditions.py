"""A condition without a value is none, and its rule that of every report: it is refused."""

from pathlib import Path

import pytest

from service.domain.errors import ReceivingError
from service.receiving.settings import Receiving, load


def loaded(folder: Path, member: str) -> Receiving:
    file = folder / "receiving.toml"
    file.write_text(f'[[routes]]\nname = "trial"\ndeliver = []\n{member}', encoding="utf-8")
    return load(str(file), {})


@pytest.mark.parametrize("member", ["sender", "modality", "site", "procedure", "status", "source"])
def test_a_condition_without_a_value_is_refused(tmp_path: Path, member: str) -> None:
    with pytest.raises(ReceivingError) as refused:
        loaded(tmp_path, f"{member} = []")
    assert [problem.pointer for problem in refused.value.problems] == [f"routes[0].{member}"]


def test_a_rule_that_goes_nowhere_and_has_no_condition_is_one(tmp_path: Path) -> None:
    assert [route.name for route in loaded(tmp_path, "").routes] == ["trial"]
