"""The fields of a report as rows, one a field: its concept, its unit or value set, its limits. Data only.

measurements.toml: [row] concept, names, units, kind, from, above, implausible_above, integer, derived, source
    ``units``: UCUM, the first is the usual one and that of the limits. ``kind``: "length", "area", ... Refused below
    ``from``, refused at or below ``above``, flagged over ``implausible_above``. ``derived``: names that say the
    derivation, too (SUVmax is the SUV, derivation maximum).
evaluations.toml: [row] concept, names, values, binding, levels, many, supplies, source
    ``values``: a value set. ``binding``: "required": an unknown term is refused; "extensible": kept as text and
    flagged. ``levels``: of "lesion", "report". ``many``: true: a list may come. ``supplies``: part codes that the
    field's own name stands for ("RADLEX|RID10794").
report.toml: [member] concept, values, binding, prefer, source
    A coded member of the report; ``concept`` is its name in SR and FHIR, ``prefer`` names the code systems tried first
    as the primary code.
issuers.csv: key,uri,oid,source
fhir_elements.csv: releases,type,elements
    The elements of FHIR's types in the order of their definitions, which is that of XML (R4 xml.html): name, type, and
    ``*`` where there may be several. Source: the classes of fhir.resources, from which a test makes it again.
fhir_profiles.csv: mode,profile,type,path,rule,value,source
    What a resource has to keep before it may claim a profile (`service.formats.fhir.profiles.rules` says how a row is
    read). ``source``: the guide, its version and the file that the rule was read from.
fhir_guide_codes.csv: key,system,code,source
    Codes that a guide fixes and that are no concepts of ``terminology/``: `profiles.guide_codes` gives them by key.

``names`` are the words a sender may use for the field, beside the row's key and the designations of its concept.
A field whose concept has no exact code of its own is named by the project's own scheme, 99LESIONBRIDGE, with the
concept's key as code: such keys have at most 16 characters (SH, PS3.5 6.2).
"""
