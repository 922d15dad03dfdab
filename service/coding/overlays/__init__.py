"""Local codes and words of a site, mapped to concepts: read, checked, and put before the shipped tables.

`reading.read` takes a CSV table or a FHIR ConceptMap, `checking.check` holds it against the vocabulary, `overlay`
applies what stood the check, and `site.SiteOverlays` keeps the overlays of all senders up to date.
"""
