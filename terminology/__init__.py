"""The vocabulary as tables, one fact a line, each with its source. Data only; `service.coding` loads and checks it.

code_systems.csv  designator,uri,oid,name,licence,source     one code system; ``designator`` is DICOM's (PS3.16 table 8-1)
concepts.csv      key,group,definition,source                one concept; ``key`` is lower-case words joined by hyphens
codings.csv       concept,system,code,display,equivalence,part,status,source
                  a code of a concept, best first. ``equivalence`` (exact, broader, narrower, related) is of the code, seen
                  from the concept. ``part`` numbers the codes that only together mean the concept; 0 or empty: the code
                  stands alone. ``status``: verified, or draft: known, but never written. The reference verifies that a
                  code exists with its display; exact here says that it means the concept and nothing more: a code that adds
                  a region, a side, a sex or an encounter is narrower. A classification's code (ICD-10-CM) may be exact for
                  several concepts; alone it then tells none of them. SNOMED CT displays are those of the DICOM subset,
                  elsewhere our own words for what the code says.
designations.csv  concept,language,use,field,term            a word for a concept. ``use``: preferred, synonym, abbreviation,
                  plural; an abbreviation is compared with its case (PD, CUP), so only those are listed as one that are words
                  otherwise. ``field``: the mapping row within which the term is looked up; empty: everywhere. Case, hyphens,
                  regular plurals and British spellings are found by rule.
spellings.csv     british,american,source                    one word a line, singular; applied to each word of a term
value_sets/<name>.csv  concept,source                        which concepts may answer a field; left-sided-sites, right-sided-sites and
                  midline-sites are where a side is held against the site: midline only where a side names no part of it
translations.csv  from_system,from_code,to_system,to_code,relationship,source
"""
