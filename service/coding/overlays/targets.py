"""What an overlay row leads to: a concept, a standard code, or another local code that leads further."""

from collections.abc import Iterable

from service.coding.checks import EQUIVALENT
from service.coding.index import EVERYWHERE
from service.coding.lookup import Vocabulary
from service.coding.overlays.overlay import Meaning, system_of
from service.coding.overlays.rows import APPLIED, Faults, OverlayRow
from service.coding.retired import retired
from service.coding.rows import Field
from service.coding.shapes import meaning_fault, shape_fault
from service.domain.codes import LOCAL_SCHEME, Code


class Targets:
    """Follows the targets of one overlay."""

    __slots__ = ("_rows", "_vocabulary")

    def __init__(self, rows: Iterable[OverlayRow], vocabulary: Vocabulary) -> None:
        """Take the rows, since a target may be a local code of another one."""
        self._vocabulary = vocabulary
        self._rows: dict[tuple[str, str, str, str], OverlayRow] = {}
        for row in rows:
            if row.system:
                place = (row.sender, row.field, system_of(vocabulary, row.system), row.code)
                self._rows.setdefault(place, row)

    def meaning(self, row: OverlayRow, field: Field, faults: Faults) -> Meaning | None:
        """The meaning of a row in its field; None where it leads nowhere, which ``faults`` then says."""
        at, seen, broader = row, {id(row)}, row.relationship != EQUIVALENT
        while not at.concept:
            following = self._next(at)
            if following is None:
                return self._code(row, at, field, broader, faults)
            if id(following) in seen:
                faults.refuse(row.where, "overlay-cycle", f"{row.code or row.term!r} leads in a circle")
                return None
            if following.relationship not in APPLIED:
                why = f"leads over {following.where}, whose relationship is {following.relationship}"
                faults.refuse(row.where, "overlay-target", f"{row.code or row.term!r} {why}")
                return None
            seen.add(id(following))
            broader = broader or following.relationship != EQUIVALENT
            at = following
        return self._concept(row, at.concept, field, broader, faults)

    def _next(self, row: OverlayRow) -> OverlayRow | None:
        """The row whose local code is this row's target: its own sender's before everyone's, its field before all."""
        system = system_of(self._vocabulary, row.target_system)
        for sender in dict.fromkeys((row.sender, "")):
            for field in dict.fromkeys((row.field, EVERYWHERE)):
                found = self._rows.get((sender, field, system, row.target_code))
                if found is not None:
                    return found
        return None

    def _concept(self, row: OverlayRow, key: str, field: Field, broader: bool, faults: Faults) -> Meaning | None:
        """A concept that is there, and that the field takes."""
        if key not in self._vocabulary.concepts:
            faults.refuse(row.where, "overlay-target", f"there is no concept {key!r}", self._keys_near(key, field))
            return None
        if field.values is not None and key not in field.values:
            places = self._vocabulary.places(key)
            faults.refuse(row.where, "overlay-target", f"{key} is no value of {field.key}", places)
            return None
        return Meaning(key, None, broader)

    def _keys_near(self, key: str, field: Field) -> tuple[str, ...]:
        """Keys of concepts that may be meant: a row names a concept by its key, not by its label."""
        concepts = self._vocabulary.concepts
        values = field.values if field.values is not None else concepts.keys()
        keys = {concepts[one].label: one for one in sorted(values)}
        near = self._vocabulary.suggest(key.replace("-", " "), field.key)
        return tuple(keys[label] for label in near if label in keys)

    def _code(self, row: OverlayRow, at: OverlayRow, field: Field, broader: bool, faults: Faults) -> Meaning | None:
        """A code of a known system: as the concept that has it, else as itself."""
        vocabulary = self._vocabulary
        system = vocabulary.designator(at.target_system)
        if system is None or system == LOCAL_SCHEME:
            why = "is no concept" if system else "is of no code system known here, and no row maps it on"
            faults.refuse(row.where, "overlay-target", f"{at.target_system} {at.target_code} {why}")
            return None
        code = Code(system, at.target_code, at.target_display)
        went = retired(code, vocabulary.releases)
        if went is not None:
            near = (went.code,) if went.code is not None else went.candidates
            labels = tuple(f"{one.system} {one.code} {one.display}".strip() for one in near)
            faults.refuse(row.where, "overlay-retired", f"{system} {code.code} is retired", labels)
            return None
        wanted = shape_fault(system, code.code)
        if wanted is not None:
            faults.refuse(row.where, "overlay-target", f"{code.code!r} is no code of {system}: wanted {wanted}")
            return None
        exact = vocabulary.meant_by(system, code.code)
        inside = [key for key in exact if field.values is None or key in field.values]
        if len(inside) == 1:
            return Meaning(inside[0], None, broader)
        fault = None
        if inside:
            fault = "is several concepts here; name the concept"
        elif exact:
            fault = f"is no value of {field.key}"
        elif field.required:
            fault = f"is no value of {field.key}, which takes its own values only"
        elif not row.field:
            fault = "is no concept here: say the field that it is for"
        elif (wrong := meaning_fault(code.display)) is not None:
            fault = f"has no usable target_display: {wrong}"
        if fault is not None:
            labels = tuple(vocabulary.concepts[key].label for key in inside or exact)
            faults.refuse(row.where, "overlay-target", f"{system} {code.code} {fault}", labels)
            return None
        return Meaning(None, code, broader)
