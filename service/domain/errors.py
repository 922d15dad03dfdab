"""The one error tree, named for what the caller can do.

LesionBridgeError
    Refused                 the request can't be taken as it is; mend it (pointer, rule), then send it again
        Unreadable          the bytes are not what they say they are (400)
        TooLarge            a limit of the deployment is passed (413)
        UnsupportedMedia    no reader for this Content-Type (415)
        NotAcceptable       no writer for this Accept (406)
        Invalid             the content breaks the contract (422): one problem or many
            UnknownTerm     no concept, where the field must be coded
            AmbiguousTerm   several concepts; says which
            Contradiction   two members can't both be true
            Implausible     no such thing can be measured
        KeyReused           an Idempotency-Key came with another body (422)
        Unauthenticated     who asks did not say who it is, or not so that it can be believed (401)
        Forbidden           who asks may not do this (403)
    Conflict                the same report id and version with other content (409)
    NotFound                nothing is stored under this id (404)
    NotAvailable            the service can't do this yet (501)
    Unavailable             try again later (503)
        Throttled           this caller asks more often than it may (429)
    Disagreement            SR, FHIR and report do not say the same (500): a defect of ours, nothing left the house
    TableError              the tables of terminology and mappings have defects; the service does not start with them
        DestinationsError   the same of the destinations
        ReceivingError      the same of the receiving file: sites, rules, listeners

Texts never hold patient data: no names, ids or free text of the sender beyond the term in question.
"""

import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason of a refusal: where (``pointer``: JSON pointer, content item path), which ``rule``, what to do."""

    pointer: str
    rule: str
    detail: str
    candidates: tuple[str, ...] = field(default=())


class LesionBridgeError(Exception):
    """Anything this service raises on purpose. ``retryable``: the same request may succeed later, unchanged."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(self, *problems: Problem) -> None:
        """Keep the problems; the first one speaks for all."""
        super().__init__(
            "; ".join(f"{problem.pointer or '(whole document)'}: {problem.detail}" for problem in problems)
        )
        self.problems = problems

    @classmethod
    def at(cls, pointer: str, rule: str, detail: str, candidates: tuple[str, ...] = ()) -> "LesionBridgeError":
        """One problem at one place."""
        return cls(Problem(pointer, rule, detail, candidates))


class Refused(LesionBridgeError):
    """The request can't be taken as it is."""

    status = 422
    title = "Refused"


class Unreadable(Refused):
    """The bytes are not what they say they are."""

    status = 400
    title = "Unreadable"


class TooLarge(Refused):
    """A limit of the deployment is passed."""

    status = 413
    title = "Too large"


class UnsupportedMedia(Refused):
    """No reader for this media type."""

    status = 415
    title = "Unsupported media type"


class NotAcceptable(Refused):
    """No writer for what was asked for."""

    status = 406
    title = "Not acceptable"


class Invalid(Refused):
    """The content breaks the contract."""

    title = "Invalid content"


class UnknownTerm(Invalid):
    """No concept for a term, in a field that must be coded."""

    title = "Unknown term"


class AmbiguousTerm(Invalid):
    """Several concepts for one term."""

    title = "Ambiguous term"


class Contradiction(Invalid):
    """Two members that can't both be true."""

    title = "Contradiction"


class Implausible(Invalid):
    """No such thing can be measured."""

    title = "Implausible value"


class KeyReused(Refused):
    """An Idempotency-Key came with another body."""

    title = "Idempotency key reused"


class Unauthenticated(Refused):
    """Who asks did not say who it is, or not so that it can be believed."""

    status = 401
    title = "Not authenticated"


class Forbidden(Refused):
    """Who asks may not do this."""

    status = 403
    title = "Forbidden"


class Conflict(LesionBridgeError):
    """The same report id and version with other content."""

    status = 409
    title = "Conflict"


class NotFound(LesionBridgeError):
    """Nothing is stored under this id."""

    status = 404
    title = "Not found"


class NotAvailable(LesionBridgeError):
    """The service can't do this yet."""

    status = 501
    title = "Not available"


class Unavailable(LesionBridgeError):
    """Try again later."""

    status = 503
    title = "Unavailable"
    retryable = True


class Throttled(Unavailable):
    """This caller asks more often than it may; ``after_s`` is when it may ask again."""

    status = 429
    title = "Too many requests"

    def __init__(self, *problems: Problem, after_s: int = 5) -> None:
        """Keep the problems and the pause."""
        super().__init__(*problems)
        self.after_s = after_s


class Disagreement(LesionBridgeError):
    """SR, FHIR and report do not say the same."""

    status = 500
    title = "Outputs disagree"


class TableError(LesionBridgeError):
    """The tables have defects: one problem each, its pointer ``file:line``."""

    title = "Defects in the tables"


class DestinationsError(TableError):
    """Destinations can't be used: one problem each, its pointer ``destinations.NAME.MEMBER``."""

    title = "Destinations that can't be used"


class ReceivingError(TableError):
    """The receiving file can't be used: one problem each, its pointer as ``routes[0].MEMBER``."""

    title = "Receiving file that can't be used"


def frames(error: BaseException) -> list[str]:
    """Where it failed, file and line; never the exception's text, which may hold a sender's words."""
    return [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
