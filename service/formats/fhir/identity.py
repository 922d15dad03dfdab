"""Who is who: identifiers, derived ids and the conditional requests that make a second POST change nothing.

Every resource has a UUID derived from what it is, never from when it was written. ``urn:uuid:`` and the UUID is its
fullUrl; the UUID alone is the value of the identifier by which a server finds it again. The systems of our own
identifiers are OIDs derived from the sender: two senders never meet in one.
"""

from functools import lru_cache
from typing import Final
from urllib.parse import quote

import orjson

from service.domain.geometry import ImageReference
from service.domain.report import Issuer
from service.domain.uids import derive_uid, derive_uuid_text
from service.formats.fhir.codeable import Json, hl7_concept

DICOM_UID = "urn:dicom:uid"
"""System of a DICOM UID; the value is ``urn:oid:`` and the UID (R4 imagingstudy.html)."""


class Entry:
    """One resource of a bundle and how a transaction stores it."""

    __slots__ = ("request", "resource", "uuid")

    def __init__(self, uuid: str, resource: Json | orjson.Fragment, request: Json) -> None:
        """The resource of this UUID."""
        self.uuid: Final = uuid
        self.resource: Final = resource
        self.request: Final = request

    @property
    def reference(self) -> Json:
        """A reference to it from within the bundle."""
        return reference(self.uuid)


def reference(uuid: str) -> Json:
    """A reference to the entry of this UUID."""
    return {"reference": f"urn:uuid:{uuid}"}


@lru_cache(1024)
def own_system(kind: str, sender: str) -> str:
    """The system of identifiers that sender uses without naming who issues them: ``kind`` is report, person ..."""
    return f"urn:oid:{derive_uid(f'{kind}-id-system', sender)}"


def resource_identifier(uuid: str, sender: str) -> Json:
    """The identifier by which we find our own resource again."""
    return {"system": own_system("resource", sender), "value": uuid}


def dicom_identifier(uid: str) -> Json:
    """A DICOM UID as Identifier."""
    return {"system": DICOM_UID, "value": f"urn:oid:{uid}"}


def image_uri(image: ImageReference) -> str:
    """An image as text: ``urn:oid:`` and its SOP Instance UID, its frames behind ``#frames=``."""
    frames = f"#frames={','.join(map(str, image.frames))}" if image.frames else ""
    return f"urn:oid:{image.sop_instance}{frames}"


def issuer_system(issuer: Issuer | None) -> str | None:
    """The issuer's URI, else its OID as URI, else None."""
    if issuer is None:
        return None
    return issuer.uri or (f"urn:oid:{issuer.oid}" if issuer.oid else None)


def issued_identifier(value: str, issuer: Issuer | None) -> Json:
    """An id of the sender's with its issuer; one that has neither URI nor OID is named as assigner only."""
    system = issuer_system(issuer)
    made: Json = {"system": system, "value": value} if system else {"value": value}
    if issuer is not None:
        made["assigner"] = {"display": issuer.key}
    return made


def accession_identifier(value: str, issuer: Issuer | None, sender: str) -> Json:
    """An accession number; without an issuer its system is the sender's own."""
    system = issuer_system(issuer) or own_system("accession", sender)
    made: Json = {"type": hl7_concept("v2-0203", "ACSN", "Accession ID"), "system": system, "value": value}
    if issuer is not None:
        made["assigner"] = {"display": issuer.key}
    return made


@lru_cache(1024)
def _system(system: str) -> str:
    return _escaped(system)


def _escaped(text: str) -> str:
    """A part of a search: FHIR's own marks escaped (R4 search.html#escaping), then percent-encoded."""
    for mark in "\\$,|":
        text = text.replace(mark, f"\\{mark}")
    return quote(text, safe=":/")


def _criterion(identifier: Json) -> str:
    """The search for an identifier."""
    return f"identifier={_system(identifier['system'])}|{_escaped(identifier['value'])}"


def create_once(uuid: str, resource: Json, identifier: Json) -> Entry:
    """Create it unless a resource with this identifier is there (conditional create, R4 http.html#ccreate)."""
    request = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": _criterion(identifier)}
    return Entry(uuid, resource, request)


def replace_found(uuid: str, resource: Json, identifier: Json) -> Entry:
    """Update the resource with this identifier, or create it (conditional update, R4 http.html#cond-update)."""
    return Entry(uuid, resource, {"method": "PUT", "url": f"{resource['resourceType']}?{_criterion(identifier)}"})


def put_by_id(uuid: str, resource: Json) -> Entry:
    """Update or create it under the derived id (R4 http.html#upsert), where a server can't search for it."""
    made = {"resourceType": resource["resourceType"], "id": uuid, **resource}
    return Entry(uuid, made, {"method": "PUT", "url": f"{resource['resourceType']}/{uuid}"})


def found_by(request: Json) -> str:
    """The reference by which another transaction reaches what a request stored: a search, or type and id."""
    if "ifNoneExist" in request:
        return f"{request['url']}?{request['ifNoneExist']}"
    found: str = request["url"]
    return found


def uuid_of(role: str, *parts: str | int | None) -> str:
    """The derived UUID of a resource, as text."""
    return derive_uuid_text(f"fhir-{role}", *parts)
