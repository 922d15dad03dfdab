"""FHIR: a coded report as a bundle of plain resources, no ``contained``, nothing outside the bundle needed.

R4 (4.0.1) is described here; `service.formats.fhir.r5` has what R5 says in another way.

Where each member of a report stands (paths without a resource are of the lesion's Observation):

======================================  ================================================================================
member                                  FHIR element
======================================  ================================================================================
report.id, version, sender              DiagnosticReport.identifier[0].value, [1].value (``id/version``), assigner
report.status                           status of DiagnosticReport, Observation, Composition, docStatus (see `draft`)
report.issued, language                 DiagnosticReport.issued, .language; issued of each Observation
report.impression, conclusions          DiagnosticReport.conclusion, .conclusionCode in order
report.findings                         result Observation with code *findings*: valueString
report.evaluations, study.technique     result Observations: code = field, valueCodeableConcept = answer
report.negatives                        result Observations: code = the finding, valueCodeableConcept = *absent*
report.differential                     one result Observation: a component each, in order
report.predecessor                      DocumentReference.relatesTo (replaces) target.identifier; series, class and
                                        study: context.related identifiers of these types
patient                                 Patient; identifier[0] is patient.id, then other_ids in order
study.uid, started, description         ImagingStudy.identifier, .started, .description; effectiveDateTime everywhere
study.accession                         ServiceRequest.identifier and ImagingStudy.identifier, type ACSN
study.modality, procedures              ImagingStudy.modality, .procedureCode; DiagnosticReport.code is the first
                                        procedure, each further one a result Observation with code *procedure reported*
study.referring_physician               ServiceRequest.requester, ImagingStudy.referrer
study.comparisons                       ImagingStudy each; DiagnosticReport.extension workflow-supportingInfo, whose
                                        display marks a study that only an image is of
study.images                            one result Observation *image library*: a component each, in order
all images                              ImagingStudy.series.instance of their study
observers                               Device, Practitioner, PractitionerRole, Organization; Provenance.agent in order,
                                        a person with a device as its onBehalfOf; Provenance.occurredDateTime: verified
lesion.id, tracking_uid                 BodyStructure.identifier with type *tracking identifier*, *tracking unique
                                        identifier*; the Observation's focus
lesion.finding                          code *finding*: valueCodeableConcept
lesion.site                             bodySite and BodyStructure.location
lesion.laterality, topography           component, and BodyStructure.locationQualifier in this order
lesion.category, certainty, change      component
lesion.count                            component: valueInteger or valueCodeableConcept
lesion.time_point                       component for each part of it
lesion.text                             note
lesion.images                           component *source of measurement*, ``urn:oid:<SOP>#frames=1,2``; derivedFrom
lesion.segment                          component *referenced segment*, ``urn:oid:<SOP>#segment=1``, and
                                        *source series for segmentation*
lesion.measurements, evaluations        hasMember, in this order: Observations with valueQuantity, valueCodeableConcept
measurement.method, range               method, referenceRange
measurement.derivation, image           component *derivation*, *source of measurement* (``urn:oid:<SOP>``)
regions, regions3d                      lost: R4 has no place for coordinates
the SR                                  DocumentReference: masterIdentifier, content.format (class), context.related
======================================  ================================================================================

A term is a CodeableConcept: its codes in their order as ``coding``, its text as ``text``.
"""
