"""A generated release of SNOMED CT, small, and a site's folder to import releases into."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks import generated_rf2
from service.coding import vocabulary
from service.coding.releases.importing import Asked, import_release
from service.coding.releases.shelf import Placed, ReleaseShelf
from service.coding.releases.site import SiteReleases
from service.coding.releases.tablestore import TableStore
from service.domain.limits import Limits

SHAPE = generated_rf2.Shape(concepts=600, descriptions=2_400, relationships=3_000)


@dataclass(frozen=True, slots=True)
class Generated:
    """A generated package and what is in it."""

    path: Path
    made: generated_rf2.Made


@dataclass(frozen=True)
class Site:
    """A site's releases, in a folder or a database."""

    shelf: ReleaseShelf
    database_url: str = ""

    def load(self, *files: Path, name: str = "", limits: Limits | None = None) -> Placed:
        """Import files."""
        return import_release(self.shelf, Asked(files, name, "2026-07-01"), limits or Limits(), vocabulary())

    @cached_property
    def releases(self) -> SiteReleases:
        """What is in use, as a process of the service has it: it takes up what is loaded later."""
        return SiteReleases(self.shelf, vocabulary().designations.words)

    @property
    def folder(self) -> Path:
        """Where files are built."""
        return self.shelf.work.parent

    def store(self, placed: Placed) -> TableStore:
        """One release."""
        return self.shelf.open(placed)


def changed(source: Path, target: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """A copy of a package in which the files with ``part`` in their names have other content."""
    hit = False
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if part in name:
                hit = True
                content = change(content)
            new.writestr(name, content)
    assert hit, f"no file is called {part}"
    return target
