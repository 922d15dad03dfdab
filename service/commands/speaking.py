"""What every command says the same way: refusals in plain words, settings, exit codes."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from service.config import DEFAULT, DESTINATION, BadSetting, Settings, load, origin, remote_terms
from service.domain.errors import DestinationsError, LesionBridgeError, Problem, ReceivingError, Unavailable
from service.domain.processing import listed

if TYPE_CHECKING:
    # Dear to import, and many commands need neither.
    from service.coding.overlays.site import SiteOverlays
    from service.domain.received import Habits
    from service.pipeline import Format, Source
    from service.store.reports import Store

REFUSED = 2
BROKEN = 3
"""The exit code of a defect of ours."""
COUNT = click.IntRange(1, 2**31 - 1)
"""A number that fits an integer column of every database."""
NO_DATABASE = "there is no database yet: run `lesionbridge migrate`"
PORT = click.IntRange(0, 65_535)
DAYS = click.IntRange(1, 36_500)
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""C0 but for tab and line end, DEL, C1 (ISO/IEC 6429), and what ends a line or turns its direction in Unicode."""
MAX_SAID = 20
"""Problems written out for one document; the rest is counted."""


def settings() -> Settings:
    """The deployment's settings, or an end with what is wrong with them."""
    try:
        return load(os.environ)
    except BadSetting as error:
        stop(str(error))


def site(here: Settings) -> SiteOverlays:
    """The mounted overlays and the loaded releases of a deployment; raises TableError with every defect."""
    from service.coding.overlays.site import SiteOverlays
    from service.coding.releases.shelves import open_shelf
    from service.pipeline import tables

    shelf = open_shelf(here.terminology, here.terminology_database)
    return SiteOverlays.open(tables(here.issuers_file), here.overlays_folder, shelf)


def received(body: bytes, form: Format, here: Settings, overlays: SiteOverlays, mapping: str = "") -> Source:
    """A document with what the deployment adds to it; ``mapping`` is the text of a table's mapping file."""
    from service.pipeline import Source

    return Source(
        body,
        form,
        default_sender=here.default_sender,
        limits=here.limits,
        issuers_file=here.issuers_file,
        site=overlays,
        zone=here.default_zone,
        processing=listed(here.hl7_processing),
        remote=remote_terms(here),
        mapping=mapping,
        habits=habits(here),
    )


@cache
def habits(here: Settings) -> Mapping[str, Habits]:
    """What each site leaves out, where a receiving file says so; raises TableError for one that is wrong."""
    if not here.receiving_file:
        return {}
    from service.destinations import load as load_destinations
    from service.receiving.settings import load as load_receiving

    return load_receiving(here.receiving_file, load_destinations(here.destinations_file, os.environ)).habits


def store(here: Settings, *, as_it_is: bool = False) -> Store:
    """The database of a deployment, or an end with what is wrong with its setting or its tables.

    ``as_it_is``: the tables need not be there, or may be of another step.
    """
    from service.store.reports import Store

    said = f"setting database_url ({origin('database_url', os.environ)})"
    try:
        kept = Store(here.database_url)
    except ValueError as error:
        stop(f"{said}: {error}")
    except OSError as error:
        stop(f"{said}: the folder {error.filename} can't be made ({error.strerror})")
    if kept.is_in_memory:
        stop(f"{said}: it is in memory, and gone with each process: name a file (sqlite:////path)")
    return kept if as_it_is else ready(kept)


def ready(kept: Store) -> Store:
    """The same, or an end with what is wrong with its tables."""
    if not kept.is_there():
        stop(f"{NO_DATABASE} (setting database_url, {origin('database_url', os.environ)})")
    for fault in kept.faults():
        stop(fault)
    return kept


def say(text: str) -> None:
    """One line on standard error; what would steer a terminal, as in a sender's names, is written out instead."""
    click.echo(_STEERING.sub(lambda found: f"<U+{ord(found[0]):04X}>", text), err=True)


def mention(text: str) -> None:
    """The same of a server, which goes on where its log can't be written."""
    with suppress(OSError):
        say(text)


