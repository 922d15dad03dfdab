"""The door of this room: a coded report as a page for people, and as the narrative of a FHIR resource."""

from service.formats.html.narrative import narrative
from service.formats.html.page import page

__all__ = ["narrative", "page"]
