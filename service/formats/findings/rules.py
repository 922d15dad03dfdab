"""The rules of findings JSON by name: what a refusal gives as ``rule``, and what docs/findings-json.md explains."""

from enum import StrEnum


class Rule(StrEnum):
    """Why a document, or a member of it, is refused."""

    # The text: service/formats/findings/jsontext.py
    JSON = "json"
    UTF8 = "utf-8"
    DUPLICATE_MEMBER = "duplicate-member"
    CHARACTER = "character"
    NUMBER = "number"
    LIMIT = "limit"
    # Any member
    TYPE = "type"
    NULL = "null"
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
    COORDINATE = "coordinate"
    FRAME = "frame"
    # Across members
    DUPLICATE_ID = "duplicate-id"
    IMAGE = "image"
    VERIFIED = "verified"
    EMPTY_REPORT = "empty-report"
