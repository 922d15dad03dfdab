"""What a bundle states around the lesions: the report, the patient, the study, the priors and who observed."""

from collections.abc import Iterator, Mapping

from service.check.context import UNKNOWN_MODALITY
from service.check.fhir_bundle import URN_OID, Bundle, Json, dicom_uids, human_name, of_accession
from service.check.values import Fact, issuer_value, said_with
from service.coding import Vocabulary
from service.domain.uids import derive_uid

_GENDERS = {"male": "M", "female": "F", "other": "O"}
_REPLACED = {"series-instance-uid": "series", "sop-class-uid": "sop_class", "study-instance-uid": "study"}
_PRIORS = (
    "http://hl7.org/fhir/StructureDefinition/workflow-supportingInfo",
    "https://profiles.ihe.net/RAD/IMR/StructureDefinition/associatedStudy",
)
"""Extensions of a DiagnosticReport that name a prior study; the second is that of the profile mode imr."""


class BundleContext(Bundle):
    """The facts of a bundle but for lesions and statements."""

    def __init__(self, bundle: Json, vocabulary: Vocabulary, designators: Mapping[str, str]) -> None:
        """Take a bundle whose numbers are Decimals."""
        super().__init__(bundle, vocabulary, designators)
        self.learn(("algorithm-name", *_REPLACED), ())

    def context(self, report: Json) -> Iterator[Fact]:
        """All of them."""
        yield from self._document(report)
        yield from self._patient(self.target(report["subject"]))
        yield from self._of_study(report)
        for extension in report.get("extension", ()):
            if extension["url"] in _PRIORS:
                yield self._comparison(self.target(extension["valueReference"]), extension["valueReference"])
        yield from self._observers()
        for study in self.of_type("ImagingStudy"):
            yield from self._instances(study)

    def _document(self, report: Json) -> Iterator[Fact]:
        first, versioned, *_ = report["identifier"]
        yield Fact("report/id", first["value"])
        yield Fact("report/sender", first["assigner"]["display"])
        yield Fact("report/version", versioned["value"].removeprefix(f"{first['value']}/"))
        yield Fact("language", report["language"])
        yield Fact("status", report["status"])
        yield Fact("issued", report["issued"])
        for document in self.documents(report):
            for related in document.get("relatesTo", ()):
                replaced = related["target"]["identifier"]["value"].removeprefix(URN_OID)
                yield Fact("predecessor", said_with(replaced, **self._uids_of_replaced(document)))

    def _uids_of_replaced(self, document: Json) -> dict[str, str]:
        """Series, class and study of the document that is replaced."""
        found = {}
        for one in self.related(document)[3:]:
            kind = self.key(one["identifier"]["type"])
            found[_REPLACED.get(kind or "", "unknown")] = one["identifier"]["value"].removeprefix(URN_OID)
        return found

    def _issuer(self, identifier: Json) -> str:
        """Who issued an id; a system that stands for the sender's own numbers is nobody's."""
        if "assigner" not in identifier:
            return ""
        system = identifier.get("system")
        is_own = system == f"{URN_OID}{derive_uid('accession-id-system', self.sender())}"
        return issuer_value(identifier["assigner"]["display"], None if is_own else system)

    def sender(self) -> str:
        """Whose report it says that it is."""
        report = next(self.of_type("DiagnosticReport"))
        return str(report["identifier"][0]["assigner"]["display"])

    def _patient(self, patient: Json) -> Iterator[Fact]:
        first, *others = patient["identifier"]
        yield Fact("patient/id", first["value"])
        if "assigner" in first:
            yield Fact("patient/issuer", self._issuer(first))
        for other in others:
            yield Fact("patient/otherId", said_with(other["value"], issuer=self._issuer(other)))
        if any(len(name) > ("extension" in name) for name in patient.get("name", ())):  # else it is said to be unknown
            yield Fact("patient/name", human_name(patient["name"]))
        if "birthDate" in patient:
            yield Fact("patient/birthDate", patient["birthDate"])
        if "gender" in patient:
            yield Fact("patient/sex", _GENDERS[patient["gender"]])

    def _of_study(self, report: Json) -> Iterator[Fact]:
        study = self.target(report[self.study][0])
        yield Fact("study/uid", dicom_uids(study)[0])
        yield Fact("study/modality", self.modality(study["modality"][0]))
        for identifier in of_accession(study):
            yield Fact("study/accession", identifier["value"])
            issuer = self._issuer(identifier)
            if issuer:
                yield Fact("study/accessionIssuer", issuer)
        if "started" in study:
            yield Fact("study/started", study["started"])
        if "description" in study:
            yield Fact("study/description", study["description"])
        yield Fact("study/procedure", self.concept(report["code"]))
        for order in map(self.target, report.get("basedOn", ())):
            if "requester" in order:
                yield Fact("study/referringPhysician", self._person(self.target(order["requester"])))

    def _comparison(self, study: Json, reference: Json) -> Fact:
        (modality,) = study.get("modality", [None])
        accession = next((identifier["value"] for identifier in of_accession(study)), None)
        said = said_with(
            dicom_uids(study)[0],
            started=study.get("started"),
            accession=accession,
            modality=self.modality(modality) if modality is not None else None,
            description=study.get("description"),
            because=reference.get("display"),
        )
        return Fact("comparison", said)

    def _person(self, who: Json) -> str:
        """A Practitioner, or a PractitionerRole with what is said of it."""
        organization = role = None
        if who["resourceType"] == "PractitionerRole":
            if "organization" in who:
                organization = self.target(who["organization"])["name"]
            if "code" in who:
                role = self.concept(who["code"][0])
            who = self.target(who["practitioner"])
        return said_with(human_name(who["name"]), id=_own_id(who), organization=organization, role=role)

    def _device(self, device: Json) -> str:
        properties = device.get("property", ())
        return said_with(
            self.device_name(device),
            uid=next(iter(dicom_uids(device)), None),
            version=next((one["value"] for one in device.get("version", ())), None),
            manufacturer=device.get("manufacturer"),
            model=device.get("modelNumber"),
            algorithm=next(
                (self.device_property(one) for one in properties if self.key(one["type"]) == "algorithm-name"), None
            ),
        )

    def _observers(self) -> Iterator[Fact]:
        for provenance in self.of_type("Provenance"):
            for agent in provenance["agent"]:
                role = agent["type"]["coding"][0]["code"]
                who = self.target(agent["who"])
                if role == "verifier":
                    yield Fact("verified", said_with(human_name(who["name"]), id=_own_id(who)))
                    yield Fact("verified/at", provenance["occurredDateTime"])
                elif role == "author":
                    yield from self._author(agent, who)
                else:
                    yield Fact("observer", f"an agent is {role}")

    def _author(self, agent: Json, who: Json) -> Iterator[Fact]:
        if who["resourceType"] != "Device":
            yield Fact("observer/person", self._person(who))
            return
        device = self._device(who)
        yield Fact("observer/device", device)
        if "onBehalfOf" in agent:
            person = self._person(self.target(agent["onBehalfOf"]))
            yield Fact("observer/person", person)
            yield Fact("observer/together", f"{device} for {person}")

    def _instances(self, study: Json) -> Iterator[Fact]:
        (uid,) = dicom_uids(study)
        for series in study.get("series", ()):
            said = series["modality"]
            yield Fact(f"series/{series['uid']}", self.modality(said) if self.is_known(said) else UNKNOWN_MODALITY)
            for instance in series.get("instance", ()):
                sop_class = instance["sopClass"]["code"].removeprefix(URN_OID)
                yield Fact(f"image/{instance['uid']}", f"{sop_class} in {series['uid']} of {uid}")


def _own_id(person: Json) -> str | None:
    """The id of a person that the sender has; one without has only ours, which nobody is said to have assigned."""
    return next((one["value"] for one in person["identifier"] if "assigner" in one), None)
