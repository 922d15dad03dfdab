"""From a report to real peers: an archive over both protocols, a FHIR server, a v2 receiver, a folder."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from service.delivery.opening import open_destination
from service.delivery.settings import CStore, DestinationSettings, Fhir, Folder, Mllp, Stow
from service.store.reports import Store
from service.workflows.courier import Peer
from tests.conftest import Missing
from tests.contract.benches import UNHURRIED, receiving
from tests.oracles import servers
from tests.oracles.complaint import NotInstalled
from tests.unit.workflows.peers import QUICK, accept, states, until, working

pytestmark = [pytest.mark.slow, pytest.mark.oracle("orthanc", "sekmet"), pytest.mark.timeout(300)]


def peers(pacs: servers.Pacs, ehr: str, engine: int, folder: Path) -> list[Peer]:
    """Every kind that can be verified, at its peer."""
    common: dict[str, Any] = {"timeouts": UNHURRIED, "retry": QUICK}
    made: list[DestinationSettings] = [
        Stow(name="web", url=pacs.dicom_web, **common),
        CStore(
            name="dimse",
            host="127.0.0.1",
            port=pacs.dicom_port,
            called=pacs.ae_title,
            verify="read-back",
            dicomweb_url=pacs.dicom_web,
            **common,
        ),
        Fhir(name="ehr", url=ehr, **common),
        Fhir(name="ehr-xml", url=ehr, encoding="xml", **common),
        Mllp(name="engine", host="127.0.0.1", port=engine, **common),
        Folder(name="outbox", path=str(folder), takes="html", **common),
    ]
    return [Peer(one, open_destination(one)) for one in made]


def test_one_report_is_verified_at_every_peer_exactly_once(tmp_path: Path, missing: Missing) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    store.migrate()
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    with ExitStack() as stack:
        try:
            pacs, ehr = stack.enter_context(servers.orthanc()), stack.enter_context(servers.sekmet())
        except NotInstalled as error:
            missing.skip("peers of destinations", str(error))
            raise
        engine, kept = stack.enter_context(receiving())
        named = peers(pacs, ehr, engine, outbox)
        stack.enter_context(working(f"sqlite:///{tmp_path / 'x.sqlite3'}", *named))
        version = accept(store, *named)
        wanted = {one.settings.name: "verified" for one in named}
        assert until(lambda: states(store, version) == wanted), states(store, version)
        assert len(requests.get(f"{pacs.url}/instances", timeout=60).json()) == 1
        headers = {"Accept": "application/fhir+json"}
        counted = requests.get(f"{ehr}/DiagnosticReport?_summary=count", headers=headers, timeout=60)
        assert (counted.json()["total"], len(kept), len(list(outbox.iterdir()))) == (1, 1, 1)
    store.close()
