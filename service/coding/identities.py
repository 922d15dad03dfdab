"""Who and what a report is about, by ids: issuers from their table, tracking UIDs, UIDs of observing devices."""

import re
from dataclasses import replace
from typing import Final

from service.coding.loading import URN_OID
from service.coding.lookup import Vocabulary
from service.coding.notes import Notes
from service.domain.errors import Contradiction
from service.domain.report import Device, Issuer, LesionReport, Patient
from service.domain.uids import derive_uid, is_uid, tracking_family

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""An absolute URI by its characters (RFC 3986, 3): a word with a colon in it is none."""


def code_issuer(issuer: Issuer | None, where: str, vocabulary: Vocabulary, notes: Notes) -> Issuer | None:
    """An issuer with its URI and OID: by key, or by a URI or OID given as key; an unknown word stays, flagged."""
    if issuer is None:
        return None
    known = vocabulary.issuers.get(issuer.key) or vocabulary.issuer_by_id(issuer.uri or issuer.oid or issuer.key)
    if known is not None:
        return known
    if issuer.uri or issuer.oid:
        return issuer
    oid = issuer.key.removeprefix(URN_OID)
    if is_uid(oid):
        return Issuer(issuer.key, f"{URN_OID}{oid}", oid)
    if _URI.fullmatch(issuer.key):
        return Issuer(issuer.key, issuer.key)
    why = "The issuer is not in mappings/issuers.csv: nothing is matched on this id at the EHR. Kept as it came."
    notes.flag(where, issuer.key, why, "unknown-issuer")
    return issuer


def named_issuer(name: str, vocabulary: Vocabulary) -> Issuer:
    """The issuer that somebody names by key, URI or OID, as `code_issuer` has it; any other word is only that."""
    made = code_issuer(Issuer(name), "", vocabulary, Notes(vocabulary))
    return made if made is not None else Issuer(name)


def code_patient(patient: Patient, vocabulary: Vocabulary, notes: Notes) -> Patient:
    """The patient with the issuers of all ids."""
    others = tuple(
        replace(other, issuer=code_issuer(other.issuer, f"/patient/otherIds/{index}/issuer", vocabulary, notes))
        for index, other in enumerate(patient.other_ids)
    )
    issuer = code_issuer(patient.issuer, "/patient/issuer", vocabulary, notes)
    return replace(patient, issuer=issuer, other_ids=others)


def code_device(device: Device | None, sender: str) -> Device | None:
    """A device with a UID (TID 1004 wants one): derived of all that is known of it, so another version is another."""
    if device is None or device.uid is not None:
        return device
    known = (device.manufacturer, device.model, device.name, device.version, device.algorithm)
    return replace(device, uid=derive_uid("device", sender, *known))


def tracked(report: LesionReport, notes: Notes) -> tuple[str, ...]:
    """The tracking UID of each lesion, given or derived; one UID is one lesion.

    It stands on the issuer as the sender said it, not on the row found for it: a row added later changes no UID.
    """
    patient = report.patient
    issuer = patient.issuer.key if patient.issuer is not None else None
    family = tracking_family(report.sender, issuer, patient.id)
    uids = tuple([lesion.tracking_uid or family.uid(lesion.id) for lesion in report.lesions])
    if len(set(uids)) != len(uids):
        seen: set[str] = set()
        for lesion, uid in zip(report.lesions, uids, strict=True):
            why = "Another lesion of this report has the same tracking UID."
            if uid in seen and lesion.where.startswith("/"):
                notes.refuse(Contradiction, f"{lesion.where}/trackingUid", "duplicate-tracking-uid", why)
            elif uid in seen:
                # An SR may show one lesion in several groups; no other document is lost over it.
                notes.flag(lesion.where, uid, f"{why} Kept as it came.", "duplicate-tracking-uid")
            seen.add(uid)
    return uids
