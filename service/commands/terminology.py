"""`lesionbridge terminology`: the codes and words that findings are coded with."""

import click

from service.commands.terminology_check import check


@click.group("terminology")
def command() -> None:
    """Look after the tables of codes and words."""


command.add_command(check)
