"""What a peer's status means, as tables with their clauses. What stands in no table is said by its class."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.delivery.destination import Outcome

HTTP: Final[Mapping[int, tuple[Outcome, str]]] = {
    401: (Outcome.NOT_SENT, "it does not know us: our credentials are wrong or too old (RFC 9110 15.5.2)"),
    404: (Outcome.REFUSED, "there is nothing under this address (RFC 9110 15.5.5)"),
    408: (Outcome.UNKNOWN, "it waited too long for the request (RFC 9110 15.5.9)"),
    425: (Outcome.BUSY, "it will not take a request that may be a replay yet (RFC 8470 5.2)"),
    429: (Outcome.BUSY, "we send too much (RFC 6585 4)"),
    501: (Outcome.REFUSED, "it can't do this (RFC 9110 15.6.2)"),
    503: (Outcome.BUSY, "it is overloaded or under maintenance (RFC 9110 15.6.4)"),
    505: (Outcome.REFUSED, "it does not speak this version of HTTP (RFC 9110 15.6.6)"),
    507: (Outcome.BUSY, "it has no room left (RFC 4918 11.5)"),
}
"""HTTP status of an answer that is no success, to what it means."""


def http(status: int) -> tuple[Outcome, str]:
    """What a status means that is no success here: 3xx is not followed, 4xx is ours to mend, 5xx may be over some time.

    A 2xx that the peer's own standard has no place for says that it went well, and not what became of the content.
    """
    known = HTTP.get(status)
    if known is not None:
        return known
    if 200 <= status < 300:
        return Outcome.UNKNOWN, "it says that it went well, and not what became of the content"
    if status < 400:
        return Outcome.REFUSED, "it points elsewhere, and a redirection is not followed with a report"
    if status < 500:
        return Outcome.REFUSED, "it refuses the request"
    return Outcome.UNKNOWN, "it failed"


@dataclass(frozen=True, slots=True)
class DimseStatus:
    """One status, or the range that ends at ``last``."""

    first: int
    last: int
    outcome: Outcome
    meaning: str


DIMSE: Final = (
    DimseStatus(0x0000, 0x0000, Outcome.STORED, "success (PS3.4 B.2.3)"),
    DimseStatus(0xB000, 0xB000, Outcome.STORED, "warning: it changed elements (PS3.4 B.2.3)"),
    DimseStatus(0xB006, 0xB006, Outcome.STORED, "warning: it left out elements (PS3.4 B.2.3)"),
    DimseStatus(0xB007, 0xB007, Outcome.STORED, "warning: the data set does not match the SOP class (PS3.4 B.2.3)"),
    DimseStatus(0xA700, 0xA7FF, Outcome.BUSY, "it is out of resources (PS3.4 B.2.3)"),
    DimseStatus(0xA900, 0xA9FF, Outcome.REFUSED, "the data set does not match the SOP class (PS3.4 B.2.3)"),
    DimseStatus(0xC000, 0xCFFF, Outcome.REFUSED, "it can't understand the data set (PS3.4 B.2.3)"),
    DimseStatus(0x0105, 0x0105, Outcome.REFUSED, "no such attribute (PS3.7 C.4)"),
    DimseStatus(0x0106, 0x0106, Outcome.REFUSED, "invalid value of an attribute (PS3.7 C.4)"),
    DimseStatus(0x0110, 0x0110, Outcome.UNKNOWN, "it failed while processing (PS3.7 C.5)"),
    DimseStatus(0x0111, 0x0111, Outcome.STORED, "an object is there under this UID (PS3.7 C.4)"),
    DimseStatus(0x0112, 0x0112, Outcome.NOT_SENT, "it has no such object (PS3.7 C.4)"),
    DimseStatus(0x0117, 0x0117, Outcome.REFUSED, "the UID is not valid (PS3.7 C.4)"),
    DimseStatus(0x0118, 0x0118, Outcome.REFUSED, "it does not know the SOP class (PS3.7 C.4)"),
    DimseStatus(0x0119, 0x0119, Outcome.MISMATCH, "it has another SOP class under this UID (PS3.7 C.4)"),
    DimseStatus(0x0122, 0x0122, Outcome.REFUSED, "it does not support the SOP class (PS3.7 C.5)"),
    DimseStatus(0x0124, 0x0124, Outcome.REFUSED, "we are not allowed to (PS3.7 C.5)"),
    DimseStatus(0x0131, 0x0131, Outcome.UNKNOWN, "the transaction UID is in use (PS3.4 J.3.2)"),
    DimseStatus(0x0210, 0x0210, Outcome.UNKNOWN, "duplicate invocation (PS3.7 C.5)"),
    DimseStatus(0x0211, 0x0211, Outcome.REFUSED, "it does not know this operation (PS3.7 C.5)"),
    DimseStatus(0x0212, 0x0212, Outcome.REFUSED, "mistyped argument (PS3.7 C.5)"),
    DimseStatus(0x0213, 0x0213, Outcome.BUSY, "it is out of resources (PS3.7 C.5)"),
)
"""C-STORE statuses, and the reasons of STOW-RS (PS3.18 I.2) and storage commitment (PS3.3 C.14) that are the same."""


def dimse(status: int) -> DimseStatus:
    """What a DIMSE status means; one that is in no table is a failure that may be over some time."""
    for known in DIMSE:
        if known.first <= status <= known.last:
            return known
    return DimseStatus(status, status, Outcome.UNKNOWN, "a status that the standard does not have")


HL7: Final[Mapping[str, tuple[Outcome, str]]] = {
    "AA": (Outcome.VERIFIED, "application accept"),
    "AE": (Outcome.REFUSED, "application error"),
    "AR": (Outcome.REFUSED, "application reject"),
    "CA": (Outcome.STORED, "commit accept"),
    "CE": (Outcome.REFUSED, "commit error"),
    "CR": (Outcome.REFUSED, "commit reject"),
}
"""MSA-1, HL7 table 0008 (HL7 v2.5.1 2.9.2, 2.9.3); whether an error is tried again is a setting of the destination."""
