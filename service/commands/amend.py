"""`lesionbridge amend` and `lesionbridge cancel`: the next version of a stored report."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from service.access.events import Arrival
from service.amendments import REASONS, Kind, amended, cancelled, default_reason, destinations
from service.commands.answering import answering, done, give
from service.commands.inputs import documents, mapping_text
from service.commands.report import identify
from service.commands.speaking import received, settings, site, stop, store
from service.commands.trail import Act, acting
from service.commands.writing import BUNDLE, DIALECT, LANGUAGE, PROFILE
from service.domain.errors import LesionBridgeError
from service.domain.times import DateTime
from service.doors import READERS, detect
from service.pipeline import Format, Options, Source
from service.publishing import Planner, Receipt, publish

if TYPE_CHECKING:
    from service.config import Settings
    from service.receiving.routing import Routed
    from service.store.reports import Store
    from service.store.versions import Stored
    from service.workflows.accepting import Plan

_SENDER = click.option("--sender", help="Whose id it is, when ID is the sender's own [setting default_sender].")
_DELIVER = click.option(
    "--deliver", metavar="NAMES", help="Destinations. Default: where the versions before went, and what the rules say."
)
_REJECT = click.option(
    "--reject",
    is_flag=False,
    flag_value="true",
    metavar="[REASON]",
    type=click.Choice(["true", *REASONS]),
    help=f"Write a rejection note for the SRs before: {', '.join(REASONS)} [the first].",
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be kept, keep nothing.")
_OPTIONS = (_SENDER, _DELIVER, _DRY_RUN, _REJECT, DIALECT, BUNDLE, PROFILE, LANGUAGE)
Body = TypeVar("Body", bound=Callable[..., None])


def _of_a_next_version(command: Body) -> Body:
    """Give a command the options that every next version has."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("amend")
@click.argument("id", metavar="ID")
@click.argument("input_path", metavar="INPUT")
@click.option("--kind", required=True, type=click.Choice([str(kind) for kind in Kind]), help="What the amendment does.")
@click.option("--from", "from_", type=click.Choice([str(form) for form in READERS]), help="Found out when absent.")
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Of a table.")
@_of_a_next_version
@answering
def amend(
    id: str,  # noqa: A002 - the contract's word
    input_path: str,
    kind: str,
    from_: str | None,
    mapping: Path | None,
    **more: Any,
) -> None:
    """Correct a stored report, add to it or change it: INPUT (a file or `-`) is the report as it is right now.

    ID is ours, or the sender's own (then its newest version is meant). Prints the receipt of the new version.
    """
    here = settings()
    kept = store(here)
    with acting(here, kept, Act(Arrival.AMENDED, f"amend --kind {kind}", changes=not more["dry_run"])) as act:
        base = kept.get(identify(kept, id, more["sender"] or here.default_sender))
        act.about(("report", base.id))
        text = mapping_text(mapping)
        found = tuple(islice(documents(input_path, here.limits.body_bytes), 2))
        if len(found) != 1:
            stop(f"{input_path}: one document is wanted here")
        (document,) = found
        if isinstance(document.received, LesionBridgeError):
            raise document.received
        form = Format(from_) if from_ else detect(document.body)
        came = received(document.body, form, here, site(here), text)
        said = amended(came, base, Kind(kind), kept, reject=default_reason(more["reject"]))
        receipt = _publish(here, kept, base, said, more)
        act.about(*(("report", one) for one in (receipt.id,) if one is not None))
    _show(receipt)


@click.command("cancel")
@click.argument("id", metavar="ID")
@click.option("--issued", help="When it was withdrawn, with a zone. Default: now.")
@_of_a_next_version
@answering
def cancel(id: str, issued: str | None, **more: Any) -> None:  # noqa: A002 - the contract's word
    """Withdraw a stored report: cancelled where it never was final, else entered in error.

    ID is ours, or the sender's own (then its newest version is meant). Prints the receipt of the new version.
    """
    try:
        at = DateTime(issued) if issued is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--issued") from None
    if at is not None and not at.is_instant:
        raise click.BadParameter("needs a day, a time and a zone", param_hint="--issued")
    here = settings()
    kept = store(here)
    with acting(here, kept, Act(Arrival.WITHDRAWN, "cancel", changes=not more["dry_run"])) as act:
        base = kept.get(identify(kept, id, more["sender"] or here.default_sender))
        act.about(("report", base.id))
        came = received(b"", Format.FINDINGS, here, site(here))
        said = cancelled(came, base, kept, issued=at, reject=default_reason(more["reject"]))
        receipt = _publish(here, kept, base, said, more)
        act.about(*(("report", one) for one in (receipt.id,) if one is not None))
    _show(receipt)


def _publish(here: "Settings", kept: "Store", base: "Stored", source: Source, more: dict[str, Any]) -> Receipt:
    """Keep the next version and deliver it."""
    options = Options(more["dialect"], more["bundle"], profile=more["profile"], language=more["language"])
    plan = _plan(here, more["deliver"], destinations(base, kept))
    planner: Planner = plan
    reason = default_reason(more["reject"])
    if reason is not None:
        from service.workflows.rejecting import Rejecting

        planner = Rejecting(plan, reason, base, kept)
    return publish(source, options, kept, dry_run=more["dry_run"], planner=planner)


def _show(receipt: Receipt) -> None:
    kept = f"the version is kept as {receipt.id}: `lesionbridge report {receipt.id}` prints its receipt"
    with done(kept) if receipt.id is not None else nullcontext():
        give(receipt.content)


def _plan(here: "Settings", names: str | None, before: tuple[str, ...]) -> "Plan | Routed":
    """Where the new version goes: where it is said, else where the versions before went and what the rules say."""
    from service.destinations import load
    from service.receiving.routing import Routed
    from service.receiving.settings import load as load_receiving
    from service.store.delivery_rows import Origin
    from service.workflows.accepting import Plan, chosen

    known = load(here.destinations_file, os.environ)
    if names is not None:
        return Plan(chosen(names, known, "--deliver"))
    if before:
        chosen(",".join(before), known, "--deliver")
    return Routed(load_receiving(here.receiving_file, known).routes, known, "rest", Origin())
