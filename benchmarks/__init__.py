"""The same work done by this project and by its peers, in one run, interleaved; never a timed test.

``python -m benchmarks`` prints one JSON object a line. Content equality is asserted before anything is timed.
"""
