"""What makes two runs of `convert` over an NDJSON file the same one: what is written depends on it, by its content."""

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from service.commands.conversion import Wish
from service.commands.inputs import real
from service.config import Settings

if TYPE_CHECKING:
    from service.commands.ndjson import Ask

SETTINGS: Final = ("default_sender", "default_zone", "limits", "terminology_url")
"""Settings that the output depends on."""
FILES: Final = ("issuers_file", "receiving_file")
"""Settings that name a file which it depends on."""
FOLDERS: Final = ("overlays_folder",)
"""Settings that name a folder of such files."""
VERSION: Final = "the version"
RELEASES: Final = "the releases in use (lesionbridge terminology list)"
_MOST_SAID: Final = 5


def identity(wish: Wish, path: str, ask: "Ask") -> dict[str, str]:
    """What must be the same for a run to be gone on with, each with a name that can be said; files by their digest.

    Raises OSError for a file that can't be read, Unavailable for a list of releases that can't.
    """
    here, file = wish.deployment, Path(path).stat()
    options = {"from": wish.form or "", "to": wish.to, **asdict(wish.options), "validate": wish.validate}
    return {
        VERSION: version("lesionbridge"),
        "the input": f"{real(Path(path))}, {file.st_size} bytes, {file.st_mtime_ns}",
        **{f"option --{name}": str(said) for name, said in options.items()},
        "option --errors": str(ask.errors or ""),
        "option --loss": str(ask.losses or ""),
        "the mapping file": _digest(wish.mapping.encode()),
        **{f"the mask {name}": _digest(mask) for name, mask in zip(ask.masks, wish.masks, strict=True)},
        **{f"setting {name}": repr(getattr(here, name)) for name in SETTINGS},
        **{_of_setting(name): _digest_of(getattr(here, name)) for name in FILES},
        **{key: digest for name in FOLDERS for key, digest in _of_folder(getattr(here, name))},
        RELEASES: _releases(here),
    }


def said_changed(names: Sequence[str], here: Settings) -> str:
    """What has changed, in words, with the names of the files that settings name; of another version only that."""
    if VERSION in names:
        names = (VERSION,)
    named = {_of_setting(name): getattr(here, name) for name in FILES}
    said = [f"{name} ({named[name]})" if named.get(name) else name for name in names[:_MOST_SAID]]
    more = [f"{len(names) - _MOST_SAID} more"] if len(names) > _MOST_SAID else []
    return f"{', '.join([*said, *more])} {'has' if len(names) == 1 else 'have'} changed"


def _of_setting(name: str) -> str:
    return f"the file of setting {name}"


def _of_folder(folder: str) -> list[tuple[str, str]]:
    if not folder:
        return []
    return [(f"the overlay {file}", _digest_of(str(file))) for file in sorted(Path(folder).iterdir()) if file.is_file()]


def _releases(here: Settings) -> str:
    """A store is never changed once it is in the list: that says all."""
    from service.coding.releases.shelves import open_shelf

    return _digest(repr(open_shelf(here.terminology, here.terminology_database).current()).encode())


def _digest_of(path: str) -> str:
    return _digest(Path(path).read_bytes()) if path else ""


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
