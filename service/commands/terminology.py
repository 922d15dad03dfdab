"""`lesionbridge terminology`: the codes and words that findings are coded with."""

import click

from service.commands.terminology_check import check
from service.commands.terminology_releases import import_, list_, remove
from service.commands.terminology_search import search


@click.group("terminology")
def command() -> None:
    """Look after the tables of codes and words, and the releases that the site has loaded."""


for _one in (check, import_, list_, remove, search):
    command.add_command(_one)
