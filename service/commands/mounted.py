"""Files and folders that settings name, looked at before a server starts: which can't be used, who said it."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from service.commands.speaking import mention, said_by, stop
from service.config import BadSetting, Settings, origin, terminology_client

_FILES: Final = ("issuers_file", "destinations_file", "receiving_file")
_FOLDERS: Final = ("overlays_folder", "mappings_folder")
_AUTHORITIES: Final = ("terminology_ca_file", "oidc_ca_file")


def hold_mounted(here: Settings) -> None:
    """End with every setting whose file or folder can't be used, or whose address is none."""
    faults = [str(BadSetting(name, why, origin(name, os.environ))) for name, why in _faults(here)]
    if faults:
        stop("\n".join(faults))


def doubt_destinations(here: Settings) -> None:
    """Say what is named for destinations and can't be used as it is now: what is for them waits until it can be.

    That ends nothing: others are delivered to meanwhile. Raises DestinationsError for settings that are wrong.
    """
    from service.delivery.unready import unready
    from service.destinations import load

    said = said_by("destinations_file")
    for one in load(here.destinations_file, os.environ).values():
        for place, why in unready(one):
            mention(f"{place} ({said}): {why}; what is for {one.name} waits")


def _faults(here: Settings) -> Iterator[tuple[str, str]]:
    files = _FILES if "://" in here.oidc_jwks else (*_FILES, "oidc_jwks")
    for name in files:
        if path := getattr(here, name):
            yield from _unreadable(name, path)
    for name in _FOLDERS:
        if path := getattr(here, name):
            yield from _not_listed(name, path)
    if here.terminology_folder and Path(here.terminology_folder).exists():  # an import makes it
        yield from _not_listed("terminology_folder", here.terminology_folder)
    for name in _AUTHORITIES:
        if path := getattr(here, name):
            yield from _unreadable(name, path) or _no_authorities(name, path)
    try:
        terminology_client(here)
    except BadSetting as error:
        yield error.name, error.detail


def _unreadable(name: str, path: str) -> list[tuple[str, str]]:
    try:
        with Path(path).open("rb"):
            return []
    except OSError as error:
        return [(name, f"{placed(path)} can't be read ({error.strerror})")]


def _not_listed(name: str, path: str) -> list[tuple[str, str]]:
    try:
        with os.scandir(path):
            return []
    except OSError as error:
        return [(name, f"{placed(path)} can't be read as a folder ({error.strerror})")]


def _no_authorities(name: str, path: str) -> list[tuple[str, str]]:
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError):
        return [(name, f"{placed(path)} holds no certificate (PEM)")]
    return []


def placed(path: str) -> str:
    """A path, with the folder from which a relative one is looked for."""
    return path if Path(path).is_absolute() else f"{path} (looked for in {Path.cwd()})"