def stop(text: str) -> NoReturn:
    """End with a line on standard error, if that can be written."""
    mention(text)
    raise SystemExit(REFUSED)


def shown(name: str | Path) -> str:
    """A file's name in a line: what ends one or is no text is written out."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return text.translate({ord(one): f"<U+{ord(one):04X}>" for one in "\t\n"})


def counted(number: int, thing: str, things: str = "") -> str:
    """A number of things in words."""
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"


def lasting(seconds: float) -> str:
    """How long, in hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def refusal(name: str, error: LesionBridgeError) -> None:
    """Say why a document was refused, each problem with its place and rule."""
    problems_said(name, error.title, error.problems)


def problems_said(name: str, title: str, problems: Sequence[Problem], whole: str = "(whole document): ") -> None:
    """Say a title and the problems that it stands over, each with its place and rule; ``whole`` is no place."""
    say(f"{name}: {title.lower()}")
    for problem in problems[:MAX_SAID]:
        place = f"{problem.pointer}: " if problem.pointer else whole
        say(f"  {place}{problem.detail} [{problem.rule}]")
        if problem.candidates:
            say(f"    candidates: {', '.join(problem.candidates)}")
    if len(problems) > MAX_SAID:
        say(f"  and {len(problems) - MAX_SAID} more")


def refusing(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that ends with the reason, and nothing else: exit 2 when the service refuses or a file can't be read or
    written, exit 3 for a defect of ours, whose text might hold what a document says: only its kind and place are said.
    """

    @wraps(command)
    def spoken(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except LesionBridgeError as error:
            with suppress(OSError):
                problems_said("lesionbridge", error.title, error.problems, whole="")
                for name in _settings_of(error):
                    say(f"  setting {name} ({said_by(name)})")
            raise SystemExit(REFUSED) from None
        except BadSetting as error:
            stop(str(error))
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own; one that reads no further has what it wants
        except OSError as error:
            at = f"{shown(str(error.filename))}: " if error.filename is not None else "reading or writing failed: "
            stop(f"{at}{error.strerror or type(error).__name__}")
        except UnicodeEncodeError as error:
            stop(_unsayable(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, its text is not shown
            mention(f"lesionbridge: a defect of ours, {type(error).__name__} at {_where(error)}: please report it")
            raise SystemExit(BROKEN) from None

    return spoken


def said_by(name: str) -> str:
    """Where a setting is said, for people; the file of destinations may be said in part, or alone, by variables."""
    found = origin(name, os.environ)
    if name != "destinations_file" or not any(one.startswith(DESTINATION) for one in os.environ):
        return found
    variables = f"variables {DESTINATION}..."
    return variables if found == DEFAULT else f"{found}, and {variables}"


def _settings_of(error: LesionBridgeError) -> Iterator[str]:
    """The settings that a refusal comes from, by name."""
    if isinstance(error, DestinationsError):
        of_context = any(problem.pointer == "study_context" for problem in error.problems)
        yield "study_context" if of_context else "destinations_file"
    elif isinstance(error, Unavailable) and any(problem.rule == "terminology" for problem in error.problems):
        yield "terminology_folder"
        yield "database_url"
    elif isinstance(error, ReceivingError):
        yield "receiving_file"
    elif any(problem.rule == "database" for problem in error.problems):
        yield "database_url"


def _unsayable(error: UnicodeEncodeError) -> str:
    """Why a text can't be written: bytes of an argument that are no UTF-8, or an output without such characters."""
    if error.encoding == "utf-8":  # which has all but surrogates: Python's own for bytes that it could not read
        return "what was given is no UTF-8"
    return f"the output is in {sys.stdout.encoding}, which lacks a character of this text: take UTF-8 (PYTHONUTF8=1)"


def _where(error: BaseException) -> str:
    """The innermost line of ours."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "service" in Path(frame.filename).parts]
    last = ours[-1]
    parts = Path(last.filename).parts
    return f"{'/'.join(parts[len(parts) - 1 - parts[::-1].index('service') :])}:{last.lineno}"
