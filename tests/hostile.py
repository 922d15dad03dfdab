"""Texts that are legal and nasty, the places of a document that they go to, and what others read in what is written.

Each reader here is somebody else's: pydicom, fhir.resources, lxml, python-hl7, the standard library's HTML parser. It
gives the values of a document and its shape: what there is of elements, segments and items when the words are left out.
"""

import json
import warnings
from collections.abc import Iterable, Iterator
from copy import deepcopy
from io import BytesIO
from typing import Any, NamedTuple

import hl7
import pydicom
from hypothesis import strategies as st
from lxml import etree
from pydicom.multival import MultiValue

from tests.documents import EXAMPLE, Json
from tests.unit.formats.html.markup import Html

TOKENS = [
    *("\\", "^", "&", "~", "|", "=", "'", '"', "<", ">", "/", "]]>", "<!--", "<script>x()</script>", "&amp;", "&#0;"),
    *("\\X0D\\", "\\.br\\", "\\E\\", "\\F\\", "\\.sp80\\", '""', "\\u0041", "%00", "${7*7}", "{{7*7}}"),
    *("=1+1", "+1", "-1", "@SUM(A1)", "MSH|^~\\&|", "\rOBX|9|TX|x", "\nPID|1", "\t", "\n", "\r\n", "\r"),
    *("\x00", "\x07", "\x0b", "\x1b[1m", "\x1c\r", "\x7f", "\x85", "\ufffe", "\ud800", "\udc00", "\u202e"),
    *("e\u0301", "\u0301", "\u200f", "\u2067", "\u2069", "\u200d", "\u200b", "\xad", "\ufeff", "\ufffd", "\ue000"),
    *("\xa0", "\u3000", "\u2003", "\u2028", "\u2029", " ", "  ", "   ", "\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631"),
    *("😀", "👩\u200d👩", "山田", "Å", "\u212b", "ﬁ", "a", "B", "word", "l0ng" * 20),
]
PLACES = {
    "/patient/id": "patient id",
    "/patient/issuer": "issuer",
    "/patient/name": "Doe^Jane",
    "/patient/otherIds/0/id": "other id",
    "/study/accession": "accession",
    "/study/accessionIssuer": "issuer of it",
    "/study/description": "description",
    "/study/referringPhysician/name": "Gray^Henry",
    "/observers/0/person/name": "Roe^Richard",
    "/observers/0/person/id": "person id",
    "/observers/0/person/organization": "organization",
    "/observers/1/device/name": "device",
    "/observers/1/device/manufacturer": "maker",
    "/observers/1/device/model": "model",
    "/observers/1/device/version": "version",
    "/observers/1/device/algorithm": "algorithm",
    "/report/id": "report id",
    "/report/sender": "sender",
    "/report/impression": "Impression.",
    "/report/findings": "Findings.",
    "/lesions/0/id": "L1",
    "/lesions/0/text": "Text.",
}
"""By pointer, what stands there in the harmless document."""
_ANY = {"/report/impression", "/report/findings", "/lesions/0/text"}
"""Texts of several lines."""
_TEXT_VRS = frozenset({"LO", "SH", "PN", "ST", "LT", "UT", "UC"})
_LONG_CODES = frozenset({0x00080100, 0x00080119, 0x00080120})
_SPLIT = frozenset({"p", "br", "span"})


def is_prose(pointer: str) -> bool:
    """Whether a text of several lines may stand there."""
    return pointer in _ANY


def is_name(pointer: str) -> bool:
    """Whether a person's name stands there."""
    return pointer.endswith("/name") and "device" not in pointer


def texts() -> st.SearchStrategy[str]:
    """One to eight nasty pieces in a row."""
    return st.lists(st.sampled_from(TOKENS), min_size=1, max_size=8).map("".join)


