"""The fields of a report as rows, one a field: its concept, its unit or value set, its limits. Data only.

measurements.toml   [row]  concept, names, units (UCUM, first is the usual one), kind ("length", "area", ...),
                    from / above (refused below / at or below), implausible_above (flagged), integer, source,
                    derived (names that say the derivation, too: SUVmax is the SUV, derivation maximum)
evaluations.toml    [row]  concept, names, values (a value set), binding ("required": an unknown term is refused;
                    "extensible": kept as text and flagged), levels (["lesion", "report"]), many (true: a list may come),
                    supplies (part codes that the field's own name stands for, "RADLEX|RID10794"), source
report.toml         [member]  a coded member of the report: concept (its name in SR and FHIR), values, binding,
                    prefer (code systems tried first as the primary code), source
issuers.csv         key,uri,oid,source

``names`` are the words a sender may use for the field, beside the row's key and the designations of its concept.
A field whose concept has no exact code of its own is named by the project's own scheme, 99LESIONBRIDGE, with the concept's
key as code: such keys have at most 16 characters (SH, PS3.5 6.2).
"""
