"""Who may do what: API keys, bearer tokens, scopes, rates, and the trail of what was done.

principal  who asks, for which sender, with which scopes
keys       API keys: made, shown once, kept as a digest
tokens     JWT bearer tokens of an OpenID Connect provider (RFC 9068, RFC 8725)
rates      how often a caller may ask
events     what was done as FHIR AuditEvent
"""
