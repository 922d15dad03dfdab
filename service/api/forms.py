"""A document with the SEG files that measure its segments, as multipart/form-data (RFC 7578)."""

from io import BytesIO
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


def received(request: Request, limits: Limits) -> tuple[bytes, Format, tuple[bytes, ...]]:
    """A request's document, its format and its masks: a form, or a body that is the document alone.

    Raises what `parts`, `negotiation.reader` and `body.read` raise, the second before a byte is read.
    """
    kind = request.content_type
    form = None if is_form(kind) else negotiation.reader(kind)
    content = body.read(request, limits.body_bytes)
    return parts(kind or "", content, limits.masks) if form is None else (content, form, ())


def is_form(content_type: str | None) -> bool:
    """Whether a body is a form."""
    return parse_options_header(content_type or "")[0].lower() == FORM


def parts(content_type: str, content: bytes, most: int) -> tuple[bytes, Format, tuple[bytes, ...]]:
    """The document of the part ``report``, its format, and the SEG files of the parts ``seg``, ``most`` at most.

    Raises Unreadable for what is no form, Invalid for other parts, for too many, or none of ``report``,
    UnsupportedMedia for its type.
    """
    kind, options = parse_options_header(content_type)
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
