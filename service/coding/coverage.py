"""How far the vocabulary reaches: by group, how many concepts have which codes and labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from service.coding.labels import labels, languages
from service.coding.lookup import Vocabulary
from service.domain.codes import Concept

SYSTEMS: Final = ("SCT", "RADLEX", "LN", "DCM", "I10C")
"""The code systems that have a column of their own."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One group: numbers of its concepts. ``exact`` by system, ``labels`` by language; ``coded``: any exact code."""

    group: str
    concepts: int
    coded: int
    exact: Mapping[str, int]
    broader: int
    text: int
    labels: Mapping[str, int]
    reviewed: Mapping[str, int]


def coverage(vocabulary: Vocabulary) -> Iterator[Coverage]:
    """The coverage of each group in table order, then of all of them under an empty name."""
    groups: dict[str, list[Concept]] = {}
    for concept in vocabulary.concepts.values():
        groups.setdefault(concept.group, []).append(concept)
    for group, concepts in groups.items():
        yield _of(group, concepts)
    yield _of("", list(vocabulary.concepts.values()))


def _of(group: str, concepts: list[Concept]) -> Coverage:
    """The numbers of some concepts."""
    keys = {concept.key for concept in concepts}
    spoken = {language: labels(language) for language in languages()}
    return Coverage(
        group,
        len(concepts),
        sum(bool(concept.codes) for concept in concepts),
        {name: sum(any(c.system == name for c in concept.codes) for concept in concepts) for name in SYSTEMS},
        sum(concept.broader is not None for concept in concepts),
        sum(not concept.codes and concept.broader is None for concept in concepts),
        {language: len(keys & words.keys()) for language, words in spoken.items()},
        {language: sum(words[key].verified for key in keys & words.keys()) for language, words in spoken.items()},
    )
