"""One room a format, each with up to two doors: `read` and `write`.

`jsontext` and `reading` belong to no format: JSON text with its limits, for all that are written in it.
"""
