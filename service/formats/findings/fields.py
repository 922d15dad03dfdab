"""The plain members of findings JSON as marshmallow fields.

A field is declared once: `read` holds its rules, ``metadata`` says the same to OpenAPI. Reading goes by `read`, which
knows the pointer and collects every problem; marshmallow's own loading goes the same way.
"""

import re
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from marshmallow import ValidationError
from marshmallow.fields import Field

from service.domain.limits import Limits
from service.domain.quick import interpreted
from service.domain.report import Issuer
from service.domain.times import DateTime
from service.domain.uids import is_uid
from service.formats.findings.rules import Rule
from service.formats.reading import Reading

Reader: TypeAlias = Callable[[Any, str, Reading], Any]
"""Reads a JSON value at a pointer; notes its problems and gives None where there are some."""

LO = 64
"""Characters of a Long String (PS3.5 6.2)."""
SH = 16
"""Characters of a Short String (PS3.5 6.2)."""


@interpreted
class Member(Field[Any]):
    """A member of an object; ``describes`` is what OpenAPI says of every field of the class."""

    describes: ClassVar[dict[str, object]] = {}

    def __init__(
        self,
        description: str = "",
        *,
        example: object = None,
        required: bool = False,
        data_key: str | None = None,
        **says: object,
    ) -> None:
        """Say what the member holds; ``data_key`` is its name in JSON, ``says`` are further JSON Schema keywords."""
        metadata = {**self.describes, **says}
        if description:
            metadata["description"] = description
        if example is not None:
            metadata["examples"] = [example]
        super().__init__(required=required, data_key=data_key, metadata=metadata)

    def read(self, value: Any, where: str, reading: Reading) -> Any:
        """The value for the domain, or None with a problem noted."""
        raise NotImplementedError

    def reader(self) -> Reader:
        """What reads the member; asked for once, when its schema is made."""
        return self.read

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        reading = Reading(Limits())
        made = self.reader()(value, "", reading)
        if reading.found:
            raise ValidationError([f"{problem.pointer} {problem.detail}".strip() for problem in reading.problems])
        return made


def line(value: Any, where: str, reading: Reading, most: int = 0) -> str | None:
    """A string on one line, without white space around; at most ``most`` characters (0: what a term may have)."""
    if type(value) is not str:
        reading.refuse_type(where, value, "a string")
        return None
    limit = most or reading.limits.term_characters
    # White space around is padding in DICOM (PS3.5 6.2) and none of FHIR's business.
    text = value.strip()
    if not text:
        reading.refuse(where, Rule.EMPTY, "Leave out a member that has no value.")
    elif len(text) > limit:
        reading.refuse(where, Rule.LENGTH, f"Give at most {limit} characters.")
    elif not text.isprintable() and len(text.splitlines()) + text.count("\t") > 1:
        reading.refuse(where, Rule.LINE_BREAK, "Write it on one line, without tabs.")
    else:
        return text
    return None


@interpreted
class Line(Member):
    """A string on one line: an id, a name of a thing."""

    describes: ClassVar[dict[str, object]] = {"type": "string", "minLength": 1}

    def __init__(self, description: str, *, most: int = LO, in_dicom: bool = True, **says: Any) -> None:
        """``in_dicom``: it becomes a value of VR LO or SH, where a backslash would part two values (PS3.5 6.2)."""
        super().__init__(description, maxLength=most, **says)
        self.most = most
        self.in_dicom = in_dicom

    def read(self, value: Any, where: str, reading: Reading) -> str | None:
        """The string, white space around it taken away."""
        text = line(value, where, reading, self.most)
        if text is not None and self.in_dicom and "\\" in text:
            reading.refuse(where, Rule.CHARACTER, "Write it without a backslash; DICOM would read two values.")
            return None
        return text


_URN_OID = "urn:oid:"


@interpreted
class Organization(Line):
    """The issuer of an id: a key of the issuer table, or a URI or OID."""

    def read(self, value: Any, where: str, reading: Reading) -> Any:
        """The issuer by its word only; the coding looks it up. What calls itself an OID is one (PS3.5 9.1)."""
        text = super().read(value, where, reading)
        if text is not None and text[: len(_URN_OID)].casefold() == _URN_OID and not is_uid(text[len(_URN_OID) :]):
            reading.refuse(where, Rule.UID, "Behind urn:oid: stands an OID: numbers without leading zeros (PS3.5 9.1).")
            return None
        return None if text is None else Issuer(text)


@interpreted
class Prose(Member):
    """Free text of several lines; line breaks become ``\\n``."""

    describes: ClassVar[dict[str, object]] = {"type": "string", "minLength": 1}

    def read(self, value: Any, where: str, reading: Reading) -> str | None:
        """The text, white space around it taken away."""
        if type(value) is not str:
            reading.refuse_type(where, value, "a string")
            return None
        text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
        if not text:
            reading.refuse(where, Rule.EMPTY, "Leave out a member that has no value.")
        elif len(text) > reading.limits.text_characters:
            reading.refuse(where, Rule.LENGTH, f"Give at most {reading.limits.text_characters} characters.")
        else:
            return text
        return None


UID_PATTERN = r"^[0-2](\.(0|[1-9][0-9]*))+$"


def uid(value: Any, where: str, reading: Reading) -> str | None:
    """A DICOM UID (PS3.5 9.1)."""
    if type(value) is str and is_uid(value):
        return value
    if type(value) is str:
        reading.refuse(where, Rule.UID, "Give a DICOM UID: digits and dots, at most 64 characters, no leading zeros.")
    else:
        reading.refuse_type(where, value, "a DICOM UID as a string")
    return None


