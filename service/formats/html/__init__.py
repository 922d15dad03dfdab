"""The readable report: a page for people and the XHTML narrative of a FHIR DiagnosticReport, with the same facts.

Both are made from the same sections, so that one can't say what the other leaves out. No script, no outside asset, and
every text of the sender is escaped where it enters the markup (`text.inline`, `text.block`, `text.attribute`).
"""
