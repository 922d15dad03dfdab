"""The modality of an image where its SOP class leaves no doubt: the IOD of these classes fixes Modality (0008,0060).

A report says one modality for its study, and a PET/CT has images of two. What an output says of an image is not taken
from the study where the class of the image says something else.
"""

from functools import cache
from typing import Final

from service.coding import vocabulary
from service.coding.lookup import coded
from service.domain.codes import CodedTerm, Resolution

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
OF_CLASS: Final = {
    f"{_STORAGE}{tail}": concept
    for concept, tails in (
        ("computed-radiography", ("1",)),
        ("computed-tomography", ("2", "2.1", "2.2")),
        ("magnetic-resonance-imaging", ("4", "4.1", "4.3", "4.4")),
        ("ultrasound", ("3.1", "6.1", "6.2")),
        ("nuclear-medicine", ("20",)),
        ("positron-emission-tomography", ("128", "128.1", "130")),
        ("segmentation", ("66.4",)),
    )
    for tail in tails
}
"""SOP Class UID to the concept of its modality."""


def modality_of(sop_class: str) -> CodedTerm | None:
    """The modality that a SOP class says by itself, None where it leaves it open."""
    concept = OF_CLASS.get(sop_class)
    return _modality(concept) if concept is not None else None


@cache
def _modality(concept: str) -> CodedTerm:
    tables = vocabulary()
    return coded(tables.concepts[concept], Resolution.KEY, tables.members["modality"])
