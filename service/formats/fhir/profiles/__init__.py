"""Profiles of others as output modes: a bundle is shaped for one, and only what keeps its rules claims it.

The rules are rows of ``mappings/fhir_profiles.csv``. `shaping` holds a bundle while it is shaped, `claims` judges, and
a module for each mode does what the mode asks for beside what is written anyway.
"""
