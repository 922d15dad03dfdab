"""How outputs are written: options that several commands share; `service.api.writing_schemas` has them for REST."""

import click

from service.pipeline import BUNDLES, DIALECTS, LANGUAGES, PROFILES

DIALECT = click.option("--dialect", type=click.Choice(DIALECTS), default="strict", show_default=True, help="Of the SR.")
BUNDLE = click.option("--bundle", type=click.Choice(BUNDLES), default="transaction", show_default=True, help="Of FHIR.")
PROFILE = click.option("--profile", type=click.Choice(PROFILES), help="Whose FHIR profiles the bundle is shaped for.")
LANGUAGE = click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Of headings and labels on the page and in the narrative; that of the report when absent.",
)
