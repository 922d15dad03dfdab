"""`lesionbridge purge`, `backup` and `restore`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.access.events import Arrival
from service.commands.speaking import DAYS, counted, refusing, settings, shown, stop, store
from service.commands.trail import Act, acting
from service.domain.errors import LesionBridgeError

if TYPE_CHECKING:
    from service.config import Settings
    from service.store.reports import Store
    from service.store.retention import Purged


@click.command("purge")
@click.option("--days", type=DAYS, help="Older than so many days [setting keep_days].")
@click.option("--dead-letters", is_flag=True, help="Those with dead letters too.")
@click.option("--dry-run", is_flag=True, help="Only say how many.")
@refusing
def purge(days: int | None, *, dead_letters: bool, dry_run: bool) -> None:
    """Remove old reports with all that belongs to them; never one that is on its way."""
    here = settings()
    keep = days or here.keep_days
    if not keep:
        stop("say --days, or set keep_days")
    kept = store(here)
    with acting(here, kept, Act(Arrival.REMOVED, f"purge --days {keep}", changes=not dry_run)) as act:
        if dry_run:
            gone = kept.retention.would_purge(keep, dead_letters=dead_letters)
        else:
            gone = _purged(kept, keep, act, dead_letters=dead_letters)
    said = "would be removed" if dry_run else "removed"
    click.echo(f"{counted(gone.reports, 'report')} with {counted(gone.versions, 'version')} {said}", err=True)


def _purged(kept: Store, days: int, act: Act, *, dead_letters: bool) -> Purged:
    """Remove them part by part, each in a transaction: the event of a purge that broke off says how far it came."""
    from service.store.retention import BATCH, Purged

    command, gone = act.command, Purged(0, 0)
    while True:
        part = kept.retention.purge(days, dead_letters=dead_letters, most=BATCH)
        gone = Purged(gone.reports + part.reports, gone.versions + part.versions)
        act.command = f"{command} ({counted(gone.reports, 'report')})"
        if part.reports < BATCH:
            return gone


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@refusing
def backup(file: Path) -> None:
    """Write a whole copy of the SQLite database to FILE, while it is in use."""
    from service.store.backup import backup as copied

    here = settings()
    with closing(store(here, as_it_is=True)) as kept, acting(here, kept, Act(Arrival.COPIED, "backup")):
        size = copied(here.database_url, file)
    click.echo(f"{shown(file)}: {size} bytes", err=True)


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="In the place of the database that is there.")
@refusing
def restore(file: Path, *, replace: bool) -> None:
    """Put a copy back in the place of the SQLite database; the service must be stopped."""
    from service.store.backup import restore as put_back

    here = settings()
    with closing(store(here, as_it_is=True)) as kept, acting(here, kept, Act(Arrival.RESTORED, "restore")) as act:
        there = _end_of_trail(here) if replace else "there was no database"
        put_back(here.database_url, file, replace=replace)
        act.command = f"restore ({there})"
        moved = kept.migrate()
        if moved is not None:
            act.command = f"restore ({there}; tables {moved[0]} to {moved[1]})"
    click.echo("restored: what was delivered since the copy is sent again, which doubles nothing", err=True)


def _end_of_trail(here: Settings) -> str:
    """Where the trail ends that a copy takes the place of: else nobody could say what is missing."""
    kept = store(here, as_it_is=True)
    try:
        last = kept.audit.last()
    except LesionBridgeError:
        return "the trail before it can't be read"
    finally:
        kept.close()
    return (
        f"the trail before it ended at {last.position}, hash {last.hash}" if last is not None else "no trail before it"
    )
