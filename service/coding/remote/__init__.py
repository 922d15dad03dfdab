"""Another terminology server (FHIR R4: Snowstorm, Ontoserver ...), asked for what is not here in full.

`RemoteFirst` is a `Terminology` that asks it about systems of which only a fragment is here, and answers from the
tables when it is away; each answer says which of the two it is. `client` speaks HTTP, with a `cache` and a `circuit`.
"""

from service.coding.remote.client import Away, Client, RemotePolicy
from service.coding.remote.first import RemoteFirst

__all__ = ["Away", "Client", "RemoteFirst", "RemotePolicy"]
