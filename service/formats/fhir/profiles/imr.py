"""IHE Radiology Interactive Multimedia Report 1.1.0 (https://profiles.ihe.net/RAD/IMR), transaction RAD-141, R4.

RAD-141 is a closed transaction of POSTs: the report and its order. What they refer to has to be there before, and what
refers to the report comes after, so three transactions are sent, in this order. References from one to another are
conditional (R4 http.html#trules): the server finds the resource by the identifier or id that it was stored under.

ImagingStudy is sent with the first: in RAD-141 it would need an Endpoint, and where the archive is, is not the report's
to say. A version of a report is a DiagnosticReport of its own, since RAD-141 updates nothing; it is created once.
"""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha1
from typing import Any, Final

import orjson

from service.formats.fhir.identity import Entry, create_once, found_by, resource_identifier, uuid_of
from service.formats.fhir.profiles.claims import claim, claim_bundle
from service.formats.fhir.profiles.shaping import Json, Shaping
from service.formats.html.write import page

_ASSOCIATED: Final = "https://profiles.ihe.net/RAD/IMR/StructureDefinition/associatedStudy"
_AFTER: Final = ("DocumentReference", "Provenance")


def requests(shaping: Shaping) -> list[Json]:
    """The three transactions, each as one request to the base URL of the server."""
    diagnostic = _report(shaping)
    claim(shaping, "imr")
    orders = [entry for entry in shaping.entries if _claims(entry["resource"], "imr-servicerequest")]
    own = [diagnostic, *orders]
    after = [entry for entry in shaping.entries if entry["resource"]["resourceType"] in _AFTER]
    before = [entry for entry in shaping.entries if entry is not diagnostic and entry not in after]
    known = {entry["fullUrl"]: found_by(entry["request"]) for entry in shaping.entries}
    transactions = [_transaction(entries, known) for entries in (before, own, after)]
    transactions[1] = claim_bundle(shaping, transactions[1], "imr")
    return [{"method": "POST", "url": "", "resource": transaction} for transaction in transactions]


def _report(shaping: Shaping) -> Json:
    """The entry of the report: rendered (RAD-141 2:4.141.4.1.2.2.3), with its other studies, to be created once."""
    report = shaping.report
    (entry,) = (one for one in shaping.entries if one["resource"]["resourceType"] == "DiagnosticReport")
    resource = entry["resource"]
    for extension in resource.get("extension", ()):
        extension["url"] = _ASSOCIATED
    uuid = uuid_of("diagnostic-report-version", report.sender, report.id, report.version)
    identifier = resource_identifier(uuid, report.sender)
    resource["identifier"].append(identifier)
    rendered = page(report, language=shaping.language).encode()
    resource["presentedForm"] = [
        {
            "contentType": "text/html",
            "language": shaping.language or report.language,
            "data": b64encode(rendered).decode(),
            "size": orjson.Fragment(str(len(rendered))),
            "hash": b64encode(sha1(rendered, usedforsecurity=False).digest()).decode(),  # Attachment.hash is SHA-1
            "creation": report.issued.text,
        }
    ]
    made: Entry = create_once(uuid, resource, identifier)
    entry["request"] = made.request
    return entry


def _claims(resource: Json, profile: str) -> bool:
    claimed: Iterable[str] = resource.get("meta", {}).get("profile", ())
    return any(url.endswith(f"/{profile}") for url in claimed)


def _transaction(entries: list[Json], known: dict[str, str]) -> Json:
    here = {entry["fullUrl"] for entry in entries}
    elsewhere = {url: place for url, place in known.items() if url not in here}
    made = [{**entry, "resource": _referring(entry["resource"], elsewhere)} for entry in entries]
    return {"resourceType": "Bundle", "type": "transaction", "entry": made}


def _referring(value: Any, elsewhere: dict[str, str]) -> Any:
    """The same with the references to what is elsewhere made conditional."""
    if isinstance(value, dict):
        return {name: _referring(inner, elsewhere) for name, inner in value.items()}
    if isinstance(value, list):
        return [_referring(inner, elsewhere) for inner in value]
    return elsewhere.get(value, value) if isinstance(value, str) else value
