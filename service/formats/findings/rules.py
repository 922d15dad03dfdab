"""The rules of findings JSON by name: what a refusal gives as ``rule``, and what docs/findings-json.md explains."""

from enum import StrEnum

from service.formats.reading import TextRule


class Rule(StrEnum):
    """Why a document, or a member of it, is refused."""

    # The text: service/formats/jsontext.py
    JSON = TextRule.JSON.value
    UTF8 = TextRule.UTF8.value
    DUPLICATE_MEMBER = TextRule.DUPLICATE_MEMBER.value
    CHARACTER = TextRule.CHARACTER.value
    NUMBER = TextRule.NUMBER.value
    LIMIT = TextRule.LIMIT.value
    # Any member
    TYPE = TextRule.TYPE.value
    NULL = TextRule.NULL.value
    REQUIRED = "required"
    UNKNOWN_MEMBER = "unknown-member"
    EMPTY = "empty"
    LINE_BREAK = "line-break"
    LENGTH = "length"
    CHOICE = "choice"
    RANGE = "range"
    UID = "uid"
    DATE = "date"
    LANGUAGE = "language"
    NAME = "name"
    EITHER_OR = "either-or"
    # Measurements and coordinates
    UNIT_MISSING = "unit-missing"
    UNIT_TWICE = "unit-twice"
    DECIMAL_COMMA = "decimal-comma"
    MEASUREMENT = "measurement"
    POINTS = "points"
    SHAPE = "shape"
    COORDINATE = "coordinate"
    FRAME = "frame"
    SOP_CLASS = "sop-class"
    # Across members
    DUPLICATE_ID = "duplicate-id"
    IMAGE = "image"
    VERIFIED = "verified"
    EMPTY_REPORT = "empty-report"
