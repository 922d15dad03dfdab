"""Merging patients: what an administrator calls, and what an ADT^A40 says, as the store takes it."""

from __future__ import annotations

from dataclasses import replace

from service.coding.identities import code_issuer
from service.coding.notes import Notes
from service.domain.errors import Conflict, Invalid, Problem
from service.domain.processing import listed
from service.domain.report import Issuer, PatientId
from service.pipeline import tables
from service.receiving.reception import Here
from service.store.patients import KeptId, Merged


def merge(here: Here, survivor: PatientId, prior: PatientId, *, dry_run: bool = False) -> Merged:
    """Re-point what is kept under ``prior``, or only say what that would touch; raises Invalid, Conflict."""
    return here.store.patients.merge(_kept(here, survivor), _kept(here, prior), dry_run=dry_run)


def merge_all(here: Here, message: bytes) -> tuple[Problem, ...]:
    """All merges of an ADT^A40, or none; one that is known already moves what was left.

    Gives what is to be said of ids that no report has; the place is the pair's MRG-1. Raises Invalid, Conflict with the
    place in the message.
    """
    from service.formats.hl7v2.merge import merges

    notices: list[Problem] = []
    # Read before: nobody keeps a report while merges are under way.
    pairs = merges(message, here.settings.limits, listed(here.settings.hl7_processing))
    with here.store.patients.merging() as one:
        for number, survivor, prior in pairs:
            places = {"/survivor": f"PID[{number}]-3"}
            try:
                told = one(_kept(here, survivor), _kept(here, prior)).notices
            except (Invalid, Conflict) as error:
                said = (replace(each, pointer=places.get(each.pointer, f"MRG[{number}]-1")) for each in error.problems)
                raise type(error)(*said) from None
            notices.extend(replace(each, pointer=f"MRG[{number}]-1") for each in told)
    return tuple(notices)


def named(id: str, issuer: str | None) -> PatientId:  # noqa: A002 - the contract's own word
    """An id as a request names it."""
    return PatientId(id, Issuer(issuer) if issuer else None)


def _kept(here: Here, patient: PatientId) -> KeptId:
    """The id under which reports are kept: with the key that the issuer table has, else the word that was said."""
    vocabulary = tables(here.settings.issuers_file)
    issuer = code_issuer(patient.issuer, "", vocabulary, Notes(vocabulary))
    return KeptId(patient.id, issuer.key if issuer is not None else "")
