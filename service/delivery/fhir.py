"""A FHIR server: the stored bundle is posted, or its requests one by one; what it holds is read back and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from service.delivery.destination import Answer, Echo, Failed, Outcome, Outgoing, not_asked, tried
from service.delivery.fhir_answers import resource, transaction
from service.delivery.fhir_entries import Entry, NotFhir, apart, entries, facts, lacking, references
from service.delivery.fhir_ordered import Ordered
from service.delivery.fhir_search import held
from service.delivery.firsts import Firsts, Holds
from service.delivery.http import HttpPeer
from service.delivery.settings import Fhir

VERSIONS: Final = {"fhir-r4": "4.0", "fhir-r5": "5.0"}
SINGLE: Final = "single"
REQUESTS: Final = "application/vnd.lesionbridge.requests+json"
_LISTED: Final = 20
_WENT_WELL: Final = frozenset({"200", "201", "202", "204"})


class FhirDestination:
    """A server that is spoken to over FHIR REST (R4, R5: http.html)."""

    def __init__(self, settings: Fhir, peer: HttpPeer | None = None, holds: Holds | None = None) -> None:
        """Take the settings; nothing is connected yet. ``holds``: what all processes that deliver share."""
        self.settings = settings
        self._peer = peer or HttpPeer(settings.timeouts, settings.tls, settings.auth)
        self._base = settings.url.rstrip("/")
        self._json = f"application/fhir+json; fhirVersion={VERSIONS[settings.takes]}"
        self._firsts = Firsts(settings.timeouts.total_s, holds, self._base)  # by then the attempt of another is over

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.settings.name

    def send(self, outgoing: Outgoing) -> Answer:
        """Post the bundle as it is; or its requests in their order, where the server can't take them together."""
        try:
            listed = entries(outgoing.content, outgoing.media_type)
            answer = self._firsts.run(self._shared(listed), lambda: self._sent(outgoing, listed))
        except NotFhir as error:
            return Answer(Outcome.REFUSED, str(error))
        except Failed as failed:
            return failed.answer
        if answer.outcome is Outcome.UNKNOWN and answer.status in _WENT_WELL and self.settings.verify == "read-back":
            return self._settled(outgoing, answer)
        return answer

    def _settled(self, outgoing: Outgoing, answer: Answer) -> Answer:
        """What the server holds, where its answer says that it went well and contradicts that, or does not say more."""
        proof = self.verify(outgoing)
        if proof.outcome in (Outcome.VERIFIED, Outcome.MISMATCH):
            return replace(proof, reason=f"{proof.reason}; when it was sent: {answer.reason}")
        return answer

    def _sent(self, outgoing: Outgoing, listed: Sequence[Entry]) -> Answer:
        if any(entry.is_transaction for entry in listed):
            return self._transactions(listed)
        is_list = outgoing.media_type.startswith(REQUESTS)
        if is_list or self.settings.bundle == SINGLE or not self.settings.update_as_create:
            media_type = self._json if is_list else outgoing.media_type
            ordered = Ordered(self._peer, self._base, media_type, self._json)
            return ordered.send(listed, update_as_create=self.settings.update_as_create)
        headers = {"Content-Type": outgoing.media_type, "Accept": self._json, "Prefer": "return=minimal"}
        reply = self._peer.ask("POST", self._base, headers, outgoing.content)
        return transaction(self._peer, reply, len(listed))

    def _shared(self, listed: Sequence[Entry]) -> frozenset[str]:
        """What other reports bring, too: it is created once; without update as create also what has a derived id."""
        by_id = not self.settings.update_as_create
        return frozenset(
            entry.query
            for entry in apart(listed)
            if (entry.method == "POST" and entry.condition)
            or (by_id and entry.method == "PUT" and "?" not in entry.url)
        )

    def _transactions(self, listed: Sequence[Entry]) -> Answer:
        """Post several transactions, each when the one before is stored: they refer to what that stored."""
        if not self.settings.update_as_create:
            return Answer(Outcome.REFUSED, "the content is transactions, and this server takes its requests one by one")
        headers = {"Content-Type": self._json, "Accept": self._json, "Prefer": "return=minimal"}
        answer = Answer(Outcome.STORED)
        for number, one in enumerate(listed, start=1):
            reply = self._peer.ask("POST", self._base, headers, one.body({}))
            answer = transaction(self._peer, reply, len(one.resource["entry"]))
            if answer.outcome is not Outcome.STORED:
                return replace(answer, reason=f"transaction {number} of {len(listed)}: {answer.reason}")
        return answer

    def verify(self, outgoing: Outgoing) -> Answer:
        """Find each resource as it was written, by our identifier or id, and compare what is this report's alone."""
        if self.settings.verify == "none":
            return Answer(Outcome.STORED)
        try:
            listed = [entry for entry in apart(entries(outgoing.content, outgoing.media_type)) if entry.query]
            if not self.settings.update_as_create:
                listed = [entry for entry in listed if "?" in entry.query]
            if not listed:
                raise NotFhir("there is nothing in the content to look for")
            queries = [entry.query for entry in listed]
            return _compared(listed, held(self._peer, self._base, self._json, queries))
        except NotFhir as error:
            return Answer(Outcome.UNKNOWN, str(error))
        except Failed as failed:
            return not_asked(failed.answer)

    def probe(self) -> tuple[Echo, ...]:
        """Read the CapabilityStatement: version, and what of our requests the server says it can do."""
        told: dict[str, Any] = {}

        def read() -> str:
            reply = self._peer.ask("GET", f"{self._base}/metadata", {"Accept": self._json})
            if reply.status != 200:
                raise Failed(Outcome.REFUSED, f"status {reply.status}: {self._peer.unhappy(reply).reason}")
            told.update(resource(reply))
            if told.get("resourceType") != "CapabilityStatement":
                raise Failed(Outcome.REFUSED, "no CapabilityStatement: `url` is the base of a FHIR server")
            return "the server describes itself"

        first = tried("/metadata is answered", read)
        return (first, *self._capable(told), tried("we are let in", self._let_in)) if first.passed else (first,)

    def _capable(self, told: Mapping[str, Any]) -> tuple[Echo, ...]:
        version = str(told.get("fhirVersion", ""))
        wanted = VERSIONS[self.settings.takes]
        same = version.startswith(wanted)
        rest = told.get("rest")
        mode = rest[0] if isinstance(rest, list) and rest and isinstance(rest[0], dict) else {}
        whole = {one.get("code") for one in mode.get("interaction") or () if isinstance(one, dict)}
        echoes = [Echo(f"it speaks FHIR {wanted}", same, f"it says {version or 'nothing'}")]
        if self.settings.bundle != SINGLE and self.settings.update_as_create:
            said = (
                "it says so" if "transaction" in whole else 'it does not say so: set bundle = "single" where one fails'
            )
            echoes.append(Echo("it takes transactions", "transaction" in whole, said))
        return tuple(echoes)

    def _let_in(self) -> str:
        query = f"{self._base}/DiagnosticReport?identifier=lesionbridge-probe&_count=1"
        reply = self._peer.ask("GET", query, {"Accept": self._json})
        if reply.status != 200:
            raise Failed(Outcome.REFUSED, f"a search: status {reply.status}: {self._peer.unhappy(reply).reason}")
        return "a search that finds nothing is answered"


