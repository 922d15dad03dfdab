"""The closed hierarchy against a naive walk."""

from random import Random

import pytest

from service.coding.releases.structure import Cycle, arrange, holds, unpack
from tests.releases import Generated, Site


def _above(parents: list[list[int]], start: int) -> set[int]:
    found: set[int] = set()
    left = list(parents[start])
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left.extend(parents[one])
    return found


@pytest.mark.parametrize("seed", range(5))
def test_ancestors_and_descendants_are_those_of_a_naive_walk(seed: int) -> None:
    random = Random(seed)
    parents = [
        [] if not i else sorted({random.randrange(i) for _ in range(random.randrange(1, 4))}) for i in range(200)
    ]
    order = list(range(200))
    random.shuffle(order)
    at = {old: new for new, old in enumerate(order)}
    mixed = [[at[parent] for parent in parents[old]] for old in order]

    made = arrange(mixed, 7)

    assert sorted(made.numbers) == list(range(7, 207))
    for index in range(200):
        number = made.numbers[index]
        above = {made.numbers[one] for one in _above(mixed, index)}
        assert set(unpack(made.ancestors[number - 7])) == above
        assert all(holds(made.ancestors[number - 7], one) for one in above)
        assert not holds(made.ancestors[number - 7], number)
        runs = unpack(made.runs[number - 7])
        below = {n for first, last in zip(runs[::2], runs[1::2], strict=True) for n in range(first, last + 1)}
        assert below == {made.numbers[other] for other in range(200) if index in _above(mixed, other)}


def test_refuses_a_cycle_below_a_root() -> None:
    with pytest.raises(Cycle):
        arrange([[], [0, 2], [1]], 1)


def test_refuses_a_cycle_without_a_root() -> None:
    with pytest.raises(Cycle):
        arrange([[1], [0]], 1)


def test_subsumption_in_a_release_is_that_of_a_naive_walk(rf2: Generated, loaded: Site) -> None:
    made, releases, random = rf2.made, loaded.releases, Random(2)
    for _ in range(400):
        below = random.randrange(len(made.codes))
        above = _above(made.parents, below) | {below}
        other = random.randrange(len(made.codes))
        for one in (other, random.choice(sorted(above))):
            assert releases.subsumes("SCT", made.codes[one], made.codes[below]) == (one in above)
        assert set(releases.ancestors("SCT", made.codes[below])) == {made.codes[one] for one in above - {below}}


def test_descendants_in_a_release_are_those_of_a_naive_walk(rf2: Generated, loaded: Site) -> None:
    made = rf2.made
    for start in range(0, len(made.codes), 40):
        below = {code for place, code in enumerate(made.codes) if start in _above(made.parents, place)}
        assert set(loaded.releases.descendants("SCT", made.codes[start])) == below
