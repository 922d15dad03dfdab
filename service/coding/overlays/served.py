"""A site's overlays as concept maps: their local codes, each with the concept it means and that concept's codes.

Words have no code system, so they are in no map; how a report's words are coded is told by its receipt.
"""

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from service.coding.lookup import Vocabulary
from service.coding.overlays.layers import Layer
from service.coding.overlays.overlay import Entry, Meaning
from service.coding.overlays.rows import EVERYONE, NO_MAP
from service.coding.server.answers import Relationship
from service.coding.server.maps import Group, Map, Row, seen_from_concept
from service.domain.codes import LOCAL_SCHEME

_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,56}")
"""What may stand in an id of FHIR, less the words before it (R4 datatypes.html#id)."""


def overlay_maps(layers: Callable[[], Sequence[Layer]], vocabulary: Vocabulary) -> Callable[[], tuple[Map, ...]]:
    """What gives a map for each sender that has local codes, and one for everyone.

    A sender's own answers only where it is named: other senders may mean something else by the same code.
    """
    made: list[tuple[tuple[Layer, ...], tuple[Map, ...]]] = [((), ())]

    def maps() -> tuple[Map, ...]:
        now = tuple(layers())
        before, known = made[0]
        if now != before:
            known = _maps(now, vocabulary)
            made[0] = now, known
        return known

    return maps


def _maps(layers: Sequence[Layer], vocabulary: Vocabulary) -> tuple[Map, ...]:
    entries: dict[str, dict[tuple[str, str, str], Entry]] = {}
    versions: dict[str, int] = {}
    # As they are asked: uploaded before mounted, and the first of two rows for one code counts.
    for one in sorted(layers, key=lambda layer: not layer.text.version):
        for entry in one.entries:
            row = entry.row
            if row.system and (entry.meaning is not None or row.relationship == NO_MAP):
                sender = row.sender or one.text.sender
                versions[sender] = max(versions.get(sender, 0), one.text.version)
                place = (row.field, vocabulary.designator(row.system) or row.system, row.code)
                entries.setdefault(sender, {}).setdefault(place, entry)
    return tuple(
        _map(sender, tuple(entries[sender].values()), versions[sender], vocabulary) for sender in sorted(entries)
    )


def _map(sender: str, entries: Sequence[Entry], version: int, vocabulary: Vocabulary) -> Map:
    key = sender if _ID.fullmatch(sender) else sha256(sender.encode()).hexdigest()[:16]
    title = "The site's codes" + ("" if sender == EVERYONE else f" of the sender {sender}")
    made = Map(f"overlay-{key}", title, lambda: _groups(entries, vocabulary))
    made.version = str(version)
    if sender != EVERYONE:
        made.only_named, made.sender = True, sender
    return made


def _groups(entries: Sequence[Entry], vocabulary: Vocabulary) -> tuple[Group, ...]:
    found: dict[tuple[str, str], list[Row]] = {}
    for entry in entries:
        row, comment = entry.row, " ".join(filter(None, (_where(entry), entry.row.comment)))
        source = _uri(vocabulary, vocabulary.designator(row.system) or row.system)
        if entry.meaning is None:
            why = f"Decided: it stays text. {comment}".strip()
            none = Row(row.code, row.term, "", "", Relationship.NONE, why)
            found.setdefault((source, _uri(vocabulary, LOCAL_SCHEME)), []).append(none)
        for system, code, display, relationship in _targets(entry.meaning, vocabulary):
            target = Row(row.code, row.term, code, display, relationship, comment)
            found.setdefault((source, _uri(vocabulary, system)), []).append(target)
    return tuple(Group(source, target, tuple(rows)) for (source, target), rows in found.items())


def _where(entry: Entry) -> str:
    return f"In the field {entry.row.field}." if entry.row.field else ""


def _targets(meaning: Meaning | None, vocabulary: Vocabulary) -> list[tuple[str, str, str, Relationship]]:
    """Each code that a row leads to: of a concept its key and what is emitted for it."""
    if meaning is None:
        return []
    equal = Relationship.BROADER if meaning.broader else Relationship.EQUIVALENT
    if meaning.concept is None:
        code = meaning.code
        return [] if code is None else [(code.system, code.code, code.display, equal)]
    concept = vocabulary.concepts[meaning.concept]
    made = [(LOCAL_SCHEME, concept.key, concept.label, equal)]
    for coding in concept.codings:
        if coding.code in concept.codes and not coding.part:
            # A class that several concepts share (ICD) means none of them.
            shared = seen_from_concept(vocabulary, coding) is not Relationship.EQUIVALENT
            code = coding.code
            made.append((code.system, code.code, code.display, Relationship.RELATED if shared else equal))
    if not concept.codes and concept.broader is not None:
        made.append((concept.broader.system, concept.broader.code, concept.broader.display, Relationship.BROADER))
    return made


def _uri(vocabulary: Vocabulary, system: str) -> str:
    known = vocabulary.systems.get(system)
    return known.uri if known is not None else system
