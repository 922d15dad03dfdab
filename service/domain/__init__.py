"""The report in the field's own words: frozen dataclasses, times, codes, UIDs and the one error tree.

Standard library only; every other room imports from here, this one from none.
"""
