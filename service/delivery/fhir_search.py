"""What a FHIR server holds: searches and reads, all in one batch, or one by one at a server that takes no batch.

Searches stand in bodies, never in a URL: they may hold a patient's id, and URLs are logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from service.delivery.destination import Failed, Outcome
from service.delivery.fhir_answers import resource
from service.delivery.fhir_entries import form
from service.delivery.http import HttpPeer

Resources = list[Mapping[str, Any]]


def held(peer: HttpPeer, base: str, media_type: str, queries: Sequence[str]) -> list[Resources]:
    """The resources behind each of ``queries``: ``Type?condition`` or ``Type/id``. Raises Failed."""
    entries = [{"request": {"method": "GET", "url": query}} for query in queries]
    batch = orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries})
    reply = peer.ask("POST", base, {"Content-Type": media_type, "Accept": media_type}, batch, safe=True)
    answers = resource(reply).get("entry")
    if reply.status == 200 and isinstance(answers, list) and len(answers) == len(queries):
        statuses = [_status(one) for one in answers]
        if all(status in (200, 404, 410) for status in statuses):
            pairs = zip(answers, statuses, strict=True)
            return [_found(one.get("resource")) if status == 200 else [] for one, status in pairs]
    return [_one(peer, base, media_type, query) for query in queries]


def _one(peer: HttpPeer, base: str, media_type: str, query: str) -> Resources:
    """The resources behind one query."""
    kind, mark, condition = query.partition("?")
    if mark:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": media_type}
        reply = peer.ask("POST", f"{base}/{kind}/_search", headers, form(condition), safe=True)
    else:
        reply = peer.ask("GET", f"{base}/{kind}", {"Accept": media_type})
    if reply.status in (404, 410) and not mark:
        return []
    if reply.status != 200:
        kind = kind.partition("/")[0]
        raise Failed(
            Outcome.UNKNOWN, f"{kind} can't be looked for: status {reply.status}: {peer.unhappy(reply).reason}"
        )
    return _found(resource(reply))


def _status(entry: Any) -> int:
    response = entry.get("response") if isinstance(entry, dict) else None
    said = str(response.get("status", ""))[:3] if isinstance(response, dict) else ""
    return int(said) if said.isdecimal() else 0


def _found(told: object) -> Resources:
    """The matches of a search, or the one resource of a read."""
    if not isinstance(told, dict):
        return []
    if told.get("resourceType") != "Bundle":
        return [told] if told.get("id") else []
    listed = told.get("entry")
    items = listed if isinstance(listed, list) else []
    found = [one["resource"] for one in items if isinstance(one, dict) and isinstance(one.get("resource"), dict)]
    return [one for one in found if one.get("resourceType") != "OperationOutcome"]
