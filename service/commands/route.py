"""`lesionbridge route`: which rule says where a report goes."""

from dataclasses import replace
from pathlib import Path

import click

from service.commands.inputs import read
from service.commands.speaking import problems_said, refusing, say, settings
from service.doors import Format, detect
from service.receiving.settings import WAYS


@click.command("route")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--source", "way", type=click.Choice(WAYS), default="rest", show_default=True, help="The way it comes in."
)
@click.option("--sender", metavar="NAME", help="Whose it is, as a site, where it does not say so itself.")
@click.option(
    "--from", "form", type=click.Choice([str(one) for one in Format]), help="Its format, where it is not found out."
)
@refusing
def command(file: str, way: str, sender: str | None, form: str | None) -> None:
    """Say which rule takes effect for FILE, and what kept the rules before it from that."""
    from service.api.deployment import Deployment
    from service.doors import Options
    from service.pipeline import convert
    from service.receiving.routing import explained

    here = Deployment(settings())
    if here.doubts:
        problems_said("receiving_file", "rules that may never take effect", here.doubts)
    body = read(Path(file), here.settings.limits.body_bytes)
    source = here.source(body, Format(form) if form else detect(body))
    if sender is not None:
        source = replace(source, default_sender=sender)
    outcome = convert(source, (), Options())
    told = explained(here.receiving.routes, outcome.report, way)
    for verdict in told:
        route = verdict.route
        if verdict.failing:
            say(f"{route.name}: no, its {verdict.failing} is another")
        else:
            say(f"{route.name}: takes effect; goes to {', '.join(route.deliver) or 'no destination'}")
    if not told or told[-1].failing:
        say("no rule takes effect: kept, and delivered nowhere")
