"""One room a format, each with up to two doors: `read` and `write`."""
