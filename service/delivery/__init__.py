"""Where reports go: destinations, how they are set up, and what their answers mean.

What is delivered are the bytes that were stored when a report was accepted; nothing here makes or changes content
(a DICOM transfer syntax aside). A destination makes one attempt; when to try again is decided by who calls it.
"""
