"""How large and how deep an input may be; each is a setting of the deployment."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds held while reading; passing one is refused with TooLarge (bytes) or Invalid (rule ``limit``)."""

    body_bytes: int = 16 * 1024 * 1024
    depth: int = 32
    values: int = 500_000  # of one document, about: its commas and brackets
    lesions: int = 5_000
    entries: int = 50_000  # of one FHIR bundle
    elements: int = 400_000  # of one FHIR document in XML: each costs as much as ten values of JSON
    part_header_bytes: int = 8_192  # of the headers of one part of a multipart body
    instances: int = 100  # in one store request (STOW-RS)
    items: int = 1_000  # of any other list: measurements, descriptors, images, regions, observers
    points: int = 10_000  # of one region
    text_characters: int = 65_536  # of one free text
    term_characters: int = 256  # of one term, id or name
    digits: int = 32  # of one number
    mask_voxels: int = 2**28  # of the frames of one SEG, and of the space around them
    measured_voxels: int = 2**36  # looked at for the segments of one document
    masks: int = 100  # SEG files in one form
    batch_bytes: int = 4 * 1024 * 1024 * 1024  # of one batch, before and after gzip
    batch_lines: int = 1_000_000  # of one batch
    release_files: int = 10_000  # of one package of a terminology release
    release_bytes: int = 16 * 1024 * 1024 * 1024  # of one package, unpacked
    release_ratio: int = 200  # unpacked to packed, of a file in a package
    release_json_bytes: int = 64 * 1024 * 1024  # of one FHIR resource: it is held whole
    expansion: int = 10_000  # codes of a value set in one answer
    ecl_characters: int = 20_000  # of one expression constraint; ``depth`` bounds its nesting
    ecl_concepts: int = 500_000  # looked at while one is evaluated
