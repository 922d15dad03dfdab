"""What a bundle says more than once: where two places say otherwise, that is a fact too many."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from service.check.fhir_bundle import DICOM_UID, URN_OID, Bundle, Json, of_accession
from service.check.values import Fact
from service.domain.report import Status

_OBSERVATION = {Status.APPENDED: "amended"}
_WITHDRAWN = ("entered-in-error", "cancelled")
_KINDS = frozenset(
    {
        *("BodyStructure", "Composition", "Device", "DiagnosticReport", "DocumentReference"),
        *("ImagingSelection", "ImagingStudy"),
        *("Observation", "Organization", "Patient", "Practitioner", "PractitionerRole", "Provenance", "ServiceRequest"),
    }
)


def disagreements(bundle: Bundle, report: Json) -> Iterator[Fact]:
    """Everything that contradicts the DiagnosticReport or what it refers to."""
    yield from _subjects(bundle, report)
    yield from _observations(bundle, report)
    yield from _orders(bundle, report)
    yield from _documents(bundle, report)
    yield from _provenances(bundle, report)
    yield from _compositions(bundle, report)
    yield from _people(bundle, report)
    yield from _requests(bundle)


def _differ(place: str, where: str, said: object, expected: object) -> Iterator[Fact]:
    if said != expected:
        yield Fact(place, f"{where} says {said}")


def _subjects(bundle: Bundle, report: Json) -> Iterator[Fact]:
    """Every resource is of a kind that is written here, and if it is about a patient, about this one."""
    for resource in bundle.resources.values():
        if resource["resourceType"] not in _KINDS:
            yield Fact("unknown resource", resource["resourceType"])
        for member in ("subject", "patient"):
            if member in resource and resource["resourceType"] != "Composition":
                about = bundle.urls([resource[member]])
                yield from _differ("patient/id", resource["resourceType"], about, bundle.urls([report["subject"]]))


def _observations(bundle: Bundle, report: Json) -> Iterator[Fact]:
    """State, times, order, performer and device of the whole report, and what members are of."""
    status = _OBSERVATION.get(Status(report["status"]), report["status"])
    devices = [url for url, resource in bundle.resources.items() if resource["resourceType"] == "Device"]
    device = devices if len(devices) == 1 else []
    for observation in _said(bundle, report):
        yield from _differ("status", "Observation", observation["status"], status)
        for member, place in (("issued", "issued"), ("effectiveDateTime", "study/started")):
            yield from _differ(place, "Observation", observation.get(member), report.get(member))
        for member, of_report in (("basedOn", "basedOn"), ("performer", "resultsInterpreter")):
            said = bundle.urls(observation.get(member, ()))
            yield from _differ(f"Observation.{member}", "it", said, bundle.urls(report.get(of_report, ())))
        said = bundle.urls(observation[member] for member in ("device",) if member in observation)
        yield from _differ("observer/device", "Observation", said, device)
        for one in map(bundle.target, observation.get("hasMember", ())):
            yield from _differ("lesion", "a member", bundle.urls(one["focus"]), bundle.urls(observation["focus"]))
            sources = bundle.urls(one["derivedFrom"])
            studies = [url for url in sources if bundle.resources[url]["resourceType"] == "ImagingStudy"]
            yield from _differ("lesion", "a member", studies, bundle.urls(report[bundle.study]))


def _said(bundle: Bundle, report: Json) -> Iterator[Json]:
    """The Observations of this report: what nothing refers to and is withdrawn, an earlier version said."""
    referring = [report.get("result", ()), *(one.get("hasMember", ()) for one in bundle.of_type("Observation"))]
    referred = {url for references in referring for url in bundle.urls(references)}
    for url, resource in bundle.resources.items():
        is_withdrawn = resource.get("status") in _WITHDRAWN and url not in referred
        if resource["resourceType"] == "Observation" and not is_withdrawn:
            yield resource


def _orders(bundle: Bundle, report: Json) -> Iterator[Fact]:
    """The order and the study of the report say the same procedure, number, time and physician."""
    study = bundle.target(report[bundle.study][0])
    for one in bundle.of_type("ImagingStudy"):
        yield from _differ("study", "ImagingStudy", one["status"], "available")
    yield from _differ("study/started", "ImagingStudy", study.get("started"), report.get("effectiveDateTime"))
    orders = bundle.urls(study.get("basedOn", ()))
    yield from _differ("study", "ImagingStudy", orders, bundle.urls(report.get("basedOn", ())))
    further = [
        item["valueCodeableConcept"]
        for item in map(bundle.target, report.get("result", ()))
        if bundle.key(item["code"]) == "procedure"
    ]
    yield from _differ("study/procedure", "ImagingStudy", bundle.procedures(study), [report["code"], *further])
    referrer: list[str] = []
    for order in map(bundle.target, report.get("basedOn", ())):
        yield from _differ("study", "ServiceRequest", (order["status"], order["intent"]), ("completed", "order"))
        yield from _differ("study/procedure", "ServiceRequest", bundle.ordered(order), report["code"])
        yield from _differ("study/accession", "ServiceRequest", of_accession(order), of_accession(study))
        if "requester" in order:
            who = bundle.target(order["requester"])
            referrer = bundle.urls([who["practitioner"] if "practitioner" in who else order["requester"]])
    said = bundle.urls(study[member] for member in ("referrer",) if member in study)
    yield from _differ("study/referringPhysician", "ImagingStudy", said, referrer)


def _documents(bundle: Bundle, report: Json) -> Iterator[Fact]:
    """The reference to the SR: state, time and language of the report, one id, study and report; and the older ones."""
    status = bundle.document_status(report["status"])
    urls = [url for url, resource in bundle.resources.items() if resource is report]
    for document in bundle.documents(report):
        is_wrong = report["status"] == Status.ENTERED_IN_ERROR
        yield from _differ("status", "DocumentReference", document["status"], ("current", "entered-in-error")[is_wrong])
        yield from _differ("status", "DocumentReference", document["docStatus"], status)
        yield from _differ("issued", "DocumentReference", document["date"], report["issued"])
        yield from _differ("document", "DocumentReference", document["identifier"], [bundle.master(document)])
        (content,) = document["content"]
        attachment = content["attachment"]
        yield from _differ("issued", "DocumentReference", attachment["creation"], report["issued"])
        yield from _differ("language", "DocumentReference", attachment["language"], report["language"])
        yield from _differ("document", "DocumentReference", attachment["contentType"], "application/dicom")
        for older in document.get("relatesTo", ()):
            system = older["target"]["identifier"]["system"]
            said = (bundle.relation(older), system)
            yield from _differ("predecessor", "DocumentReference", said, ("replaces", DICOM_UID))
        related = bundle.urls(bundle.related(document)[:2])
        expected = [*urls, *bundle.urls(report[bundle.study])]
        yield from _differ("document", "DocumentReference", related, expected)
    current = list(bundle.documents(report))
    known = [one["identifier"] for one in current]
    for older in (one for one in bundle.of_type("DocumentReference") if one not in current):
        allowed = _WITHDRAWN[:1] if report["status"] in _WITHDRAWN else ("superseded", *_WITHDRAWN[:1])
        if older["status"] not in allowed:
            yield Fact("status", f"an older DocumentReference says {older['status']}")
        if older["identifier"] in known:
            yield Fact("document", "an older DocumentReference has the identifier of this one")
        yield from _differ("document", "DocumentReference", older["identifier"], [bundle.master(older)])


def _provenances(bundle: Bundle, report: Json) -> Iterator[Fact]:
    """Who made what: this report, when it was issued."""
    urls = [url for url, resource in bundle.resources.items() if resource is report]
    for provenance in bundle.of_type("Provenance"):
        yield from _differ("report/id", "Provenance", bundle.urls(provenance["target"]), urls)
        yield from _differ("issued", "Provenance", provenance["recorded"], report["issued"])


def _compositions(bundle: Bundle, report: Json) -> Iterator[Fact]:
    """The leading page of a document bundle."""
    status = bundle.document_status(report["status"])
    for composition in bundle.of_type("Composition"):
        yield from _differ("status", "Composition", composition["status"], status)
        yield from _differ("issued", "Composition", composition["date"], report["issued"])
        yield from _differ("language", "Composition", composition["language"], report["language"])
        identifier, subject = bundle.composed(composition)
        # The id of the report and its version; where a profile wants what all versions share, the id alone.
        whole, with_version = report["identifier"][:2]
        yield from _differ("report/id", "Composition", identifier, whole if identifier == whole else with_version)
        yield from _differ("patient/id", "Composition", bundle.urls([subject]), bundle.urls([report["subject"]]))
        yield from _differ("study/procedure", "Composition", composition["title"], report["code"]["text"])
        entries = [entry for section in composition["section"] for entry in section.get("entry", ())]
        results = bundle.urls(report.get("result", ()))
        yield from _differ("report/id", "Composition", bundle.urls(entries)[: len(results)], results)


def _people(bundle: Bundle, report: Json) -> Iterator[Fact]:
    """Who performed, interpreted, wrote and vouches for it: those that Provenance names."""
    people: list[Json] = []
    organizations: list[Json] = []
    devices: list[Json] = []
    verifiers: list[Json] = []
    for provenance in bundle.of_type("Provenance"):
        for agent in provenance["agent"]:
            if agent["type"]["coding"][0]["code"] == "verifier":
                verifiers.append(agent["who"])
                continue
            for reference in filter(None, (agent["who"], agent.get("onBehalfOf"))):
                who = bundle.target(reference)
                if who["resourceType"] == "Device":
                    devices.append(reference)
                else:
                    people.append(who.get("practitioner", reference))
                    organizations += [who["organization"]] if "organization" in who else []
    persons, houses, machines, vouching = map(bundle.urls, (people, organizations, devices, verifiers))
    persons, houses, machines = _once(persons), _once(houses), _once(machines)
    yield from _differ("observer", "performer", bundle.urls(report.get("performer", ())), houses or persons)
    said = bundle.urls(report.get("resultsInterpreter", ()))
    yield from _differ("observer/person", "resultsInterpreter", said, persons)
    for document in bundle.documents(report):
        yield from _differ("observer", "DocumentReference", bundle.urls(document.get("author", ())), persons + machines)
        authenticator = bundle.authenticator(document)
        said = bundle.urls([authenticator] if authenticator is not None else ())
        yield from _differ("verified", "DocumentReference", said, vouching[:1])
    for composition in bundle.of_type("Composition"):
        sender = report["identifier"][0]["assigner"]["display"]
        written = persons + machines or [sender]
        said = bundle.urls(composition["author"])
        # A profile may want the organizations that performed as authors, too.
        yield from _differ("observer", "Composition", said, written + houses if said[len(written) :] else written)
        parties = bundle.urls(attester["party"] for attester in composition.get("attester", ()))
        yield from _differ("verified", "Composition", parties, vouching)


def _once(urls: list[str]) -> list[str]:
    return list(dict.fromkeys(urls))


def _requests(bundle: Bundle) -> Iterator[Fact]:
    """How a transaction stores a resource: found again by an identifier that it has, or put under its own id."""
    for entry in bundle.entries:
        resource, request = entry["resource"], entry.get("request")
        kind = resource["resourceType"]
        if "id" in resource:
            yield from _differ("request", kind, entry["fullUrl"], f"urn:uuid:{resource['id']}")
        if request is None:
            continue
        found = [_criterion(one) for one in resource.get("identifier", ()) if "system" in one]
        if "id" in resource:
            allowed: list[tuple[str, str, str | None]] = [("PUT", f"{kind}/{resource['id']}", None)]
        else:
            allowed = [("PUT", f"{kind}?{one}", None) for one in found] + [("POST", kind, one) for one in found]
        said = (request["method"], request["url"], request.get("ifNoneExist"))
        if said not in allowed:
            yield Fact("request", f"{kind} is stored in another way")


def _criterion(identifier: Json) -> str:
    """The search for an identifier (R4 search.html#escaping, RFC 3986)."""
    said = [re.sub(r"([\\\\$,|])", r"\\\1", identifier[part]) for part in ("system", "value")]
    return f"identifier={'|'.join(quote(one, safe=':/') for one in said)}"


def document(bundle: Bundle) -> tuple[str, ...]:
    """SOP class, instance and series of the SR that the bundle refers to."""
    (found,) = bundle.documents(next(bundle.of_type("DiagnosticReport")))
    (content,) = found["content"]
    master, series = bundle.master(found), bundle.related(found)[2]["identifier"]
    names = (bundle.format_of(content)["code"], master["value"], series["value"])
    systems = {master["system"], series["system"]}
    return tuple(name.removeprefix(URN_OID) for name in names) if systems == {DICOM_UID} else names
