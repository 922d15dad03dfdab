"""The way to verify at an archive, tried with an object that nobody has: it is asked for, and nothing is left there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from uuid import uuid4

from service.delivery import asking
from service.delivery.destination import Answer, Echo, Failed, Outcome, Outgoing
from service.delivery.dicomweb import looked
from service.delivery.dimse import COMPREHENSIVE_3D
from service.delivery.http import HttpPeer
from service.delivery.settings import CStore
from service.domain.emitted import SrReference

_NOT_OFFERED: Final = "it does not offer this: set `verify` to a way that it has"
_TRIED: Final[Mapping[str, str]] = {
    "commitment": "storage commitment is reported",
    "read-back": "QIDO-RS answers at dicomweb_url",
    "get": "C-GET is answered",
    "find": "C-FIND is answered",
}


def provable(settings: CStore, web: HttpPeer) -> tuple[Echo, ...]:
    """Whether what is stored could be verified; nothing where it is not to be."""
    if settings.verify not in _TRIED:
        return ()
    ways: Mapping[str, Callable[[], Echo]] = {
        "commitment": lambda: _commitment(settings),
        "read-back": lambda: _echo(settings, True, looked(web, settings.dicomweb_url.rstrip("/"))),
        "get": lambda: _get(settings),
        "find": lambda: _echo(settings, True, asking.found(settings, _nobodys()).reason),
    }
    try:
        return (ways[settings.verify](),)
    except Failed as failed:
        is_offered = settings.verify == "read-back" or failed.answer.outcome is not Outcome.REFUSED
        return (_echo(settings, False, str(failed) if is_offered else f"{failed}: {_NOT_OFFERED}"),)


def _commitment(settings: CStore) -> Echo:
    from service.delivery.commitment import Late, committed

    try:
        answer = committed(settings, _nobodys())
    except Late as late:
        return _echo(settings, None, str(late))
    if answer.outcome is Outcome.VERIFIED:
        said = "it commits itself to an object that it never got: its word proves nothing, so set another `verify`"
        return _echo(settings, False, said)
    return _echo(settings, True, f"of an object that it never got it says: {answer.reason}")


def _get(settings: CStore) -> Echo:
    asked = Outgoing("probe", "application/dicom", b"", "probe.dcm", _nobodys())
    try:
        answer: Answer = asking.got(settings, asked)
    except Failed as failed:
        if "status" not in str(failed):
            raise
        return _echo(settings, None, f"for an object that it never got {failed}: only one that it has shows more")
    return _echo(settings, True, answer.reason)


def _echo(settings: CStore, passed: bool | None, said: str) -> Echo:
    return Echo(_TRIED[settings.verify], passed, said)


def _nobodys() -> SrReference:
    study, series, instance = (f"2.25.{uuid4().int}" for _ in range(3))
    return SrReference(COMPREHENSIVE_3D, instance, series, study)
