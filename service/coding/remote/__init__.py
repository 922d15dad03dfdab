"""Another terminology server (FHIR R4: Snowstorm, Ontoserver ...), asked for what is not here in full.

`RemoteFirst` is a `Terminology` that asks it about systems of which only a fragment is here, and answers from the
tables when it is away; each answer says which of the two it is. `RemoteTerms` asks it about the terms of reports.
`client` speaks HTTP, with a `cache` and a `circuit`.
"""

from service.coding.remote.client import Away, Client, RemotePolicy, client_of
from service.coding.remote.first import RemoteFirst
from service.coding.remote.terms import RemoteTerms

__all__ = ["Away", "Client", "RemoteFirst", "RemotePolicy", "RemoteTerms", "client_of"]
