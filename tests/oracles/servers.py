"""Real servers for tests, on loopback with ports of their own: FHIR servers, one of them of terminology, and a PACS."""

from __future__ import annotations

import json
import os
import random
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.oracles.complaint import JAVA_QUICK, installed, node_script, program

START_S = 180
"""How long a server may take to start: on a machine with other work a minute was not enough for one in Java."""
TIMEOUT_S = 200
FHIR_JSON = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


_FIRST, _LAST = 12_000, 32_000
"""Below these of Linux for connections and for whoever binds port 0, so nobody gets one before its server has it."""
_ports = iter(random.SystemRandom().sample(range(_FIRST, _LAST), _LAST - _FIRST))


def free_port() -> int:
    """A port of loopback that nobody listens on, and that is not given out a second time."""
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


@contextmanager
def _started(command: list[str | Path], *, ready: str, folder: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Run a server while the block runs; it is up once `ready` answers."""
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, ready, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if requests.get(ready, timeout=START_S).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the server does not start: {log.read_text(errors='replace')[-500:]}")


@contextmanager
def sekmet() -> Iterator[str]:
    """URL of an R4 server with transactions and conditional requests; it has no search parameters for BodyStructure."""
    tool = installed("sekmet", "bin", "sekmet")
    port = free_port()
    url = f"http://127.0.0.1:{port}/fhir"
    with tempfile.TemporaryDirectory() as folder:
        env = {"SEKMET_BASE_URL": url, "SEKMET_DB": f"{folder}/fhir.db"}
        command: list[str | Path] = [tool, "serve", "--host", "127.0.0.1", "--port", str(port)]
        with _started(command, ready=f"{url}/metadata", folder=Path(folder), env=env):
            yield url


@contextmanager
def medplum(*, transactions: bool = False) -> Iterator[str]:
    """URL of an R4 server made of Medplum's published parts.

    As Medplum is set up by default a transaction runs as a batch; with `transactions` it is one, of which at most 8
    entries may be conditional.
    """
    script = node_script("medplum_server.mjs")
    port = free_port()
    url = f"http://127.0.0.1:{port}/fhir/R4"
    env = {"PORT": str(port), "TRANSACTIONS": "1" if transactions else "0"}
    with (
        tempfile.TemporaryDirectory() as folder,
        _started([program("node"), script], ready=f"{url}/metadata", folder=Path(folder), env=env),
    ):
        yield url


@contextmanager
def hapi_r5(*, own_ids: bool = False) -> Iterator[str]:
    """URL of HAPI's REST server for R5 over resources in memory: conditional requests, no transactions, no batches.

    `own_ids`: it gives out its ids itself and takes no update as create.
    """
    classes = installed("java", "r5", "R5Server.class")
    libraries = installed("java", "r5", "lib")
    port = free_port()
    url = f"http://127.0.0.1:{port}/fhir"
    command: list[str | Path] = [
        program("java"),
        *JAVA_QUICK,
        "-cp",
        f"{classes.parent}:{libraries}/*",
        "R5Server",
        str(port),
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        _started([*command, *(["own-ids"] if own_ids else [])], ready=f"{url}/metadata", folder=Path(folder), env={}),
    ):
        yield url


@contextmanager
def terminology_server(resources: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """URL of HAPI's R4 server over its in-memory terminology, with CodeSystem, ValueSet and ConceptMap resources."""
    classes = installed("java", "terminology", "TerminologyServer.class")
    libraries = installed("java", "terminology", "lib")
    port = free_port()
    url = f"http://127.0.0.1:{port}/fhir"
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, resource in enumerate(resources):
            files.append(Path(folder) / f"{number}.json")
            files[-1].write_text(json.dumps(resource), encoding="utf-8")
        path = f"{classes.parent}:{libraries}/*"
        command: list[str | Path] = [program("java"), *JAVA_QUICK, "-cp", path, "TerminologyServer", str(port), *files]
        with _started(command, ready=f"{url}/metadata", folder=Path(folder), env={}):
            yield url


@dataclass(frozen=True, slots=True)
class Pacs:
    """A running Orthanc."""

    url: str
    dicom_port: int
    ae_title: str = "TESTPACS"

    @property
    def dicom_web(self) -> str:
        return f"{self.url}/dicom-web"


@contextmanager
def orthanc(*, settings: Mapping[str, Any] | None = None) -> Iterator[Pacs]:
    """An empty Orthanc with DICOMweb; `settings` are laid over its configuration."""
    tool = program("Orthanc")
    # The packaged Orthanc cannot be told which address to listen on: a preloaded library keeps it on loopback.
    loopback = installed("loopback.so")
    pacs = Pacs(f"http://127.0.0.1:{(port := free_port())}", free_port())
    with tempfile.TemporaryDirectory() as folder:
        configuration = {
            "Name": pacs.ae_title,
            "DefaultEncoding": "Utf8",
            "StorageDirectory": f"{folder}/db",
            "IndexDirectory": f"{folder}/db",
            "HttpPort": port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAet": pacs.ae_title,
            "DicomPort": pacs.dicom_port,
            "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowStore": True,
            "DicomCheckCalledAet": False,
            "StableAge": 2,
            "OverwriteInstances": False,
            "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "Host": "localhost", "Ssl": False},
            **(settings or {}),
        }
        file = Path(folder) / "orthanc.json"
        file.write_text(json.dumps(configuration), encoding="utf-8")
        with _started([tool, file], ready=f"{pacs.url}/system", folder=Path(folder), env={"LD_PRELOAD": str(loopback)}):
            yield pacs


@dataclass(frozen=True, slots=True)
class DimsePeer:
    """A running program of dcmtk, and the folder that it stores in."""

    port: int
    ae_title: str
    folder: Path

    def count(self) -> int:
        """How many objects it has stored."""
        return sum(1 for path in self.folder.iterdir() if path.is_file() and path.name != "index.dat")


@contextmanager
def storescp(*options: str) -> Iterator[DimsePeer]:
    """dcmtk's storage SCP; `options` are its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "received"
        folder.mkdir()
        peer = DimsePeer(free_port(), "STORESCP", folder)
        command = [program("storescp"), "-aet", peer.ae_title, "-od", str(folder), *options, str(peer.port)]
        with _listening(command, peer.port, Path(name)):
            yield peer


@contextmanager
def dcmqrscp(*, answers_to: tuple[str, int] = ("LESIONBRIDGE", 11113)) -> Iterator[DimsePeer]:
    """dcmtk's archive: storage, C-FIND, C-MOVE."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "archive"
        folder.mkdir()
        peer = DimsePeer(free_port(), "QRPACS", folder)
        title, port = answers_to
        file = Path(name) / "dcmqrscp.cfg"
        file.write_text(
            f"NetworkTCPPort = {peer.port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
            f"HostTable BEGIN\nus = ({title}, 127.0.0.1, {port})\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
            f"AETable BEGIN\n{peer.ae_title} {folder} RW (200, 1024mb) ANY\nAETable END\n",
            encoding="utf-8",
        )
        with _listening([program("dcmqrscp"), "-c", str(file)], peer.port, Path(name)):
            yield peer


@contextmanager
def _listening(command: Sequence[str | Path], port: int, folder: Path) -> Iterator[None]:
    """Run a server that speaks no HTTP while the block runs; a preloaded library keeps it on loopback."""
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, "LD_PRELOAD": str(installed("loopback.so"))},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise RuntimeError(f"the server does not start: {log.read_text(errors='replace')[-500:]}")
        yield
    finally:
        process.terminate()
        process.wait(timeout=TIMEOUT_S)


