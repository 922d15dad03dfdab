"""HL7 v2: a report as ORU^R01 (2.5.1, chapter 7), and anybody's ORU^R01 as a report.

==================================  ====================================================================================
member                              place
==================================  ====================================================================================
report.sender, id, version          MSH-4, OBR-20 (Filler Field 1), OBR-21 (Filler Field 2)
report.status                       OBR-25 (table 0123) and OBX-11 (table 0085): see `statuses`
report.issued, language             OBR-22 and MSH-7; MSH-19
patient                             PID-3 (id and other ids, each with its assigning authority), PID-5, PID-7, PID-8
study.uid                           OBX *study instance UID*
study.accession                     OBR-3 (Filler Order Number) with its issuer, and OBR-18; without one OBR-3 is the id
study.procedures, started           OBR-4 and further OBX *procedure reported*; OBR-7
study.modality, technique           OBX
study.referring_physician           OBR-16
observers                           persons: OBR-32, OBR-33; devices: OBX with sub-ids ``D1``, ``D2``
report.findings, impression         OBX TX, a line each
conclusions, differential,          OBX CWE, in order; a negative finding is the name of its OBX and *absent* the value
negatives, evaluations
lesions                             OBX with the lesion's number as sub-id (OBX-4): tracking ids, finding, category,
                                    site, laterality, topography, certainty, change, count, time point, text
lesion.evaluations                  OBX CWE; name in OBX-3, answer in OBX-5
lesion.measurements                 OBX NM; unit OBX-6, reference range OBX-7, method OBX-17; derivation and image are
                                    OBX of their own, with the sub-id of lesion and measurement (``1.2``)
the SR                              OBX RP, when asked for
lost, and named so                  images, shapes, segments, predecessor, comparisons, description, ids of devices'
                                    versions beyond their rows, roles, organizations, time of verification, a third code
==================================  ====================================================================================

``fields`` makes data types of values, ``write`` is the one door out, ``read`` the one door in.
"""