def document(said: dict[str, str] | None = None) -> Json:
    """The document with a text at every place; those of ``said`` instead of the harmless ones."""
    made = deepcopy(EXAMPLE)
    del made["observer"]
    made["observers"] = [{"person": {}}, {"device": {"uid": "1.2.3.4"}}]
    made["patient"]["otherIds"] = [{}]
    made["study"]["referringPhysician"] = {}
    for pointer, text in {**PLACES, **(said or {})}.items():
        *way, last = pointer[1:].split("/")
        holder: Any = made
        for name in way:
            holder = holder[int(name)] if isinstance(holder, list) else holder[name]
        holder[last] = text
    return made


class Seen(NamedTuple):
    """What somebody else reads in a document."""

    values: frozenset[str]
    shape: tuple[str, ...]


def of_sr(content: bytes) -> Seen:
    """Text elements by pydicom; a value that was parted in two is two elements of the shape."""
    found: list[tuple[str, str]] = []
    for element in pydicom.dcmread(BytesIO(content)).iterall():
        many = element.value if isinstance(element.value, MultiValue) else [element.value]
        tag = 0x00080100 if element.tag in _LONG_CODES else element.tag  # which of them goes by the length (PS3.3 8.8)
        found += [(str(tag), str(one)) for one in many if element.VR in _TEXT_VRS]
    return _seen(found)


def of_fhir(content: bytes, release: str) -> Seen:
    """Strings of a bundle by the models of fhir.resources; what stands in the narrative is XHTML."""
    if release == "R5":
        from fhir.resources.bundle import Bundle
    else:
        from fhir.resources.R4B.bundle import Bundle  # type: ignore[assignment] # the same model of another release
    bundle = Bundle.model_validate_json(content)
    return _seen(_strings(json.loads(bundle.model_dump_json()), ""))


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(item, f"{path}.{name}") if name != "div" else _divided(etree.fromstring(item))
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, path)
    elif isinstance(value, str):
        yield path, value


def of_xml(content: bytes) -> Seen:
    """Attributes of a bundle in XML by lxml, and the words of its narratives."""
    found: list[tuple[str, str]] = []
    for element in etree.fromstring(content).iter():
        name = etree.QName(element).localname
        if name == "div" and element.getparent() is not None and etree.QName(element.getparent()).localname == "text":
            found += _divided(element)
        elif etree.QName(element).namespace == "http://hl7.org/fhir":
            found.append((name, element.get("value", "")))
    return _seen(found)


def _divided(narrative: Any) -> Iterator[tuple[str, str]]:
    """Elements of a narrative but for those that part a text or turn its direction."""
    yield "words", " ".join("".join(narrative.itertext()).split())
    for element in narrative.iter():
        if etree.QName(element).localname not in _SPLIT:
            yield etree.QName(element).localname, ""


def of_v2(content: bytes) -> Seen:
    """Every subcomponent of a message by python-hl7; segments of one text are as many as it has lines."""
    message = hl7.parse(content.decode())
    found: list[tuple[str, str]] = []
    for segment in message:
        name, *fields = segment
        is_text = str(name) == "OBX" and str(fields[1]) == "TX"
        for place, field in enumerate(fields, 1):
            found += [("OBX.TX" if is_text else f"{name}.{place}", one) for one in _parts(message, field)]
    return _seen(found)


def _parts(message: Any, field: Any) -> Iterator[str]:
    if isinstance(field, str):
        yield message.unescape(field).replace("\r", "\n")
    else:
        for part in field:
            yield from _parts(message, part)


def of_page(content: bytes) -> Seen:
    """The words of a page and its elements, by the standard library's parser."""
    page = Html(content.decode())
    shape = tuple(one for one in page.elements if one not in _SPLIT)
    return Seen(frozenset({page.words}), shape)


def of_json(content: bytes) -> Seen:
    """Findings JSON by the standard library."""
    return _seen(_strings(json.loads(content), ""))


def _seen(found: Iterable[tuple[str, str]]) -> Seen:
    listed = list(found)
    return Seen(frozenset(value for _, value in listed), tuple(sorted(name for name, _ in listed if name != "OBX.TX")))


warnings.filterwarnings("ignore", module="pydicom")