def post_twice(url: str, bundle: Mapping[str, Any]) -> list[str]:
    """What is wrong when a server gets a transaction twice: it must change nothing, no urn: reference may stay."""
    turns: list[list[str]] = []
    for turn in ("first", "second"):
        answer = requests.post(url, data=json.dumps(bundle), headers=FHIR_JSON, timeout=TIMEOUT_S)
        body = answer.json()
        if answer.status_code != 200 or not str(body.get("type", "")).endswith("-response"):
            return [f"{turn} POST: HTTP {answer.status_code} {json.dumps(body)[:500]}"]
        refused = [
            f"{turn} POST: entry {number}: {json.dumps(entry['response'])[:500]}"
            for number, entry in enumerate(body["entry"])
            if not entry["response"]["status"].startswith("2")
        ]
        if refused or len(body["entry"]) != len(bundle["entry"]):
            return refused or [f"{turn} POST: {len(body['entry'])} answers to {len(bundle['entry'])} entries"]
        turns.append([_target(entry["response"].get("location", "")) for entry in body["entry"]])
    found = []
    for entry, first, second in zip(bundle["entry"], *turns, strict=True):
        if first != second:
            found.append(f"{entry['request']['url']}: the second POST made {second}, the first {first}")
        stored = requests.get(f"{url}/{second}", headers=FHIR_JSON, timeout=TIMEOUT_S)
        if not stored.ok:
            found.append(f"GET {second}: HTTP {stored.status_code}")
        elif re.search(r'"reference"\s*:\s*"urn:', stored.text):
            found.append(f"{second}: a urn: reference is left")
    return found


def _target(location: str) -> str:
    return "/".join(re.sub(r"/_history.*", "", location).split("/")[-2:])
