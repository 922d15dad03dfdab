"""Terms: a word, or a code with its system; and the descriptors: terms in fields that are terms themselves."""

from typing import Any, ClassVar

from service.domain.codes import Code, Term
from service.domain.quick import interpreted
from service.domain.report import Evaluation
from service.formats.findings.fields import Member, line, too_long
from service.formats.findings.members import refuse_member
from service.formats.findings.rules import Rule
from service.formats.reading import Reading, member

WORD: dict[str, object] = {"type": "string", "minLength": 1, "maxLength": 256}
CODE: dict[str, object] = {
    "type": "object",
    "properties": {
        "system": {
            **WORD,
            "description": "The code system: DICOM's designator (SCT, RADLEX, LN, DCM), its URI or its OID.",
        },
        "code": {**WORD, "description": "The code as the system writes it."},
        "display": {**WORD, "description": "Its meaning in words. It goes along, and never decides anything."},
    },
    "required": ["system", "code"],
    "additionalProperties": False,
}
TERM: dict[str, object] = {
    "anyOf": [WORD, CODE],
    "description": "A word, a key of the vocabulary or a local code, which is looked up; or a code with its system.",
}
TERMS: dict[str, object] = {"anyOf": [WORD, CODE, {"type": "array", "items": {"anyOf": [WORD, CODE]}}]}

_CODE_MEMBERS = ("system", "code", "display")


def term(value: Any, where: str, reading: Reading) -> Term | None:
    """A term as the sender said it; nothing is looked up here."""
    if type(value) is str:
        # The quick way for nearly all of them; `line` says what is wrong with the others.
        if value in reading.words:
            return Term(value, None, where)
        if value.isprintable() and value == value.strip() and 0 < len(value) <= reading.limits.term_characters:
            reading.words.add(value)
            return Term(value, None, where)
        text = line(value, where, reading)
        return None if text is None else Term(text, None, where)
    if type(value) is not dict:
        reading.refuse_type(where, value, 'a word, or {"system", "code", "display"}')
        return None
    before = reading.found
    said: dict[str, str | None] = {}
    for name, item in value.items():
        if name in _CODE_MEMBERS:
            said[name] = line(item, f"{where}/{name}", reading)
        else:
            refuse_member(name, where, reading, dict.fromkeys(_CODE_MEMBERS))
    for name in ("system", "code"):
        if name not in said:
            reading.refuse(f"{where}/{name}", Rule.REQUIRED, "Give the system and the code, or the word alone.")
    if reading.found != before:
        return None
    system, code, display = (said.get(name) or "" for name in _CODE_MEMBERS)
    return Term(display, Code(system, code, display), where)


def terms(value: Any, where: str, reading: Reading) -> tuple[Term, ...] | None:
    """One term or a list of them, in order; a comma in a word parts nothing."""
    if type(value) is not list:
        one = term(value, where, reading)
        return None if one is None else (one,)
    if too_long(value, where, reading, reading.limits.items):
        return None
    made = [term(item, f"{where}/{index}", reading) for index, item in enumerate(value)]
    return tuple([item for item in made if item is not None])


@interpreted
class TermMember(Member):
    """One term."""

    describes: ClassVar[dict[str, object]] = {"anyOf": [WORD, CODE]}

    def read(self, value: Any, where: str, reading: Reading) -> Term | None:
        """The term as said."""
        return term(value, where, reading)


@interpreted
class TermsMember(Member):
    """One term or a list of them; ``least`` is 1 where something must be said."""

    describes: ClassVar[dict[str, object]] = TERMS

    def __init__(self, description: str, *, least: int = 0, **says: Any) -> None:
        """``least`` holds for the list."""
        super().__init__(description, **says)
        self.least = least

    def read(self, value: Any, where: str, reading: Reading) -> tuple[Term, ...] | None:
        """The terms as said, in order."""
        made = terms(value, where, reading)
        if made is not None and len(made) < self.least and value == []:
            reading.refuse(where, Rule.EMPTY, "Give at least one term.")
        return made


def field_name(name: str, where: str, reading: Reading) -> str | None:
    """The place of a member whose name is itself a term, or None when the name is no term."""
    token = reading.tokens.get(name)
    if token is not None:
        return where + token
    if name.isprintable() and name == name.strip() and 0 < len(name) <= reading.limits.term_characters:
        reading.tokens[name] = token = member("", name)
        return where + token
    if len(name) > reading.limits.term_characters:
        # Such a name would make the pointer as long as the sender likes.
        reading.refuse(where, Rule.LENGTH, f"A name has at most {reading.limits.term_characters} characters.")
    else:
        place = member(where, name)
        if line(name, place, reading) is not None:
            reading.refuse(place, Rule.EMPTY, "Write the name without white space around it.")
    return None


_ITEM: dict[str, object] = {
    "type": "object",
    "properties": {"field": TERM, "value": TERM},
    "required": ["field", "value"],
    "additionalProperties": False,
}


@interpreted
class Descriptors(Member):
    """An object from fields to their answers, a list where there are several; or a list of fields with answers."""

    describes: ClassVar[dict[str, object]] = {
        "anyOf": [{"type": "object", "additionalProperties": TERMS}, {"type": "array", "items": _ITEM}]
    }

    def read(self, value: Any, where: str, reading: Reading) -> tuple[Evaluation[Term], ...] | None:
        """One evaluation an answer, in the order they came."""
        if type(value) not in (dict, list):
            reading.refuse_type(where, value, "an object from fields to terms")
            return None
        if too_long(value, where, reading, reading.limits.items):
            return None
        if type(value) is list:
            found = [_evaluation(item, f"{where}/{index}", reading) for index, item in enumerate(value)]
            return tuple([item for item in found if item is not None])
        made: list[Evaluation[Term]] = []
        tokens, words = reading.tokens, reading.words
        for name, item in value.items():
            token = tokens.get(name)
            place = where + token if token is not None else field_name(name, where, reading)
            if place is None:
                continue
            field = Term(name, None, place)
            if type(item) is str and item in words:
                made.append(Evaluation(field, Term(item, None, place), "", place))
            elif type(item) is list:
                answers = terms(item, place, reading)
                if not item:
                    reading.refuse(place, Rule.EMPTY, "Leave out a field that has no answer.")
                made.extend([Evaluation(field, answer, "", answer.where) for answer in answers or ()])
            else:
                answer = term(item, place, reading)
                if answer is not None:
                    made.append(Evaluation(field, answer, "", place))
        return tuple(made)


def _evaluation(value: Any, where: str, reading: Reading) -> Evaluation[Term] | None:
    """One field with its answer, by members: the way for a field that is a code."""
    if type(value) is not dict:
        reading.refuse_type(where, value, "an object with field and value")
        return None
    said: dict[str, Term | None] = {}
    for name, item in value.items():
        if name in ("field", "value"):
            said[name] = term(item, f"{where}/{name}", reading)
        else:
            refuse_member(name, where, reading, {"field": 0, "value": 0})
    for name in ("field", "value"):
        if name not in said:
            reading.refuse(f"{where}/{name}", Rule.REQUIRED, "Give the field and its answer.")
    field, answer = said.get("field"), said.get("value")
    return None if field is None or answer is None else Evaluation(field, answer, "", where)
