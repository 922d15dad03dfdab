"""The requests of a bundle one by one: each after those that it refers to, with the ids that the server gave them.

Every request is conditional, so a repetition after half of them changes nothing. A server that gives out its ids itself
(no update as create) gets its resources by their identifier instead: looked for, then updated or created.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from service.delivery.destination import Answer, Failed, Outcome
from service.delivery.fhir_answers import resource, unhappy
from service.delivery.fhir_entries import Entry, NotFhir, facts
from service.delivery.fhir_search import held
from service.delivery.http import HttpPeer, Reply

_WRITTEN: Final = (200, 201)
_NAMELESS: Final = (
    "{kind} has no identifier with a system: this server, which gives out its ids itself, can't be asked for it; "
    "a patient gets one by an issuer that has a URI or an OID"
)


class Ordered:
    """One pass over a bundle."""

    def __init__(self, peer: HttpPeer, base: str, media_type: str, accept: str) -> None:
        """``media_type`` is that of what is sent; answers are asked for as ``accept``."""
        self._peer = peer
        self._base = base
        self._accept = accept
        self._headers = {"Content-Type": media_type, "Accept": accept}
        self._resolved: dict[str, str] = {}

    def send(self, listed: Sequence[Entry], *, update_as_create: bool) -> Answer:
        """Send all; raises NotFhir for entries that refer to each other in a circle, Failed where an answer is lost."""
        for number, entry in enumerate(in_order(listed), start=1):
            reply = self._write(entry, update_as_create=update_as_create)
            if reply.status not in _WRITTEN:
                answer = unhappy(self._peer, reply)
                reason = f"request {number} of {len(listed)} ({entry.method} {entry.kind}): {answer.reason}"
                return Answer(answer.outcome, reason, answer.status, answer.retry_after_s)
            place = _place(reply, entry) or self._looked_up(entry, update_as_create=update_as_create)
            if not place:
                reason = f"request {number} of {len(listed)}: its answer does not say under which id {entry.kind} is"
                return Answer(Outcome.UNKNOWN, reason, str(reply.status))
            self._resolved[entry.full_url] = place
        return Answer(Outcome.STORED, f"{len(listed)} requests", "200")

    def _write(self, entry: Entry, *, update_as_create: bool) -> Reply:
        if entry.method == "POST":
            condition = {"If-None-Exist": entry.condition} if entry.condition else {}
            return self._ask("POST", entry.kind, entry.body(self._resolved), condition)
        if "?" in entry.url:
            kind, _, query = entry.url.partition("?")
            return self._ask("PUT", f"{kind}?{quote(query, safe='=&')}", entry.body(self._resolved))
        if update_as_create:
            return self._ask("PUT", entry.url, entry.body(self._resolved, entry.url.rpartition("/")[2]))
        return self._by_identifier(entry)

    def _looked_up(self, entry: Entry, *, update_as_create: bool) -> str:
        """Type and id of what was written, where an answer names none (R4 http.html#update: it need not)."""
        if "?" in entry.query:
            (found,) = held(self._peer, self._base, self._accept, [entry.query])
            there = found[0] if len(found) == 1 else None
        elif entry.method == "PUT" and update_as_create:
            return entry.url
        else:
            there = self._there(entry)
        if there is None or there.get("resourceType") != entry.kind or not isinstance(there.get("id"), str):
            return ""
        if entry.key is not None and not _has(there, entry.key):
            return ""
        return f"{entry.kind}/{there['id']}"

    def _by_identifier(self, entry: Entry) -> Reply:
        """Update or create under an id of the server's own what the bundle would put under ours."""
        found = self._there(entry)
        if found is None:
            # Another writer between our look and our creation: then there is one, and it is that one's.
            body = entry.body(self._resolved)
            if entry.key is not None:
                reply = self._ask("POST", entry.kind, body, {"If-None-Exist": _named(entry.key)})
                if reply.status != HTTPStatus.BAD_REQUEST:
                    return reply
            # No identifier, or a server that can not search this type by it: the look above is all that can be had.
            return self._ask("POST", entry.kind, body)
        version = found.get("meta", {}).get("versionId") if isinstance(found.get("meta"), dict) else None
        # Another writer between our look and our update is told by 412 (R4 http.html#concurrency).
        guard = {"If-Match": f'W/"{version}"'} if isinstance(version, str) else {}
        reply = self._ask("PUT", f"{entry.kind}/{found['id']}", entry.body(self._resolved, str(found["id"])), guard)
        if reply.status == 412 and guard:
            raise Failed(Outcome.UNKNOWN, f"another writer changed {entry.kind} at the same time")
        return reply

    def _there(self, entry: Entry) -> Mapping[str, Any] | None:
        """The resource that stands for an entry already: by our identifier, or for Provenance by target and time."""
        if entry.key is not None:
            query = _named(entry.key)
        else:
            target = next((self._resolved[one] for one in sorted(entry.targets) if one in self._resolved), "")
            query = f"target={target}"
            if entry.kind != "Provenance" or not target:
                raise Failed(Outcome.REFUSED, _NAMELESS.format(kind=entry.kind))
        (found,) = held(self._peer, self._base, self._accept, [f"{entry.kind}?{query}"])
        if entry.key is not None:
            # A server may leave out a search parameter that it does not know (R4 search.html#errors), and find others.
            found = [one for one in found if _has(one, entry.key)]
        else:
            said = self._marks(entry.resource)
            found = [one for one in found if said <= self._marks(one)]
        if len(found) > 1:
            raise Failed(Outcome.REFUSED, f"the server has several {entry.kind} under one identifier")
        return found[0] if found and isinstance(found[0].get("id"), str) else None

    def _marks(self, resource: Any) -> frozenset[tuple[str, str]]:
        """What tells a Provenance from others of its target: when it was recorded, of whom, and what it refers to.

        A report has several at the same time, one for each who had a part in it.
        """
        return frozenset(
            (path, _relative(self._resolved.get(text, text)) if path.endswith(".reference") else text)
            for path, text in facts(resource)
            if path == "recorded" or path.startswith("agent.") or path.endswith(".reference")
        )

    def _ask(self, method: str, path: str, body: bytes, more: Mapping[str, str] | None = None) -> Reply:
        return self._peer.ask(method, f"{self._base}/{path}", {**self._headers, **(more or {})}, body)


def in_order(listed: Sequence[Entry]) -> list[Entry]:
    """The entries, each after those that it refers to; raises NotFhir for a circle."""
    known = {entry.full_url for entry in listed}
    left, done, made = list(listed), set[str](), list[Entry]()
    while left:
        ready = [entry for entry in left if entry.targets & known <= done | {entry.full_url}]
        if not ready:
            raise NotFhir("entries of the bundle refer to each other in a circle: they can't be sent one by one")
        made += ready
        done |= {entry.full_url for entry in ready}
        left = [entry for entry in left if entry.full_url not in done]
    return made


def _named(key: tuple[str, str]) -> str:
    """The condition that finds what has an identifier: a derived one, or a UID, so nothing of it needs an escape."""
    return f"identifier={'|'.join(key)}"


def _has(resource: Mapping[str, Any], identifier: tuple[str, str]) -> bool:
    """Whether a resource, as JSON, has an identifier."""
    listed = resource.get("identifier")
    items = listed if isinstance(listed, list) else [listed]
    return any(isinstance(one, dict) and (one.get("system"), one.get("value")) == identifier for one in items)


def _relative(reference: str) -> str:
    """Type and id of a reference, whether a server makes it absolute or names a version."""
    return "/".join(reference.partition("/_history/")[0].split("/")[-2:])


def _place(reply: Reply, entry: Entry) -> str:
    """Type and id that the server gave: by Location, by Content-Location, or by the resource that it answers with."""
    for name in ("location", "content-location"):
        steps = reply.headers.get(name, "").partition("/_history/")[0].split("/")
        if len(steps) > 1 and steps[-2] == entry.kind and steps[-1]:
            return "/".join(steps[-2:])
    told = resource(reply)
    if told.get("resourceType") == entry.kind and isinstance(told.get("id"), str):
        return f"{entry.kind}/{told['id']}"
    return ""
