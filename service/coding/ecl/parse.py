"""The brief syntax read: operators, AND, OR, MINUS, parentheses, refinements with groups and cardinality, dots.

What the grammar has beside that is refused by name: concrete values, filters and history supplements in double braces,
alternate identifiers, top and bottom, fields of a reference set. As in the grammar AND and OR stand together only with
parentheses, and MINUS has two operands.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple, NoReturn

from service.coding.ecl.syntax import (
    AllOf,
    Anything,
    Dotted,
    EclLimits,
    Every,
    Expression,
    HasAttribute,
    HasGroup,
    Member,
    OneOf,
    Operator,
    Reference,
    Refined,
    Refinement,
    Related,
    Some,
    Times,
    Without,
)
from service.domain.errors import Invalid

RULE: Final = "ecl"
NOT_READ: Final = "not-supported"
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+|/\*(?:[^*]|\*(?!/))*+\*/)"
    r"|(?P<term>\|[^|]*+\|)"
    r"|(?P<number>[0-9]++)"
    r"|(?P<word>[A-Za-z][A-Za-z_-]*+)"
    r"|(?P<sign>!!>|!!<|<<!|>>!|<<|>>|<!|>!|<=|>=|!=|\{\{|\}\}|\.\.|[<>^*(){}\[\]:,.=#\"+])"
    r"|(?P<other>.)",
    re.DOTALL,
)
_SCTID = re.compile(r"[1-9][0-9]{5,17}")
_CARDINALITY: Final = 9  # digits, at most
_REFUSED: Final = {
    "{{": "filters and history supplements in double braces are not read",
    "!!>": "top (!!>) is not read",
    "!!<": "bottom (!!<) is not read",
    "#": "concrete values are not read, nor alternate identifiers",
    '"': "concrete values are not read, nor alternate identifiers",
    "<=": "concrete values are not read, so values are compared with = and != only",
    ">=": "concrete values are not read, so values are compared with = and != only",
}


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str, limits: EclLimits | None = None) -> Expression:
    """The expression that a text says; raises Invalid with the character where it stops being one."""
    limits = limits or EclLimits()
    if len(text) > limits.characters:
        raise Invalid.at("", "limit", f"an expression has at most {limits.characters} characters here")
    return _Reader(text, limits.depth).whole()


class _Reader:
    """A cursor over the tokens of one text."""

    def __init__(self, text: str, depth: int) -> None:
        self._tokens = _tokens(text)
        self._next = 0
        self._end = len(text)
        self._depth = depth

    def whole(self) -> Expression:
        """Every of the text as one expression."""
        made = self._expression()
        if self._token is not None:
            self._fail("an operator, or the end")
        return made

    @property
    def _token(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _fail(self, wanted: str) -> NoReturn:
        token = self._token
        at = self._end if token is None else token.at
        if token is not None and token.text in _REFUSED:
            raise Invalid.at(f"character {at + 1}", NOT_READ, f"ECL: {_REFUSED[token.text]}")
        found = "the end" if token is None else repr(token.text[:20])
        raise Invalid.at(f"character {at + 1}", RULE, f"ECL: {wanted} is wanted at character {at + 1}, not {found}")

    def _sees(self, *texts: str) -> bool:
        token = self._token
        return token is not None and token.kind != "term" and token.text.upper() in texts

    def _takes(self, *texts: str) -> bool:
        if not self._sees(*texts):
            return False
        self._next += 1
        return True

    def _wants(self, text: str) -> None:
        if not self._takes(text):
            self._fail(text)

    def _enter(self) -> None:
        self._depth -= 1
        if self._depth < 0:
            raise Invalid.at("", "limit", "ECL: the parentheses and operators are nested too deeply")

    def _expression(self) -> Expression:
        self._enter()
        first = self._sub()
        made: Expression
        if self._takes(":"):
            made = Refined(first, self._refinement(self._part))
        elif self._sees("."):
            made = first
            while self._takes("."):
                made = Dotted(made, self._sub())
        elif self._sees("AND", ","):
            made = Every((first, *self._more(("AND", ","))))
        elif self._sees("OR"):
            made = Some((first, *self._more(("OR",))))
        elif self._takes("MINUS"):
            made = Without(first, self._sub())
        else:
            made = first
        if self._sees("AND", ",", "OR", "MINUS", ":", ".") and made is not first:
            self._fail("parentheses around what belongs together")
        self._depth += 1
        return made

    def _more(self, operators: tuple[str, ...]) -> list[Expression]:
        found = []
        while self._takes(*operators):
            found.append(self._sub())
        return found

    def _sub(self) -> Expression:
        """A focus concept or parentheses, with the operators before it."""
        self._enter()
        made = self._operated()
        if self._sees("{{"):
            self._fail("an operator")
        self._depth += 1
        return made

    def _operated(self) -> Expression:
        for operator in Operator:
            if self._takes(operator.value):
                if self._sees(*Operator):
                    self._fail("a concept")
                return Related(operator, self._sub())
        if self._takes("^"):
            if self._sees("["):
                raise Invalid.at("", NOT_READ, "ECL: fields of a reference set are not read")
            if self._sees("^", *Operator):
                self._fail("a reference set")
            return Member(self._sub())
        if self._takes("("):
            inside = self._expression()
            self._wants(")")
            return inside
        if self._takes("*"):
            return Anything()
        token = self._token
        if token is None or token.kind != "number":
            self._fail("a concept")
        if _SCTID.fullmatch(token.text) is None:
            self._fail("a SNOMED CT id of 6 to 18 digits")
        self._next += 1
        term = self._token
        if term is not None and term.kind == "term":
            self._next += 1
        return Reference(token.text)

    def _refinement(self, part: Callable[[], Refinement]) -> Refinement:
        """Parts joined by AND or by OR."""
        self._enter()
        first = part()
        made = first
        for operators, kind in ((("AND", ","), AllOf), (("OR",), OneOf)):
            if made is first and self._sees(*operators):
                parts = [first]
                while self._takes(*operators):
                    parts.append(part())
                made = kind(tuple(parts))
        if self._sees("AND", ",", "OR"):
            self._fail("parentheses around what belongs together")
        self._depth += 1
        return made

    def _part(self) -> Refinement:
        """An attribute, a group of them, or either in parentheses."""
        mark = self._next
        times = self._times()
        if self._takes("{"):
            group = HasGroup(self._refinement(self._ungrouped), times)
            self._wants("}")
            return group
        self._next = mark
        return self._bracketed(self._part) or self._attribute()

    def _ungrouped(self) -> Refinement:
        """What may stand in a group: no group."""
        return self._bracketed(self._ungrouped) or self._attribute()

    def _bracketed(self, part: Callable[[], Refinement]) -> Refinement | None:
        """A refinement in parentheses; None where the parentheses hold the name of an attribute."""
        mark, depth = self._next, self._depth
        if not self._takes("("):
            return None
        if self._is_name():
            self._next = mark
            return None
        inside = self._refinement(part)
        self._wants(")")
        self._depth = depth
        return inside

    def _is_name(self) -> bool:
        """Whether the parentheses just opened are followed by a comparison: then they are an attribute's name."""
        depth, ahead = 1, self._next
        while ahead < len(self._tokens) and depth:
            text = self._tokens[ahead].text
            depth += (text == "(") - (text == ")")
            ahead += 1
        return ahead < len(self._tokens) and self._tokens[ahead].text in ("=", "!=", "<=", ">=")

    def _attribute(self) -> HasAttribute:
        times = self._times()
        reverse = self._takes("R")
        name = self._sub()
        equal = not self._sees("!=")
        if not self._takes("=", "!="):
            self._fail("= or !=")
        if self._sees("TRUE", "FALSE", "+") or (self._sees("(") and self._opens_text()):
            raise Invalid.at("", NOT_READ, "ECL: concrete values are not read, nor alternate identifiers")
        return HasAttribute(name, self._sub(), equal, reverse, times)

    def _opens_text(self) -> bool:
        return self._next + 1 < len(self._tokens) and self._tokens[self._next + 1].text == '"'

    def _times(self) -> Times:
        if not self._takes("["):
            return Times()
        least = self._count()
        self._wants("..")
        most = None if self._takes("*") else self._count()
        self._wants("]")
        if most is not None and most < least:
            raise Invalid.at("", RULE, f"ECL: no number is at least {least} and at most {most}")
        return Times(least, most)

    def _count(self) -> int:
        token = self._token
        if token is None or token.kind != "number" or len(token.text) > _CARDINALITY:
            self._fail("a number")
        self._next += 1
        return int(token.text)


def _tokens(text: str) -> list[_Token]:
    """The tokens without spaces and comments."""
    matches = _TOKEN.finditer(text)
    return [_Token(str(one.lastgroup), one[0], one.start()) for one in matches if one.lastgroup != "space"]
