"""What the views work with: the settings, and the store once something needs it."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import current_app, has_app_context

from service.access.principal import ANYBODY
from service.api.present import carried
from service.coding.overlays.site import SiteOverlays
from service.coding.releases.shelves import open_shelf
from service.config import Settings, remote_terms
from service.delivery.study_context import archive
from service.destinations import load
from service.domain.errors import Invalid, Problem, Unavailable
from service.domain.processing import listed
from service.pipeline import Format, Source, tables
from service.receiving.settings import load as load_receiving
from service.receiving.wording import doubts

if TYPE_CHECKING:
    # SQLAlchemy is imported when the first report is kept or asked for.
    from service.coding.remote import RemoteTerms
    from service.store.overlays import KeptOverlay
    from service.store.reports import Store

_EXTENSION = "lesionbridge"


class Deployment:
    """One running service."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; the database is opened when first needed. Raises TableError for a mounted overlay, for
        destinations that can't be used and for rules that nothing can meet.
        """
        self.settings = settings
        self.destinations = load(settings.destinations_file, os.environ)
        self.receiving = load_receiving(settings.receiving_file, self.destinations)
        self.archive = archive(self.destinations, settings.study_context)
        shelf = open_shelf(settings.terminology, settings.terminology_database)
        vocabulary = tables(settings.issuers_file)
        self.doubts = doubts(self.receiving, vocabulary, settings.default_sender)
        """What may keep rules from ever taking effect."""
        self.site = SiteOverlays.open(vocabulary, settings.overlays_folder, shelf)

    @cached_property
    def store(self) -> "Store":
        """The store of this process."""
        from service.store.reports import Store

        return Store(self.settings.database_url)

    @cached_property
    def uploads(self) -> "Uploaded":
        """The uploaded overlays for what needs no database."""
        return Uploaded(self)

    @cached_property
    def remote(self) -> "RemoteTerms | None":
        """What asks the terminology server about terms that nothing here knows, where there is one."""
        return remote_terms(self.settings)

    def mapping(self, name: str | None) -> str:
        """The text of a table's mapping file by its name; raises Invalid where there is none."""
        if name is None:
            return ""
        folder = Path(self.settings.mappings_folder) if self.settings.mappings_folder else None
        known = tuple(sorted(one.stem for one in folder.glob("*.toml"))) if folder is not None else ()
        if folder is None or name not in known:
            raise Invalid(Problem("?mapping", "table-mapping", "no mapping file of this name is mounted", known))
        return (folder / f"{name}.toml").read_text(encoding="utf-8")

    def source(
        self,
        body: bytes,
        form: Format,
        mapping: str | None = None,
        *,
        masks: tuple[bytes, ...] = (),
        validate: bool = False,
    ) -> Source:
        """A sender's document with what the deployment adds to it; ``mapping`` names the mapping file of a table.

        ``masks`` and ``validate`` are those of `Source`. Raises Invalid where there is no mapping file of this name.
        """
        here = self.settings
        return Source(
            body,
            form,
            default_sender=here.default_sender,
            limits=here.limits,
            issuers_file=here.issuers_file,
            site=self.site,
            uploads=self.uploads,
            zone=here.default_zone,
            processing=listed(here.hl7_processing),
            habits=self.receiving.habits,
            speaks_for=carried().get("principal", ANYBODY).sender if has_app_context() else "",
            mapping=self.mapping(mapping),
            masks=masks,
            validate=validate,
            remote=self.remote,
            archive=self.archive,
        )


class Uploaded:
    """Uploaded overlays as far as they are known: a conversion goes on without a database, as it did before it went."""

    def __init__(self, here: Deployment) -> None:
        """Take the deployment; nothing is opened before it is there."""
        self._here = here
        self._known = 0

    def stamp(self) -> int:
        """The number of the newest upload; the last one known while the database does not answer."""
        url = self._here.settings.database_url
        if self._here.settings.is_sqlite and not Path(url.removeprefix("sqlite:///").partition("?")[0]).exists():
            return self._known
        try:
            self._known = self._here.store.overlays.stamp()
        except Unavailable:
            return self._known
        return self._known

    def current(self) -> "Sequence[KeptOverlay]":
        """The newest version of every sender."""
        return self._here.store.overlays.current()


def install(deployment: Deployment, extensions: dict[str, object]) -> None:
    """Make a deployment the one that `deployment` finds."""
    extensions[_EXTENSION] = deployment


def deployment() -> Deployment:
    """The deployment of the present application."""
    return cast("Deployment", current_app.extensions[_EXTENSION])