def _compared(listed: Sequence[Entry], there: Sequence[Sequence[Mapping[str, Any]]]) -> Answer:
    """The verdict: something is not there, something is there twice, something says other than was sent."""
    missing = [entry.kind for entry, found in zip(listed, there, strict=True) if not found]
    if missing:
        return Answer(Outcome.NOT_SENT, f"the server does not have: {', '.join(missing[:_LISTED])}")
    doubled = [entry.kind for entry, found in zip(listed, there, strict=True) if entry.is_ours and len(found) > 1]
    if doubled:
        names = ", ".join(doubled[:_LISTED])
        return Answer(Outcome.MISMATCH, f"the server has several under one identifier: {names}")
    places = {
        name: {_place(one) for one in found}
        for entry, found in zip(listed, there, strict=True)
        for name in (entry.full_url, entry.query)  # another transaction refers to it by the latter
    }
    wrong = []
    for entry, found in zip(listed, there, strict=True):
        if entry.is_ours:
            wrong += [f"{entry.kind}.{path}" for path in _differs(entry, found[0], places)]
    if wrong:
        names = ", ".join(wrong[:_LISTED])
        return Answer(Outcome.MISMATCH, f"the server holds other content: it differs in {names}")
    ours = sum(entry.is_ours for entry in listed)
    return Answer(Outcome.VERIFIED, f"{len(listed)} resources found, {ours} compared")


def _differs(entry: Entry, stored: Mapping[str, Any], places: Mapping[str, set[str]]) -> list[str]:
    """Paths at which a resource says other than was sent, or refers to another resource."""
    found = lacking(facts(entry.resource), facts(stored))
    there: dict[str, list[str]] = {}
    for path, text in references(stored):
        there.setdefault(path, []).append(_relative(text))
    for path, text in references(entry.resource):
        wanted = places.get(text)
        if wanted is not None and not wanted & set(there.get(path, ())):
            found.append(path)
    return found


def _place(one: Mapping[str, Any]) -> str:
    return f"{one.get('resourceType')}/{one.get('id')}"


def _relative(reference: str) -> str:
    """Type and id of a reference, absolute or not, with a version or not."""
    return "/".join(reference.partition("/_history/")[0].split("/")[-2:])
