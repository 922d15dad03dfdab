"""SR judges that run in this process, and the pydicom reading that they share."""

from __future__ import annotations

import html
import re
import warnings
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pydicom
from pydicom import config
from pydicom.datadict import dictionary_VR
from pydicom.multival import MultiValue
from pydicom.valuerep import validate_value

from tests.oracles.complaint import NotInstalled

PIXELMED_JAR = Path("/usr/share/java/pixelmed.jar")
TEXT_LIKE = ("DS", "IS", "DA", "TM", "DT", "PN")
EVIDENCE = ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
# Words that two names of one concept may differ in.
EMPTY_WORDS = frozenset({"of", "the", "and", "structure", "finding"})


def read(path: Path, *, pixels: bool = True) -> Any:
    """Read a DICOM file without any judgement on its values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = config.settings.reading_validation_mode
        config.settings.reading_validation_mode = config.IGNORE
        try:
            return pydicom.dcmread(path, stop_before_pixels=not pixels)
        finally:
            config.settings.reading_validation_mode = before


def walk(dataset: Any, place: str = "1") -> Iterator[tuple[str, Any]]:
    """Every content item below a dataset with its place, as in 1.3.2."""
    for number, item in enumerate(dataset.get("ContentSequence") or [], 1):
        yield f"{place}.{number}", item
        yield from walk(item, f"{place}.{number}")


def concept(item: Any) -> str | None:
    """Code value of the concept name."""
    names = item.get("ConceptNameCodeSequence")
    return names[0].get("CodeValue") if names else None


def judge_values(path: Path) -> list[str]:
    """Every element has the VR of the dictionary and a value that obeys it (pydicom, strict)."""
    found: list[str] = []

    def check(dataset: Any, place: str) -> None:
        for element in dataset:
            where = f"{place}/{element.keyword}"
            if element.VR == "SQ":
                for number, item in enumerate(element.value):
                    check(item, f"{where}[{number}]")
                continue
            try:
                expected = dictionary_VR(element.tag)
            except KeyError:
                expected = element.VR
            if element.VR not in expected:
                found.append(f"{where}: VR {element.VR}, the dictionary says {expected}")
            for value in element.value if isinstance(element.value, (list, MultiValue)) else [element.value]:
                if value is None or value == "":
                    continue
                # A PersonName keeps its bytes as original_string: its text is what has a length.
                said = value if element.VR == "PN" else getattr(value, "original_string", value)
                plain = str(said) if element.VR in TEXT_LIKE else value
                try:
                    validate_value(element.VR, plain, config.RAISE)
                except ValueError as error:
                    found.append(f"{where}: {error}".replace("\n", " "))

    check(read(path), "")
    return found


def judge_highdicom(path: Path) -> list[str]:
    """highdicom's template reader finds every measurement group, and reads all of each."""
    from highdicom.sr import srread

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content: Any = srread(str(path)).content
            groups = [
                *content.get_image_measurement_groups(),
                *content.get_planar_roi_measurement_groups(),
                *content.get_volumetric_roi_measurement_groups(),
            ]
            for group in groups:
                group.get_measurements()
                group.get_qualitative_evaluations()
    except Exception as error:  # noqa: BLE001  # whatever the reader stumbles over is its verdict
        return [f"{type(error).__name__}: {error}".replace("\n", " ")]
    written = sum(concept(item) == "125007" for _, item in walk(read(path)))
    return [] if len(groups) == written else [f"highdicom finds {len(groups)} of {written} measurement groups"]


@cache
def codebook() -> dict[tuple[str, str], frozenset[str]]:
    """Meanings, in lower case, of a (designator, code) in PixelMed's tables and pydicom's dictionary."""
    if not PIXELMED_JAR.exists():
        raise NotInstalled("libpixelmed-java is not installed")
    book: dict[tuple[str, str], set[str]] = {}
    with zipfile.ZipFile(PIXELMED_JAR) as jar:
        groups = jar.read("com/pixelmed/validate/DicomContextGroupsSource.xml").decode("utf-8", "replace")
        templates = jar.read("com/pixelmed/validate/DicomSRDescriptionsCompiled.xsl").decode("utf-8", "replace")
    for scheme, code, meaning in re.findall(r'<contextgroupcode csd="([^"]+)" cv="([^"]+)" cm="([^"]*)"', groups):
        book.setdefault((scheme, code), set()).add(html.unescape(meaning).lower())
    for code, scheme, meaning in re.findall(r"\(([\w.\-]+),(\w+),&quot;(.*?)&quot;\)", templates):
        book.setdefault((scheme, code), set()).add(html.unescape(meaning).replace("#", "'").lower())
    from pydicom.sr import _concepts_dict

    concepts: dict[str, Any] = _concepts_dict.concepts
    for scheme, names in concepts.items():
        for by_code in names.values():
            for code, entry in by_code.items():
                book.setdefault((scheme, code), set()).add(entry[0].lower())
    return {key: frozenset(meanings) for key, meanings in book.items()}


def _stems(text: str) -> set[str]:
    return {word[:4] for word in re.findall(r"[a-z0-9]+", text) if word not in EMPTY_WORDS}


def judge_codes(path: Path) -> list[str]:
    """A known DCM code has one of its meanings; one of another scheme, where they bind nobody, a word of one."""
    book = codebook()
    found: list[str] = []

    def check(dataset: Any) -> None:
        for element in dataset:
            if element.VR != "SQ":
                continue
            for item in element.value:
                key = (str(item.get("CodingSchemeDesignator", "")), str(item.get("CodeValue", "")))
                known = book.get(key)
                if known and key[0] != "UCUM":
                    meaning = str(item.get("CodeMeaning", "")).lower()
                    alike = key[0] != "DCM" and any(_stems(meaning) & _stems(other) for other in known)
                    if meaning not in known and not alike:
                        found.append(f'({key[1]},{key[0]},"{meaning}") is known as {" | ".join(sorted(known))}')
                check(item)

    check(read(path))
    return list(dict.fromkeys(found))