@interpreted
class Uid(Member):
    """A DICOM UID."""

    describes: ClassVar[dict[str, object]] = {"type": "string", "pattern": UID_PATTERN, "maxLength": 64}

    def read(self, value: Any, where: str, reading: Reading) -> str | None:
        """The UID as written."""
        return uid(value, where, reading)


class Precision(StrEnum):
    """How exact a time must be."""

    ANY = "any"
    DATE = "date"
    DAY = "day"
    INSTANT = "instant"


_WANTED = {
    Precision.ANY: "a date or a time that exists: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with its zone",
    Precision.DATE: "a date that exists, without time: YYYY-MM-DD, or YYYY-MM or YYYY where no more is known",
    Precision.DAY: "a day that exists, with or without time: YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with its zone",
    Precision.INSTANT: "a day and time that exist, with the zone: YYYY-MM-DDThh:mm:ss+hh:mm",
}


@interpreted
class When(Member):
    """A date, or a date and time, as exact as its ``precision`` asks for."""

    describes: ClassVar[dict[str, object]] = {"type": "string"}

    def __init__(self, description: str, *, precision: Precision = Precision.ANY, **says: Any) -> None:
        """Say how exact it must be; OpenAPI has a name for an instant only."""
        if precision is Precision.INSTANT:
            says["format"] = "date-time"
        super().__init__(description, **says)
        self.precision = precision

    def read(self, value: Any, where: str, reading: Reading) -> DateTime | None:
        """The time as written, calendar and clock held."""
        wanted = _WANTED[self.precision]
        if type(value) is not str:
            reading.refuse_type(where, value, wanted)
            return None
        try:
            made = DateTime(value)
        except ValueError:
            reading.refuse(where, Rule.DATE, f"Give {wanted}.")
            return None
        if (
            (self.precision is Precision.INSTANT and not made.is_instant)
            or (self.precision is Precision.DATE and made.has_time)
            or (self.precision is Precision.DAY and not made.da)
        ):
            reading.refuse(where, Rule.DATE, f"Give {wanted}.")
            return None
        return made


def whole(value: Any, where: str, reading: Reading, least: int, most: int) -> int | None:
    """A whole number from ``least`` to ``most``, written without a point."""
    if type(value) is not int:
        reading.refuse_type(where, value, "a whole number, written without a point or an exponent")
    elif not least <= value <= most:
        reading.refuse(where, Rule.RANGE, f"Give a whole number from {least} to {most}.")
    else:
        return value
    return None


@interpreted
class Whole(Member):
    """A whole number."""

    describes: ClassVar[dict[str, object]] = {"type": "integer"}

    def __init__(self, description: str, *, least: int = 1, most: int = 2**31 - 1, **says: Any) -> None:
        """Bounds are inclusive; an integer of FHIR has 32 bits."""
        super().__init__(description, minimum=least, maximum=most, **says)
        self.least = least
        self.most = most

    def read(self, value: Any, where: str, reading: Reading) -> int | None:
        """The number."""
        return whole(value, where, reading, self.least, self.most)


@interpreted
class Choice(Member):
    """One word of a fixed list."""

    describes: ClassVar[dict[str, object]] = {"type": "string"}

    def __init__(self, description: str, choices: type[StrEnum], **says: Any) -> None:
        """The words are the values of ``choices``."""
        self.choices = {str(choice): choice for choice in choices}
        super().__init__(description, enum=list(self.choices), **says)

    def read(self, value: Any, where: str, reading: Reading) -> StrEnum | None:
        """The member of the enumeration."""
        return choose(value, where, reading, self.choices)


def choose(value: Any, where: str, reading: Reading, choices: dict[str, StrEnum]) -> StrEnum | None:
    """The member of ``choices`` that ``value`` names."""
    if type(value) is str and value in choices:
        return choices[value]
    if type(value) is str:
        reading.refuse(where, Rule.CHOICE, f"Give one of: {', '.join(choices)}.", tuple(choices))
    else:
        reading.refuse_type(where, value, f"one of: {', '.join(choices)}")
    return None


# Language, script and region of RFC 5646 section 2.1: what a radiology text is said to be in.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?")


@interpreted
class Language(Member):
    """A language tag (RFC 5646) of language, script and region; so it is short enough for a Code Value."""

    describes: ClassVar[dict[str, object]] = {"type": "string", "pattern": f"^{_LANGUAGE.pattern}$"}

    def read(self, value: Any, where: str, reading: Reading) -> str | None:
        """The tag as written."""
        if type(value) is str and _LANGUAGE.fullmatch(value):
            return value
        if type(value) is str:
            reading.refuse(where, Rule.LANGUAGE, "Give a language tag of RFC 5646, such as en-US, pl or zh-Hans.")
        else:
            reading.refuse_type(where, value, "a language tag as a string")
        return None


def too_long(value: Collection[object], where: str, reading: Reading, most: int) -> bool:
    """Whether a list has more than ``most`` items; notes the problem."""
    if len(value) <= most:
        return False
    reading.refuse(where, Rule.LIMIT, f"Give at most {most} items; split the report.")
    return True


def objects(read: Reader, value: Any, where: str, reading: Reading, most: int) -> tuple[Any, ...] | None:
    """A list of at most ``most`` objects, each read by ``read``."""
    if type(value) is not list:
        reading.refuse_type(where, value, "a list of objects")
        return None
    if too_long(value, where, reading, most):
        return None
    return tuple([read(item, f"{where}/{index}", reading) for index, item in enumerate(value)])
