"""HL7's DICOM SR to FHIR guide, 1.0.0 (http://hl7.org/fhir/uv/dicom-sr), R5."""

from service.formats.fhir.profiles.shaping import Shaping

_IMAGING = "http://terminology.hl7.org/CodeSystem/observation-category"
_DICOM_UID = "urn:dicom:uid"


def shape(shaping: Shaping) -> None:
    """Groups and evaluations have the guide's category alone; a device has one identifier, its Device UID."""
    for observation in shaping.resources("Observation"):
        categories = observation["category"]
        of_guide = [one for one in categories if all(code["system"] != _IMAGING for code in one["coding"])]
        if of_guide:
            observation["category"] = of_guide
    for entry in shaping.entries:
        device = entry["resource"]
        if device["resourceType"] == "Device":
            uids = [one for one in device["identifier"] if one.get("system") == _DICOM_UID]
            if uids:
                device["identifier"] = uids
                shaping.put_by_id(entry)
