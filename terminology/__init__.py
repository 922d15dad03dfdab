"""The vocabulary as tables, one fact a line, each with its source. Data only; `service.coding` loads and checks it.

code_systems.csv  designator,uri,oid,name,licence,source     one code system; ``designator`` is DICOM's (PS3.16 table 8-1)
concepts.csv      key,group,definition,source                one concept; ``key`` is lower-case words joined by hyphens
codings.csv       concept,system,code,display,equivalence,part,status,source
                  a code of a concept, best first. ``equivalence`` (exact, broader, narrower, related) is of the code, seen
                  from the concept. ``part`` numbers the codes that only together mean the concept; 0 or empty: the code
                  stands alone. ``status``: verified or draft.
designations.csv  concept,language,use,field,term            a word for a concept. ``use``: preferred, synonym, abbreviation,
                  plural. ``field``: the mapping row within which the term is looked up; empty: everywhere.
value_sets/<name>.csv  concept,source                        which concepts may answer a field
translations.csv  from_system,from_code,to_system,to_code,relationship,source
"""
