"""A document with the SEG files that measure its segments, as multipart/form-data (RFC 7578)."""

import re
from io import BytesIO
from itertools import islice
from typing import Final

from flask import Request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from service.api import body, negotiation
from service.domain.errors import Invalid, Problem, Unreadable
from service.domain.limits import Limits
from service.doors import Format

FORM: Final = "multipart/form-data"
REPORT: Final = "report"
SEG: Final = "seg"
_LINE_END: Final = rb"[ \t]*(?:\r\n|\n|\r)"
_BLANK_LINE: Final = re.compile(rb"\r\n\r\n|\r\r|\n\n")
"""As werkzeug has them: RFC 2046 5.1.1 asks for CR LF."""


def received(request: Request, limits: Limits) -> tuple[bytes, Format, tuple[bytes, ...]]:
    """A request's document, its format and its masks: a form, or a body that is the document alone.

    Raises what `parts`, `negotiation.reader` and `body.read` raise, the second before a byte is read.
    """
    kind = request.content_type
    form = None if is_form(kind) else negotiation.reader(kind)
    content = body.read(request, limits.body_bytes)
    return parts(kind or "", content, limits) if form is None else (content, form, ())


def is_form(content_type: str | None) -> bool:
    """Whether a body is a form."""
    return parse_options_header(content_type or "")[0].lower() == FORM


def parts(content_type: str, content: bytes, limits: Limits) -> tuple[bytes, Format, tuple[bytes, ...]]:
    """The document of the part ``report``, its format, and the SEG files of the parts ``seg``.

    Raises Unreadable for what is no form, Invalid for other parts, for more files than the limit ``masks`` lets, longer
    headers than ``part_header_bytes``, or none of ``report``, UnsupportedMedia for its type.
    """
    kind, options = parse_options_header(content_type)
    most = limits.masks
    _hold_headers(content, options.get("boundary", ""), limits)
    reader = FormDataParser(silent=False, max_form_parts=most + 1)
    try:
        _, fields, files = reader.parse(BytesIO(content), kind.lower(), len(content), options)
    except RequestEntityTooLarge as error:
        why = f"a form has {most} files `{SEG}` at most (limits.masks)"
        raise Invalid(Problem("", "limit", why)) from error
    except (ValueError, HTTPException) as error:
        raise Unreadable(Problem("", "form", "the body is no multipart/form-data (RFC 7578)")) from error
    reports, masks = files.getlist(REPORT), files.getlist(SEG)
    # A text field is no file, whatever its name: it would be left out silently.
    if fields or set(files) - {REPORT, SEG} or len(reports) != 1:
        why = f"a form has one file `{REPORT}` with its Content-Type, and files `{SEG}`"
        raise Invalid(Problem("", "form", why, (REPORT, SEG)))
    document = reports[0]
    return document.read(), negotiation.reader(document.content_type), tuple(mask.read() for mask in masks)


def _hold_headers(content: bytes, boundary: str, limits: Limits) -> None:
    """Bound the headers of each part before they are parsed: of a part that is only headers each line is an object."""
    delimiter = re.compile(rb"(?:^|[\r\n])--" + re.escape(boundary.encode("latin-1", "replace")) + _LINE_END)
    most = limits.part_header_bytes
    for number, found in enumerate(islice(delimiter.finditer(content), limits.masks + 1), 1):
        # Only what can hold an end is looked at; the line's end of the delimiter may be half of a blank line.
        end = _BLANK_LINE.search(content, found.end() - 2, found.end() + most + 4)
        if end is None and len(content) - found.end() > most:
            why = f"the headers of a part are longer than {most} bytes (limits.part_header_bytes)"
            raise Invalid(Problem(f"part[{number}]", "limit", why))
