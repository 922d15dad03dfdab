"""Settings: where they come from, what is refused, and that each is documented with its true default."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from service.config import BadSetting, Settings, environment_names, load
from service.domain.limits import Limits

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
TOKENS = {"LESIONBRIDGE_OIDC_ISSUER": "https://idp.example.org", "LESIONBRIDGE_OIDC_AUDIENCE": "lesionbridge"}


def documented() -> dict[str, tuple[str, str]]:
    """Environment name to (name in the file, default) from the table of docs/operations.md."""
    rows = re.findall(
        r"^\| ?`?([^|`]*)`? \| `(LESIONBRIDGE_\w+)` \| `?([^|`]*)`? \|", OPERATIONS.read_text(), re.MULTILINE
    )
    return {environment: (name.strip(), default.strip()) for name, environment, default in rows}


def test_every_setting_is_documented_and_none_beside() -> None:
    assert set(documented()) == set(environment_names())


@pytest.mark.parametrize(
    "setting", [one.name for one in fields(Settings) if one.name not in {"limits", "database_url"}]
)
def test_the_documented_default_is_the_default(setting: str) -> None:
    name, default = documented()[f"LESIONBRIDGE_{setting.upper()}"]
    assert name == setting
    value = getattr(Settings(), setting)
    assert default == ("none" if value == "" else str(value).lower() if isinstance(value, bool) else str(value))


@pytest.mark.parametrize("limit", [one.name for one in fields(Limits)])
def test_the_documented_limit_is_the_limit(limit: str) -> None:
    assert documented()[f"LESIONBRIDGE_LIMIT_{limit.upper()}"] == (f"limits.{limit}", str(getattr(Limits(), limit)))


def test_the_documented_database_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    _, default = documented()["LESIONBRIDGE_DATABASE_URL"]
    assert Settings().database_url == default.replace("$XDG_DATA_HOME", "/data")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings().database_url == f"sqlite:///{tmp_path}/.local/share/lesionbridge/lesionbridge.sqlite3"


@pytest.mark.parametrize("name", [name for name in environment_names() if name != "LESIONBRIDGE_CONFIG"])
def test_every_setting_is_read_from_the_environment(name: str) -> None:
    values = {
        "LESIONBRIDGE_MIGRATE": "false",
        "LESIONBRIDGE_DELIVER_INSIDE": "false",
        "LESIONBRIDGE_LOG_LEVEL": "error",
        "LESIONBRIDGE_ACCESS": "required",
        "LESIONBRIDGE_AUDIT": "false",
        "LESIONBRIDGE_DEFAULT_ZONE": "Asia/Tokyo",
        "LESIONBRIDGE_HL7_PROCESSING": "P,T",
    }
    whole = {
        "PORT",
        "WORKERS",
        "THREADS",
        "KEEPALIVE_S",
        "TIMEOUT_S",
        "TERMINOLOGY_TIMEOUT_S",
        "KEEP_DAYS",
        "RATE_PER_MINUTE",
    }
    numbers = "LIMIT_" in name or name.removeprefix("LESIONBRIDGE_") in whole
    beside = {"LESIONBRIDGE_OIDC_AUDIENCE": "a", "LESIONBRIDGE_OIDC_JWKS": "b"} if name.endswith("OIDC_ISSUER") else {}
    assert load({name: values.get(name, "7" if numbers else "other"), **beside}) != Settings()


def test_the_environment_has_the_last_word(tmp_path: Path) -> None:
    file = tmp_path / "lesionbridge.toml"
    file.write_text('default_sender = "north"\nport = 9000\nmigrate = false\n[limits]\nlesions = 10\n')
    loaded = load({"LESIONBRIDGE_CONFIG": str(file), "LESIONBRIDGE_PORT": "9001"})
    assert (loaded.default_sender, loaded.port, loaded.migrate, loaded.limits.lesions) == ("north", 9001, False, 10)


@pytest.mark.parametrize(
    "environ",
    [
        {"LESIONBRIDGE_PROT": "1"},
        {"LESIONBRIDGE_LIMIT_LESION": "1"},
        {"LESIONBRIDGE_PORT": "x"},
        {"LESIONBRIDGE_PORT": "65536"},
        {"LESIONBRIDGE_WORKERS": "-1"},
        {"LESIONBRIDGE_THREADS": "0"},
        {"LESIONBRIDGE_KEEPALIVE_S": "-1"},
        {"LESIONBRIDGE_MIGRATE": "maybe"},
        {"LESIONBRIDGE_LOG_LEVEL": "loud"},
        {"LESIONBRIDGE_DEFAULT_ZONE": "Nowhere/Town"},
        {"LESIONBRIDGE_HL7_PROCESSING": "PT"},
        {"LESIONBRIDGE_DEFAULT_SENDER": " "},
        {"LESIONBRIDGE_DEFAULT_SENDER": "north "},
        {"LESIONBRIDGE_DEFAULT_SENDER": "nor\nth"},
        {"LESIONBRIDGE_DEFAULT_SENDER": "n" * 257},
        {"LESIONBRIDGE_LIMIT_DEPTH": "0"},
        {"LESIONBRIDGE_KEEP_DAYS": "-1"},
        {"LESIONBRIDGE_CONFIG": "/nonexistent.toml"},
        {"LESIONBRIDGE_OIDC_ISSUER": "https://idp.example.org"},
        TOKENS | {"LESIONBRIDGE_OIDC_JWKS": "http://idp.example.org/jwks"},
        TOKENS | {"LESIONBRIDGE_OIDC_JWKS": "http://127.0.0.1.example.org/jwks"},
        TOKENS | {"LESIONBRIDGE_OIDC_JWKS": "https://[x"},
    ],
)
def test_refuses_a_setting_that_can_not_be_used(environ: dict[str, str]) -> None:
    with pytest.raises(BadSetting, match="setting "):
        load(environ)


@pytest.mark.parametrize("text", ["prot = 1", "[limits]\nlesion = 1", "port = ", '[more]\na = "b"'])
def test_refuses_a_file_with_what_is_no_setting(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.toml"
    file.write_text(text)
    with pytest.raises(BadSetting):
        load({"LESIONBRIDGE_CONFIG": str(file)})


def test_a_variable_of_a_destination_is_left_to_the_destinations() -> None:
    assert load({"LESIONBRIDGE_DESTINATION__PACS__URL": "https://pacs.example.org"}) == Settings()
