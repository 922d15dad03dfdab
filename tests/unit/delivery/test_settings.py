"""Destinations out of TOML and the environment."""

from datetime import time
from pathlib import Path

import pytest

from service.delivery.secrets import Secret, SecretMissing
from service.delivery.settings import KINDS, CStore, Fhir, Smart, Stow, Tls
from service.delivery.settings_file import load
from service.domain.errors import TableError

SMALLEST = {
    "stow": 'url = "https://pacs.example.org/dicom-web"',
    "cstore": 'host = "pacs.example.org"\nport = 11112\ncalled = "PACS"',
    "fhir": 'url = "https://ehr.example.org/fhir"',
    "mllp": 'host = "engine.example.org"\nport = 6661',
    "folder": 'path = "/srv/outbox"',
    "webhook": 'url = "https://hook.example.org/in"',
}


def file(folder: Path, text: str) -> str:
    path = folder / "destinations.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def wrong(folder: Path, text: str, environ: dict[str, str] | None = None) -> dict[str, str]:
    """Place and detail of everything that is refused."""
    with pytest.raises(TableError) as refused:
        load(file(folder, text), environ or {})
    return {problem.pointer: problem.detail for problem in refused.value.problems}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_needs_little(kind: str, tmp_path: Path) -> None:
    made = load(file(tmp_path, f'[destinations.one]\nkind = "{kind}"\n{SMALLEST[kind]}\n'), {})["one"]
    assert (made.KIND, made.name, made.takes, made.verify) == (kind, "one", made.TAKES[0], made.VERIFY[0])


def test_no_file_and_no_variable_is_no_destination() -> None:
    assert load("", {}) == {}


def test_tables_become_values(tmp_path: Path) -> None:
    made = load(
        file(
            tmp_path,
            """
            [destinations.ehr]
            kind = "fhir"
            takes = "fhir-r5"
            url = "https://ehr.example.org/fhir"
            concurrency = 2
            [destinations.ehr.auth]
            kind = "smart"
            token_url = "https://ehr.example.org/token"
            client_id = "lesionbridge"
            key_file = "/run/secrets/key.pem"
            [destinations.ehr.tls]
            ca_file = "/etc/ca.pem"
            [destinations.ehr.timeouts]
            connect_s = 3
            [destinations.ehr.window]
            opens = 20:00:00
            closes = "06:00"
            """,
        ),
        {},
    )["ehr"]
    assert isinstance(made, Fhir)
    assert made.auth == Smart("https://ehr.example.org/token", "lesionbridge", Secret(file="/run/secrets/key.pem"))
    assert made.tls == Tls(ca_file="/etc/ca.pem")
    assert (made.takes, made.concurrency, made.timeouts.connect_s) == ("fhir-r5", 2, 3.0)
    assert made.window is not None
    assert (made.window.opens, made.window.closes) == (time(20), time(6))


def test_the_environment_has_the_last_word(tmp_path: Path) -> None:
    environ = {
        "LESIONBRIDGE_DESTINATION__MAIN_PACS__URL": "https://other.example.org/dicom-web",
        "LESIONBRIDGE_DESTINATION__MAIN_PACS__TLS__VERIFY": "false",
        "LESIONBRIDGE_DESTINATION__MAIN_PACS__RETRY__ATTEMPTS": "3",
        "LESIONBRIDGE_DESTINATION__MAIN_PACS__MAY_CHANGE": "PatientID, StudyID",
    }
    made = load(file(tmp_path, f'[destinations.main-pacs]\nkind = "stow"\n{SMALLEST["stow"]}'), environ)["main-pacs"]
    assert isinstance(made, Stow)
    assert (made.url, made.tls.verify, made.retry.attempts) == ("https://other.example.org/dicom-web", False, 3)
    assert made.may_change == ("PatientID", "StudyID")


def test_a_destination_may_stand_in_the_environment_alone() -> None:
    said = {"KIND": "cstore", "HOST": "pacs", "PORT": "104", "CALLED": "PACS"}
    made = load("", {f"LESIONBRIDGE_DESTINATION__PACS__{name}": text for name, text in said.items()})["pacs"]
    assert isinstance(made, CStore)
    assert made.port == 104


def test_a_variable_that_names_a_destination_and_no_setting_is_refused() -> None:
    with pytest.raises(TableError) as raised:
        load("", {"LESIONBRIDGE_DESTINATION__PACS": "https://pacs.example.org"})
    assert [one.pointer for one in raised.value.problems] == ["LESIONBRIDGE_DESTINATION__PACS"]


