"""Findings JSON, the service's own input: the schema is the contract, `read` and `write` are its two doors."""
