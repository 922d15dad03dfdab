"""Faults made on purpose: processes killed at every boundary, peers and databases that fail; what is left is counted.

`python -m benchmarks.faults` walks all of them and writes docs/faults.md.
"""
