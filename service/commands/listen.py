"""`lesionbridge listen`: take what other systems send by themselves."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import click

from service.commands.mounted import hold_mounted
from service.commands.speaking import PORT, mention, ready, refusing, settings, stop
from service.config import origin

WAYS = ("dicom", "hl7", "folder")
GRACE_S = 40
"""Seconds that what is under way may still take: a message 10, a file 30."""


@click.command("listen")
@click.argument("ways", nargs=-1, type=click.Choice(WAYS))
@click.option(
    "--metrics-port",
    type=PORT,
    help="Counters for Prometheus on this port, once all is listened to.",
)
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Where those are served.")
@refusing
def command(ways: tuple[str, ...], metrics_port: int | None, metrics_host: str) -> None:
    """Listen as the receiving file says: to all that it names, or to WAYS of it only. Deliveries are made by `serve`
    or `worker`.
    """
    from service.api.deployment import Deployment
    from service.api.observe import configure_logging, doubt
    from service.api.strays import confine

    chosen = settings()
    hold_mounted(chosen)
    here = Deployment(chosen)
    configure_logging(here.settings.log_level)
    confine()
    asked = dict.fromkeys(ways) or [way for way in WAYS if getattr(here.receiving, way) is not None]
    if not asked:
        stop("there is nothing to listen to: receiving_file needs [listen.dicom], [listen.hl7] or [listen.folder]")
    missing = [way for way in asked if getattr(here.receiving, way) is None]
    if missing:
        stop(f"the receiving file has no table [listen.{missing[0]}]")
    for problem in here.doubts:
        doubt(problem)
    ready(here.store)
    for way in asked:
        _hold_tls(here, way)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    ends: list[Callable[[], Any]] = []
    try:
        for way in asked:
            ends.append(_listening(here, way))
    except OSError as error:
        for end in ends:
            end()
        at = f"{error.filename}: " if error.filename is not None else ""
        stop(f"{_place(way)}: {at}{error.strerror or type(error).__name__}")
    if metrics_port is not None:
        from prometheus_client import start_http_server

        try:
            start_http_server(metrics_port, metrics_host)
        except OSError as error:
            for end in ends:
                end()
            stop(f"--metrics-port: {error.strerror or type(error).__name__}")
    mention("listening (stop with Ctrl-C)")
    ending.wait()
    for end in ends:
        end()


def _place(way: str) -> str:
    """The table of a listener, with the file that it is in."""
    return f"setting receiving_file ({origin('receiving_file', os.environ)}), [listen.{way}]"


def _hold_tls(here: Any, way: str) -> None:
    """End where the files of a listener's TLS can't be used; say that nobody believes its certificate any more."""
    from service.delivery.pem import out_of_date, unusable

    tls = getattr(getattr(here.receiving, way), "tls", None)
    if tls is None:
        return
    found = unusable(tls.certificate_file, tls.key_file, tls.ca_file)
    if found is not None:
        stop(f"{_place(way)}: tls.{found[0]}: {found[1]}")
    if late := out_of_date(tls.certificate_file, tls.key_file):
        mention(f"{_place(way)}: {late}")


def _listening(here: Any, way: str) -> Callable[[], Any]:
    """Start one listener; what ends it."""
    from service.receiving.reception import Reception

    reception = Reception(here, way)
    if way == "dicom":
        from service.receiving.dicom import DicomServer

        dicom = DicomServer(reception, here.receiving.dicom)
        mention(f"dicom: {here.receiving.dicom.ae_title} at {here.receiving.dicom.host}:{dicom.port}")
        return dicom.stop
    if way == "hl7":
        from service.receiving.hl7 import Hl7Server

        hl7 = Hl7Server(reception, here.receiving.hl7)
        mention(f"hl7: {here.receiving.hl7.host}:{hl7.port}")
        return hl7.stop
    from service.receiving.folder import FolderWatch

    watch = FolderWatch(reception, here.receiving.folder)
    watch.start()
    mention(f"folder: {here.receiving.folder.path}")
    return watch.stop
