"""The command `lesionbridge`."""

from importlib import import_module
from importlib.metadata import version
from typing import Any

import click

from service.commands.streams import hold_closed
from service.compiled import build

COMMANDS = {
    "convert": ("convert", "command"),
    "check": ("check", "command"),
    "serve": ("serve", "serve"),
    "migrate": ("serve", "migrate"),
    "report": ("report", "command"),
    "amend": ("amend", "amend"),
    "cancel": ("amend", "cancel"),
    "worker": ("worker", "command"),
    "deliveries": ("deliveries", "command"),
    "delivery": ("delivery", "command"),
    "replay": ("deliveries", "replay"),
    "give-up": ("deliveries", "give_up"),
    "batch": ("batch", "command"),
    "patient": ("patient", "command"),
    "purge": ("upkeep", "purge"),
    "backup": ("upkeep", "backup"),
    "restore": ("upkeep", "restore"),
    "key": ("key", "command"),
    "audit": ("audit", "command"),
    "code": ("code", "command"),
    "terminology": ("terminology", "command"),
    "overlay": ("overlay", "command"),
    "unmapped": ("unmapped", "command"),
    "destination": ("destination", "command"),
    "listen": ("listen", "command"),
    "route": ("route", "command"),
}
"""Command to its module in `service.commands` and its name there."""


class Commands(click.Group):
    """The commands, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Their names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """One command by name."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        found: click.Command = getattr(import_module(f"service.commands.{module}"), name)
        return found

    def main(self, *args: Any, **more: Any) -> Any:
        """Run, with standard streams that are open or that say that they are not."""
        hold_closed()
        try:
            return super().main(*args, **more)
        except OSError as error:  # the commands say their own: this is click's, of help and version
            from service.commands.answering import not_written

            not_written(error)


@click.command(cls=Commands)
@click.version_option(
    version("lesionbridge"), prog_name="lesionbridge", message=f"%(prog)s, version %(version)s ({build()})"
)
def main() -> None:
    """Lesion findings in; one coded report; a FHIR bundle and a DICOM SR that say the same."""


if __name__ == "__main__":
    main()
