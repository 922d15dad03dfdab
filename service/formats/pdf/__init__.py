"""The page of a report as PDF (ISO 32000-1): the words of the page and no others, laid out anew on A4.

`service.formats.html` writes the page; it is read here as markup, so nothing can be said otherwise. reportlab, which is
imported only when a PDF is asked for, draws it with fonts that go along (`fonts/`, embedded in the PDF).
"""
