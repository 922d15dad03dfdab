"""The words of rules, held to what a report can say: a rule with a word that none says never takes effect.

A rule compares the key, the codes and the label of a concept (`service.receiving.routing`). What no report can say is
refused; what some report may say still, as a site's own code, is doubted aloud.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from service.coding.resolve import hits
from service.domain.errors import Problem, ReceivingError
from service.receiving.settings import RULE, Receiving, Route

if TYPE_CHECKING:
    from service.coding.lookup import Vocabulary

_FIELDS: Final = {"modality": ("modality",), "site": ("site", "topography"), "procedure": ("procedure",)}
"""The conditions that name concepts, and the fields whose terms they are compared with."""
_CS: Final = re.compile(r"[A-Z0-9 _]{1,16}")
"""A Code String (PS3.5 6.2), as Modality (0008,0060) is one; rules do not tell small letters from capitals."""
_CODE: Final = re.compile(r"[\w.-]+")
"""What a site's own code may look like."""


def doubts(receiving: Receiving, vocabulary: Vocabulary, default_sender: str) -> tuple[Problem, ...]:
    """What may keep rules from ever taking effect, each with its place; raises ReceivingError for what surely does."""
    wrong: list[Problem] = []
    doubted: list[Problem] = []
    conditions = {member: _Condition(vocabulary, member) for member in _FIELDS if _said(receiving, member)}
    senders = tuple(dict.fromkeys((*receiving.sites, default_sender)))
    for number, route in enumerate(receiving.routes):
        for member, condition in conditions.items():
            for word in getattr(route, member):
                problem = condition.doubt(word, f"routes[{number}].{member}")
                if problem is not None:
                    (wrong if condition.is_impossible(word) else doubted).append(problem)
        doubted.extend(_senders(route, senders, f"routes[{number}].sender"))
    if wrong:
        raise ReceivingError(*wrong)
    return tuple(doubted)


def _said(receiving: Receiving, member: str) -> bool:
    return any(getattr(route, member) for route in receiving.routes)


class _Condition:
    """A condition that names concepts, and the names by which reports are compared with it."""

    def __init__(self, vocabulary: Vocabulary, member: str) -> None:
        self._vocabulary, self._member = vocabulary, member
        self._fields = [vocabulary.members[name] for name in _FIELDS[member]]
        keys: set[str] = set()
        for field in self._fields:
            keys |= vocabulary.concepts.keys() if field.values is None else field.values
        self._keys = sorted(keys)
        self._names = {
            name.casefold()
            for key in keys
            for concept in (vocabulary.concepts[key],)
            for name in (key, concept.label, *(coding.code.code for coding in concept.codings))
        }

    def doubt(self, word: str, place: str) -> Problem | None:
        """Why a word may never be met; None for one that names a concept."""
        if word.casefold() in self._names:
            return None
        meant = dict.fromkeys(key for field in self._fields for key, _ in hits(self._vocabulary, word, field))
        if meant:
            why = f"{word!r} is another word for a concept, which a rule names by its key, a code or its label"
            return Problem(place, RULE, why, tuple(meant))
        if self._member == "modality":
            why = f"no modality is called {word!r}: this is met only by a report that has it as a code of its own"
            return Problem(place, RULE, why, tuple(self._modalities()))
        if _CODE.fullmatch(word) and re.search(r"\d", word):
            return None  # a code of a release, which the tables need not have
        near = get_close_matches(re.sub(r"\s+", "-", word.casefold()), self._keys, n=3, cutoff=0.8)
        why = f"no {self._member} is called {word!r}: this is met only by a report that has these words and no concept"
        return Problem(place, RULE, why, tuple(near))

    def is_impossible(self, word: str) -> bool:
        """Whether no report says it: no name that is known, no Code String, and no code of somebody's own."""
        if self._member != "modality" or any(hits(self._vocabulary, word, field) for field in self._fields):
            return False
        return not _CS.fullmatch(word.upper()) and not _CODE.fullmatch(word)

    def _modalities(self) -> Iterator[str]:
        """The codes that are values of Modality (0008,0060), too (PS3.16 CID 29)."""
        for key in self._keys:
            yield from (code.code for code in self._vocabulary.concepts[key].codes if code.system == "DCM")


def _senders(route: Route, known: tuple[str, ...], place: str) -> Iterator[Problem]:
    """Senders that look like one that is known: a report may name any other itself, so what is merely new is none."""
    for word in route.sender:
        near = get_close_matches(word.casefold(), [one.casefold() for one in known], n=1, cutoff=0.7)
        if near and near[0] != word.casefold():
            meant = tuple(one for one in known if one.casefold() == near[0])
            yield Problem(place, RULE, f"no site is called {word!r}, and another one nearly so", meant)
