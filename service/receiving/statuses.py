"""What a refusal is called in DICOM and in HL7 v2, as one table with its clauses.

A failure of ours is told from one of the sender's: only the first is worth sending again.
"""

from dataclasses import dataclass
from typing import Final

from service.domain import errors, processing

OUT_OF_RESOURCES: Final = 0xA700
NOT_OF_ITS_CLASS: Final = 0xA900
NOT_UNDERSTOOD: Final = 0xC000
PROCESSING_FAILURE: Final = 0x0110
CLASS_NOT_SUPPORTED: Final = 0x0122
DUPLICATE: Final = 0x0111
NOT_AUTHORIZED: Final = 0x0124


@dataclass(frozen=True, slots=True)
class Meaning:
    """``dimse``: status of a C-STORE (PS3.4 B.2.3, PS3.7 C) and Failure Reason of a store over the web (PS3.18 I.2.2).

    ``ack``: MSA-1 (table 0008); ``condition``: ERR-3 (table 0357), ``words`` what it is called there.
    """

    kind: type[errors.LesionBridgeError]
    dimse: int
    ack: str
    condition: str
    words: str


# The first row of whose class an error is counts. AE: the content is at fault, and stays so. AR: for reasons that have
# nothing to do with the content, or it is of a kind that is not taken (HL7 v2.5.1 2.9.2.2).
MEANINGS: Final = (
    Meaning(errors.TooLarge, OUT_OF_RESOURCES, "AE", "104", "Value too long"),
    Meaning(errors.UnsupportedMedia, CLASS_NOT_SUPPORTED, "AR", "200", "Unsupported message type"),
    Meaning(errors.Unreadable, NOT_UNDERSTOOD, "AE", "102", "Data type error"),
    Meaning(errors.UnknownTerm, NOT_UNDERSTOOD, "AE", "103", "Table value not found"),
    Meaning(errors.Forbidden, NOT_AUTHORIZED, "AR", "207", "Application internal error"),
    Meaning(errors.Refused, NOT_UNDERSTOOD, "AE", "102", "Data type error"),
    Meaning(errors.Conflict, DUPLICATE, "AE", "205", "Duplicate key identifier"),
    Meaning(errors.NotFound, NOT_UNDERSTOOD, "AE", "204", "Unknown key identifier"),
    Meaning(errors.Unavailable, OUT_OF_RESOURCES, "AR", "206", "Application record locked"),
    Meaning(errors.LesionBridgeError, PROCESSING_FAILURE, "AR", "207", "Application internal error"),
)
_RULES: Final = {
    "sop-class": CLASS_NOT_SUPPORTED,
    "sr-no-tree": CLASS_NOT_SUPPORTED,
    "study-context": NOT_OF_ITS_CLASS,
    "accession-patient": NOT_OF_ITS_CLASS,
    "version-patient": NOT_OF_ITS_CLASS,
    "newest-version": NOT_OF_ITS_CLASS,
    "status-order": NOT_OF_ITS_CLASS,
    "superseded": NOT_OF_ITS_CLASS,
    "withdrawn": NOT_OF_ITS_CLASS,
}
_MISSING: Final = frozenset({"v2-patient-id", "v2-no-order"})
_OTHER_TYPE: Final = frozenset({"v2-message-type"})


def meaning(error: Exception) -> Meaning:
    """What an exception is called; what nobody raised on purpose is an internal error."""
    return next((row for row in MEANINGS if isinstance(error, row.kind)), MEANINGS[-1])


def dimse(error: Exception) -> int:
    """The status or Failure Reason of an error."""
    rule = error.problems[0].rule if isinstance(error, errors.LesionBridgeError) and error.problems else ""
    return _RULES.get(rule, meaning(error).dimse)


def hl7(error: Exception) -> Meaning:
    """The row of an error, with the condition that its rule names more exactly."""
    row = meaning(error)
    rule = error.problems[0].rule if isinstance(error, errors.LesionBridgeError) and error.problems else ""
    if rule in _MISSING:
        return Meaning(row.kind, row.dimse, "AE", "101", "Required field missing")
    if rule == processing.RULE:
        return Meaning(row.kind, row.dimse, "AR", "202", "Unsupported processing id")
    if rule in _OTHER_TYPE:
        return Meaning(row.kind, row.dimse, "AR", "200", "Unsupported message type")
    return row
