"""Settings that can't be used: `serve`, `worker` and `listen` end before anything starts, and say which, where, why."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from service.commands import serve
from service.config import BadSetting, Settings, load
from service.domain.limits import Limits
from tests.certificates import Authority
from tests.unit.cli.conftest import Run

TEXTS = [one.name for one in fields(Settings) if one.type is str]
NUMBERS = [one.name for one in fields(Settings) if one.type is int]
YES_OR_NO = [one.name for one in fields(Settings) if one.type is bool]
LIMITS = [f"limits.{one.name}" for one in fields(Limits)]
PATHS = {
    "issuers_file": "can't be read (No such file or directory)",
    "destinations_file": "can't be read (No such file or directory)",
    "receiving_file": "can't be read (No such file or directory)",
    "oidc_jwks": "can't be read (No such file or directory)",
    "oidc_ca_file": "can't be read (No such file or directory)",
    "terminology_ca_file": "can't be read (No such file or directory)",
    "overlays_folder": "can't be read as a folder (No such file or directory)",
    "mappings_folder": "can't be read as a folder (No such file or directory)",
}
MADE_WHEN_NEEDED = {"terminology_folder"}
"""An import makes it."""
TLS = {"tls_cert", "tls_key", "tls_client_ca"}


def variable(name: str) -> str:
    return f"LESIONBRIDGE_{name.replace('limits.', 'limit_').upper()}"


def in_file(folder: Path, name: str, value: str) -> dict[str, str]:
    """A file that says one setting."""
    file = folder / "lb.toml"
    table, _, member = name.rpartition(".")
    file.write_text(f"[{table}]\n{member} = {value}\n" if table else f"{member} = {value}\n")
    return {"LESIONBRIDGE_CONFIG": str(file)}


def test_every_setting_is_here() -> None:
    assert {*TEXTS, *NUMBERS, *YES_OR_NO, "limits"} == {one.name for one in fields(Settings)}
    named = {name for name in TEXTS if name.endswith(("_file", "_folder")) or name.startswith("tls_")}
    assert named | {"oidc_jwks"} == PATHS.keys() | TLS | MADE_WHEN_NEEDED


@pytest.mark.parametrize("name", [*NUMBERS, *LIMITS])
@pytest.mark.parametrize("value", ["x", "1.5", "-1", "9" * 30])
def test_a_number_that_is_none_or_out_of_its_range_is_said_with_its_place(
    tmp_path: Path, name: str, value: str
) -> None:
    for environ, where in (
        ({variable(name): value}, variable(name)),
        (in_file(tmp_path, name, f'"{value}"' if value == "x" else value), str(tmp_path / "lb.toml")),
    ):
        with pytest.raises(BadSetting) as raised:
            load(environ)
        assert str(raised.value).startswith(f"setting {name} ({where}): is ")
        assert raised.value.detail == "is a whole number" or " to " in raised.value.detail


@pytest.mark.parametrize("name", [*TEXTS, *YES_OR_NO])
@pytest.mark.parametrize("value", ['["a"]', "{ a = 1 }", "7", "1979-05-27"])
def test_a_value_of_another_type_is_said_with_its_place(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=rf"setting {name} \(.*lb.toml\): is (text, in quotes|true or false)"):
        load(in_file(tmp_path, name, value))


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_no_file_and_no_peer_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSetting, match=rf"setting {name} .*without the character NUL"):
        load(in_file(tmp_path, name, '"a\\u0000b"'))
    with pytest.raises(BadSetting, match=rf"setting {name} \({variable(name)}\): is text in UTF-8"):
        load({variable(name): "a\udcff"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("limits = 5", "setting limits (lb.toml): is a table, [limits]"),
        ("prot = 1", "setting prot (lb.toml): there is no such setting; did you mean port?"),
        (
            "[limits]\nlesion = 1",
            "setting limits.lesion (lb.toml): there is no such setting; did you mean limits.lesions?",
        ),
    ],
)
def test_what_is_no_setting_is_said_with_the_nearest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lb.toml").write_text(text)
    with pytest.raises(BadSetting) as raised:
        load({"LESIONBRIDGE_CONFIG": "lb.toml"})
    assert str(raised.value).startswith(said)


def test_a_variable_that_is_no_setting_is_said_with_the_nearest_one() -> None:
    with pytest.raises(BadSetting, match=r"setting LESIONBRIDGE_PROT: .*did you mean LESIONBRIDGE_PORT\?"):
        load({"LESIONBRIDGE_PROT": "1"})


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",), ("listen",)], ids=" ".join)
def test_every_file_and_folder_that_is_not_there_is_said_at_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    for name in PATHS:
        monkeypatch.setenv(variable(name), f"none/{name}")
    done = run(*command)
    assert done.exit_code == 2
    for name, why in PATHS.items():
        assert f"setting {name} ({variable(name)}): none/{name} (looked for in {tmp_path}) {why}" in done.stderr
    assert not (tmp_path / "cli.sqlite3").exists()


@pytest.mark.parametrize("name", PATHS)
def test_what_is_a_file_for_a_folder_or_no_certificate_is_said(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "file").write_text("a letter")
    monkeypatch.setenv(variable(name), str(tmp_path if name.endswith("_file") and "ca" not in name else "file"))
    if name == "oidc_jwks":
        monkeypatch.setenv(variable(name), str(tmp_path))
    done = run("serve", "--port", "0")
    assert done.exit_code == 2
    assert f"setting {name} ({variable(name)}): " in done.stderr
    assert any(one in done.stderr for one in ("Is a directory", "Not a directory", "holds no certificate (PEM)"))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("database_url", "mysql://u:secret@h/x", "the database is SQLite or PostgreSQL"),
        ("database_url", "nonsense", "not a database URL"),
        ("database_url", "postgresql://u:secret@h:x/y", "not a database URL"),
        ("database_url", "sqlite:////proc/none/x.sqlite3", "the folder /proc/none can't be made"),
        ("database_url", "sqlite:///x.sqlite3?secret=1", "SQLite has no such option"),
        ("database_url", "sqlite:////proc", "can't be opened or made: is it a file"),
        ("database_url", "postgresql://u:secret@127.0.0.1:1/x", "nobody listens at the address of the database"),
        ("database_url", "postgresql://u:secret@nosuch.invalid/x", "the host of the database is not known by its name"),
        ("database_url", "postgresql://u@127.0.0.1/x?secret=1", "an option that libpq does not know"),
        ("database_url", "sqlite://", "it is in memory, and gone with each process: name a file"),
        ("database_url", "sqlite:///:memory:", "it is in memory, and gone with each process: name a file"),
        ("terminology_url", "ftp://h", "the terminology server's URL is http(s)://host/path"),
        ("host", "a..b", "can't be listened to"),
        ("host", f"{'a' * 70}.example", "can't be listened to"),
    ],
)
def test_an_address_that_is_none_is_said_without_its_password(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setattr(serve, "_TRIES", 1)
    monkeypatch.setenv(variable(name), value)
    done = run("serve", "--port", "0")
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    assert f"setting {name} ({variable(name)})" in done.stderr
    assert "secret" not in done.stderr
    assert "defect" not in done.stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tls_key": "none"}, "setting tls_key (LESIONBRIDGE_TLS_KEY): none can't be read (No such file or directory)"),
        ({"tls_cert": "letter"}, "setting tls_cert (LESIONBRIDGE_TLS_CERT): letter holds no certificate in PEM"),
        ({"tls_key": "letter"}, "setting tls_key (LESIONBRIDGE_TLS_KEY): letter holds no key in PEM"),
        ({"tls_key": "other.key"}, "setting tls_key (LESIONBRIDGE_TLS_KEY): other.key is not the key of "),
        ({"tls_key": "locked.key"}, "locked.key is encrypted: give the key without a pass phrase"),
        (
            {"tls_client_ca": "letter"},
            "setting tls_client_ca (LESIONBRIDGE_TLS_CLIENT_CA): letter holds no certificate",
        ),
    ],
)
def test_each_file_of_tls_is_told_from_the_others(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str], said: str
) -> None:
    authority = Authority(tmp_path)
    ours = authority.identity("ours", "127.0.0.1")
    authority.identity("other", "127.0.0.1")
    ours.lock(tmp_path / "locked.key")
    Path("letter").write_text("a letter")
    right = {"tls_cert": str(ours.certificate), "tls_key": str(ours.key), "tls_client_ca": str(authority.certificate)}
    for name, value in (right | wrong).items():
        monkeypatch.setenv(variable(name), value)
    done = run("serve", "--port", "0")
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("destinations_file", '[destinations.pacs]\nkind = "stow"\n', "destinations.pacs.url: is missing"),
        ("destinations_file", "[more]\na = 1\n", "more: there is no such table"),
        (
            "receiving_file",
            '[[routes]]\nname = "a"\ndeliver = ["none"]\n',
            "routes[0].deliver: there is no destination",
        ),
        ("study_context", "", "study_context: names a destination of the kind stow or cstore"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_the_setting_that_names_the_file(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, text: str, said: str
) -> None:
    Path("a.toml").write_text(text)
    monkeypatch.setenv(variable(name), "a.toml")
    for command in (("serve", "--port", "0"), ("worker",)) if name != "study_context" else (("serve", "--port", "0"),):
        done = run(*command)
        assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
        assert f"\n  setting {name} ({variable(name)})\n" in done.stderr


def test_destinations_that_only_variables_name_are_said_to_be_named_by_them(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESIONBRIDGE_DESTINATION__PACS__KIND", "stow")
    assert "  setting destinations_file (variables LESIONBRIDGE_DESTINATION__...)\n" in run("worker").stderr
    Path("a.toml").write_text("")
    monkeypatch.setenv("LESIONBRIDGE_DESTINATIONS_FILE", "a.toml")
    said = "LESIONBRIDGE_DESTINATIONS_FILE, and variables LESIONBRIDGE_DESTINATION__..."
    assert f"  setting destinations_file ({said})\n" in run("worker").stderr


def test_a_host_that_is_empty_is_no_address(run: Run) -> None:
    done = run("serve", "--host", "", "--port", "0")
    assert (done.exit_code, done.stderr.startswith("setting host (--host): is a name or an address")) == (2, True)


def test_a_database_of_releases_that_does_not_answer_is_said_with_its_setting(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESIONBRIDGE_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x")
    done = run("terminology", "list")
    assert (done.exit_code, "  setting database_url (LESIONBRIDGE_DATABASE_URL)\n" in done.stderr) == (2, True)
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    ("said", "missing"), [("tls_key", "tls_cert"), ("tls_cert", "tls_key"), ("tls_client_ca", "tls_cert")]
)
def test_a_setting_of_tls_that_is_missing_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, said: str, missing: str
) -> None:
    monkeypatch.setenv(variable(said), "file")
    done = run("serve", "--port", "0")
    assert (done.exit_code, done.stderr.startswith(f"setting {missing}: is missing: ")) == (2, True), done.stderr


RECEIVING = """
[listen.hl7]
port = 0
[listen.hl7.tls]
certificate_file = "{certificate}"
key_file = "none"
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RECEIVING, "[listen.hl7]: tls.key_file: none can't be read (No such file or directory)"),
        ('[listen.hl7]\nport = 0\nhost = "nosuch.invalid"\n', "[listen.hl7]: Name or service not known"),
        ('[listen.folder]\npath = "/proc/none"\n', "[listen.folder]: /proc/none"),
        ("[listen.hl7]\nport = 0\ntimeout_s = nan\n", "seconds are above 0"),
        ("[listen.hl7]\nport = 0\nidle_s = inf\n", "seconds are above 0"),
        ("[listen.dicom]\nport = 0\nmessage_s = nan\n", "seconds are above 0"),
        ('[listen.folder]\npath = "in"\npoll_s = inf\n', "poll_s is above 0"),
    ],
)
def test_a_listener_that_can_not_listen_is_said_with_its_table(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    assert run("migrate").exit_code == 0
    certificate = Authority(tmp_path).identity("ours").certificate
    Path("r.toml").write_text(text.replace("{certificate}", str(certificate)))
    monkeypatch.setenv("LESIONBRIDGE_RECEIVING_FILE", "r.toml")
    done = run("listen")
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
