"""Coverage-guided fuzzing of every reader, with atheris (libFuzzer): `python -m tests.fuzz --help`.

A reader may refuse a document, and a report that is read may be refused when it is coded. Anything else that is raised,
an input that takes longer than the limit, and more memory than the limit are findings.
"""