@pytest.mark.parametrize("member", ["token", "password", "key"])
def test_a_secret_that_is_written_down_is_refused_with_what_to_do(member: str, tmp_path: Path) -> None:
    kind = {"token": "bearer", "password": "basic", "key": "api-key"}[member]
    text = (
        f'[destinations.a]\nkind = "fhir"\n{SMALLEST["fhir"]}\n[destinations.a.auth]\nkind = "{kind}"\n{member} = "s"'
    )
    found = wrong(tmp_path, text)
    assert f"{member}_file or {member}_environment" in found[f"destinations.a.auth.{member}"]
    assert '"s"' not in str(found)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[destinations.a]", "destinations.a.kind"),
        ('[destinations.a]\nkind = "fax"', "destinations.a.kind"),
        ('[destinations.a]\nkind = "stow"', "destinations.a.url"),
        ('[destinations.a]\nkind = "stow"\nurl = "ftp://x"', "destinations.a"),
        ('[destinations.a]\nkind = "stow"\nurl = "https://me:secret@x/y"', "destinations.a"),
        ('[destinations.a]\nkind = "stow"\nurl = "https://x"\ntakes = "html"', "destinations.a"),
        ('[destinations.a]\nkind = "stow"\nurl = "https://x"\nverify = "hope"', "destinations.a"),
        ('[destinations.a]\nkind = "stow"\nurl = "https://x"\nconcurrency = "many"', "destinations.a.concurrency"),
        ('[destinations.a]\nkind = "stow"\nurl = "https://x"\nconcurrency = 0', "destinations.a"),
        ('[destinations.a]\nkind = "stow"\nurl = "https://x"\nconcurrency = true', "destinations.a.concurrency"),
        ('[destinations.a]\nkind = "stow"\nurl = "https://x"\nprot = 1', "destinations.a.prot"),
        ('[destinations.a]\nkind = "stow"\nurl = "https://x"\nname = "b"', "destinations.a.name"),
        ('[destinations.a]\nkind = "stow"\nurl = "https://x"\ntls = "yes"', "destinations.a.tls"),
        (
            '[destinations.a]\nkind = "stow"\nurl = "https://x"\n[destinations.a.tls]\nkey_file = "k"',
            "destinations.a.tls",
        ),
        (
            '[destinations.a]\nkind = "stow"\nurl = "https://x"\n[destinations.a.auth]\nkind = "?"',
            "destinations.a.auth.kind",
        ),
        ('[destinations.A]\nkind = "folder"\npath = "x"', "destinations.A"),
        ('[destinations.a]\nkind = "cstore"\nhost = "h"\nport = 0\ncalled = "A"', "destinations.a"),
        ('[destinations.a]\nkind = "cstore"\nhost = "h"\nport = 1\ncalled = "SEVENTEEN-LETTERS"', "destinations.a"),
        (
            '[destinations.a]\nkind = "cstore"\nhost = "h"\nport = 1\ncalled = "A"\nverify = "read-back"',
            "destinations.a",
        ),
        ('[destinations.a]\nkind = "mllp"\nhost = "h"\nport = 1\nverify = "hope"', "destinations.a"),
        (f"[destinations.a]\nkind = 'fhir'\n{SMALLEST['fhir']}\nbundle = 'document'", "destinations.a"),
        (f"[destinations.a]\nkind = 'fhir'\n{SMALLEST['fhir']}\nencoding = 'yaml'", "destinations.a"),
        (f"[destinations.a]\nkind = 'fhir'\n{SMALLEST['fhir']}\nencoding = 'xml'\nbundle = 'single'", "destinations.a"),
        ("[destination.a]", "destination"),
        ("destinations = 1", "destinations"),
        ("destinations = ", "destinations_file"),
    ],
)
def test_refuses_what_can_not_be_used_and_names_the_place(text: str, place: str, tmp_path: Path) -> None:
    assert place in wrong(tmp_path, text)


def test_transactions_for_a_server_that_takes_requests_one_by_one_are_refused_with_what_to_do(tmp_path: Path) -> None:
    text = f"[destinations.a]\nkind = 'fhir'\n{SMALLEST['fhir']}\nprofile = 'imr'"
    (tmp_path / "destinations.toml").write_text(text)
    assert load(str(tmp_path / "destinations.toml"), {})["a"].profile == "imr"
    found = wrong(tmp_path, f"{text}\nupdate_as_create = false")
    assert "leave the profile out for this destination" in found["destinations.a"]


def test_tells_everything_that_is_wrong_at_once(tmp_path: Path) -> None:
    text = '[destinations.a]\nkind = "stow"\n[destinations.b]\nkind = "folder"\ncolour = "red"'
    assert set(wrong(tmp_path, text)) == {"destinations.a.url", "destinations.b.path", "destinations.b.colour"}


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="can't be read"):
        load(str(tmp_path / "none.toml"), {})


def test_a_secret_is_read_when_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("first\n")
    secret = Secret(file=str(tmp_path / "token"))
    assert secret.read() == "first"
    (tmp_path / "token").write_text("second")
    assert secret.read() == "second"
    monkeypatch.setenv("TOKEN", "third")
    assert Secret(environment="TOKEN").read() == "third"


def test_a_secret_that_is_missing_names_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    with pytest.raises(SecretMissing, match="the variable TOKEN"):
        Secret(environment="TOKEN").read()
    with pytest.raises(SecretMissing, match="nothing-here"):
        Secret(file=str(tmp_path / "nothing-here")).read()
