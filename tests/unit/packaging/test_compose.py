"""The compose file: what runs, as whom, with which secrets; and that its settings are the program's."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from service.cli import main
from service.config import environment_names, load
from service.delivery import settings_file as destinations
from service.receiving.settings import load as receiving
from tests import image

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy" / "compose"
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrations", "service", "worker", "listener")
DEFAULT_COMMAND = ["serve"]


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secrets, made as the guide says, away from the repository."""
    folder = tmp_path_factory.mktemp("compose")
    shutil.copy(FOLDER / "make-secrets", folder)
    subprocess.run([folder / "make-secrets"], check=True, capture_output=True, timeout=180)
    return folder / "secrets"


def _mounted(service: dict[str, Any]) -> set[str]:
    return {one if isinstance(one, str) else one["source"] for one in service.get("secrets", ())}


def test_there_is_all_that_a_deployment_needs() -> None:
    assert set(SERVICES) == {*OURS, "database", "orthanc"}


@pytest.mark.parametrize("name", OURS)
def test_ours_are_not_root_and_write_nothing_but_temporary_files(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", OURS)
def test_settings_and_commands_are_the_programs(name: str) -> None:
    service = SERVICES[name]
    said, *rest = service.get("command", DEFAULT_COMMAND)
    command = main.get_command(click.Context(main), said)
    assert command is not None
    offered = {text for one in command.params for text in one.opts}
    assert {option for option in rest if option.startswith("--")} <= offered
    assert set(service["environment"]) <= set(environment_names())
    assert service["environment"]["LESIONBRIDGE_ACCESS"] == "required"


def test_the_program_takes_the_settings_and_the_destinations(secrets: Path) -> None:
    environment = image.environment() | SERVICES["service"]["environment"]
    assert environment["LESIONBRIDGE_CONFIG"] == "/run/secrets/settings.toml"
    environment["LESIONBRIDGE_CONFIG"] = str(secrets / "settings.toml")

    here = load(environment)

    password = (secrets / "database-password").read_text(encoding="utf-8")
    assert here.database_url == f"postgresql+psycopg://lesionbridge:{password}@database:5432/lesionbridge"
    assert list(destinations.load(str(FOLDER / "destinations.toml"), {})) == ["pacs"]


def test_the_listener_is_there_when_it_is_asked_for_and_its_ports_are_those_of_the_file() -> None:
    sent = destinations.load(str(FOLDER / "destinations.toml"), {})
    here = receiving(str(FOLDER / "receiving.toml"), sent)
    assert here.dicom is not None
    assert here.hl7 is not None
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"listener"}
    assert SERVICES["listener"]["ports"] == [f"127.0.0.1:{one.port}:{one.port}" for one in (here.dicom, here.hl7)]
    assert {one.host for one in (here.dicom, here.hl7)} == {"0.0.0.0"}


def test_every_secret_is_a_file_that_is_made_and_used(secrets: Path) -> None:
    made = {one.name for one in secrets.iterdir()}
    used = set().union(*(_mounted(service) for service in SERVICES.values()))
    said = {Path(one["file"]).name for one in COMPOSE["secrets"].values()}
    assert made == used == said
    assert all(Path(one["file"]).parent == Path("deploy/compose/secrets") for one in COMPOSE["secrets"].values())
    users = json.loads((secrets / "orthanc-users.json").read_text(encoding="utf-8"))["RegisteredUsers"]
    assert users == {"lesionbridge": (secrets / "pacs-password").read_text(encoding="utf-8")}


def test_secrets_are_for_their_owner_alone_and_are_never_made_twice(secrets: Path) -> None:
    before = {one.name: one.read_bytes() for one in secrets.iterdir()}
    again = subprocess.run([secrets.parent / "make-secrets"], capture_output=True, text=True, check=True, timeout=180)

    assert "already" in again.stderr
    assert {one.name: one.read_bytes() for one in secrets.iterdir()} == before
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert "deploy/compose/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_no_secret_stands_in_the_environment() -> None:
    for service in SERVICES.values():
        for name in service.get("environment", {}):
            assert "PASSWORD" not in name or name.endswith("_FILE")


def test_what_lives_on_is_watched() -> None:
    assert SERVICES["migrations"]["healthcheck"] == {"disable": True}
    for name in ("worker", "listener", "database", "orthanc"):
        assert SERVICES[name]["healthcheck"]["test"]
    # That of `service` is the image's own.
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_nothing_starts_before_the_tables_are_there() -> None:
    for name in ("service", "worker", "listener"):
        assert SERVICES[name]["depends_on"]["migrations"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrations"]["depends_on"]["database"] == {"condition": "service_healthy"}


def test_only_loopback_is_published() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
