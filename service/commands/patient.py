"""`lesionbridge patient merge`: ids of one patient that were taken for two."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from service.access.events import Arrival
from service.commands.answering import answer, answering, done
from service.commands.speaking import counted, problems_said, ready, say, settings, stop
from service.commands.trail import Act, acting

if TYPE_CHECKING:
    from service.domain.report import PatientId
    from service.store.patients import Merged


@click.group("patient")
def command() -> None:
    """Patients whose ids are merged."""


@command.command("merge")
@click.argument("prior", metavar="PRIOR")
@click.argument("survivor", metavar="SURVIVOR")
@click.option("--issuer", metavar="ISSUER", help="Who issued both ids: a key of the issuer table, a URI or an OID.")
@click.option("--prior-issuer", metavar="ISSUER", help="Who issued PRIOR, where it is another one.")
@click.option(
    "--dry-run", is_flag=True, help="Only say what would be found under SURVIVOR, and would have to come again."
)
@answering
def merge(prior: str, survivor: str, issuer: str | None, prior_issuer: str | None, *, dry_run: bool) -> None:
    """Let what is kept under the id PRIOR be found under SURVIVOR, and say what has to be sent again.

    Without an issuer only what has none is meant. On standard output a line each: `resend` with our id, sender, report,
    version and status; `delivery` with its id, that of the report, destination and state.
    """
    from service.api.deployment import Deployment
    from service.receiving.merging import merge as merged

    here = Deployment(settings())
    ready(here.store)
    try:
        with acting(here.settings, here.store, Act(Arrival.MERGE, "patient merge", changes=not dry_run)) as act:
            found = merged(here, _named(survivor, issuer), _named(prior, prior_issuer or issuer), dry_run=dry_run)
            act.about(*(("report", one.id) for one in found.reports))
    finally:
        here.store.close()
    with nullcontext() if dry_run else done("merged; the same merge again says what has to come again"):
        _list(found)
    reports, deliveries = (
        counted(len(found.reports), "report"),
        counted(len(found.deliveries), "delivery", "deliveries"),
    )
    say("nothing is changed; after a merge:" if dry_run else "merged")
    say(f"to come again as a new version: {reports}; sent with the prior id: {deliveries}")
    if found.notices:
        problems_said("patient merge", "the prior id is not known", found.notices)


def _list(found: Merged) -> None:
    for one in found.reports:
        answer(f"resend\t{one.id}\t{one.sender}\t{one.report_id}\t{one.version}\t{one.status}")
    for sent in found.deliveries:
        answer(f"delivery\t{sent.id}\t{sent.report}\t{sent.destination}\t{sent.state}")


def _named(said: str, issuer: str | None) -> PatientId:
    from service.api.merge_schemas import WORD
    from service.receiving.merging import named

    if any(one is not None and re.fullmatch(WORD, one) is None for one in (said, issuer)):
        stop("an id or an issuer is empty, too long or holds control characters")
    return named(said, issuer)
