"""What the views work with: the settings, and the store once something needs it."""

from functools import cached_property
from typing import TYPE_CHECKING, cast

from flask import current_app

from service.config import Settings
from service.pipeline import Format, Source

if TYPE_CHECKING:
    # SQLAlchemy is imported when the first report is kept or asked for.
    from service.store.reports import Store

_EXTENSION = "lesionbridge"


class Deployment:
    """One running service."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; the database is opened when first needed."""
        self.settings = settings

    @cached_property
    def store(self) -> "Store":
        """The store of this process."""
        from service.store.reports import Store

        return Store(self.settings.database_url)

    def source(self, body: bytes, form: Format) -> Source:
        """A sender's document with what the deployment adds to it."""
        here = self.settings
        return Source(body, form, here.default_sender, here.limits, here.issuers_file)


def install(deployment: Deployment, extensions: dict[str, object]) -> None:
    """Make a deployment the one that `deployment` finds."""
    extensions[_EXTENSION] = deployment


def deployment() -> Deployment:
    """The deployment of the present application."""
    return cast("Deployment", current_app.extensions[_EXTENSION])
