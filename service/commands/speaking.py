"""What every command says the same way: refusals in plain words, settings, exit codes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, NoReturn

import click

from service.config import BadSetting, Settings, load, remote_terms
from service.domain.errors import LesionBridgeError, Problem

if TYPE_CHECKING:
    # Dear to import, and many commands need neither.
    from service.coding.overlays.site import SiteOverlays
    from service.domain.received import Habits
    from service.pipeline import Format, Source
    from service.store.reports import Store

REFUSED = 2
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


def store(here: Settings) -> Store:
    """The database of a deployment, or an end with what is wrong with its setting."""
    from service.store.reports import Store

    try:
        return Store(here.database_url)
    except ValueError as error:
        stop(f"setting database_url: {error}")
    except OSError as error:
        stop(f"setting database_url: the folder can't be made ({error.strerror})")


def say(text: str) -> None:
    """One line on standard error."""
    click.echo(text, err=True)


def stop(text: str) -> NoReturn:
    """End with a line on standard error."""
    say(text)
    raise SystemExit(REFUSED)


def counted(number: int, thing: str, things: str = "") -> str:
    """A number of things in words."""
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"


def refusal(name: str, error: LesionBridgeError) -> None:
    """Say why a document was refused, each problem with its place and rule."""
    problems_said(name, error.title, error.problems)


def problems_said(name: str, title: str, problems: Sequence[Problem]) -> None:
    """Say a title and the problems that it stands over, each with its place and rule."""
    say(f"{name}: {title.lower()}")
    for problem in problems[:MAX_SAID]:
        say(f"  {_place(problem)}: {problem.detail} [{problem.rule}]")
        if problem.candidates:
            say(f"    candidates: {', '.join(problem.candidates)}")
    if len(problems) > MAX_SAID:
        say(f"  and {len(problems) - MAX_SAID} more")


def refusing(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that ends with exit 2 and the reason when the service refuses."""

    @wraps(command)
    def spoken(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except LesionBridgeError as error:
            refusal("lesionbridge", error)
            raise SystemExit(REFUSED) from None

    return spoken


def _place(problem: Problem) -> str:
    return problem.pointer or "(whole document)"
