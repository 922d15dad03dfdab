"""The vocabulary as tables, one fact a line, each with its source. Data only; `service.coding` loads and checks it.

``seed_concepts`` in a source is the reference list of the first domain that the tests hold the tables against
(LESIONBRIDGE_REFERENCE); what follows it is where that list has the code from.

code_systems.csv: designator,uri,oid,name,licence,source
    One code system; ``designator`` is DICOM's (PS3.16 table 8-1).
concepts.csv: key,group,definition,source
    One concept; ``key`` is lower-case words joined by hyphens.
codings.csv: concept,system,code,display,equivalence,part,status,source
    A code of a concept, best first. ``equivalence`` (exact, broader, narrower, related) is of the code, seen from the
    concept: a code that adds a region, a side, a sex or an encounter is narrower. ``part`` numbers the codes that only
    together mean the concept; 0 or empty: the code stands alone. ``status``: verified, or draft: known, never written.
    A classification's code (ICD-10-CM) is exact where it is the class that the concept belongs to. Alone it tells the
    concept only where it is exact for no other one and its title, but for "unspecified", is a word for it. SNOMED CT
    displays are those of the DICOM subset, elsewhere our own words for what the code says.
designations.csv: concept,language,use,field,term
    A word for a concept. ``use``: preferred, synonym, abbreviation, plural; an abbreviation is compared with its case,
    so only those are listed as one that are other words otherwise (PD, CUP). ``field``: the mapping row within which
    the term is looked up; empty: everywhere. Case, hyphens, regular plurals, British spellings are found by rule.
spellings.csv: british,american,source
    One word in two spellings, singular; applied to each word of a term.
zones.csv: concept,zone,source
    A zone of the body that a finding lies in by its name, or a site by anatomy. Coarse and generous: a part on the
    border of two zones is in both, what may be anywhere has no row. A finding without a zone of its site is flagged.
value_sets/<name>.csv: concept,source
    Which concepts may answer a field. left-sided-sites, right-sided-sites and midline-sites are those that a side is
    held against: midline only where a side names no part of the site.
labels/<language>.csv: concept,label,status,source
    What a concept is called in another language than English, for reading only: no word to look it up by. ``status``:
    draft, translated by a machine: shown to people, marked, beside the English label; or verified: a reader of that
    language has reviewed it (``source`` says who), then it is the text of the concept's term in every format.
translations.csv: from_system,from_code,to_system,to_code,relationship,source
"""
