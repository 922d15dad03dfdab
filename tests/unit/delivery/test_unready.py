"""What destinations name and is not there is said when a server starts, and ends nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.commands.mounted import doubt_destinations
from service.config import Settings
from service.delivery.pem import out_of_date, unusable
from tests.certificates import Authority

DESTINATIONS = """
[destinations.pacs]
kind = "stow"
url = "https://pacs.example.org"
[destinations.pacs.auth]
kind = "bearer"
token_file = "none"
[destinations.pacs.tls]
certificate_file = "{certificate}"
key_file = "{key}"
[destinations.ris]
kind = "mllp"
host = "ris.example.org"
port = 2575
[destinations.ris.tls]
ca_file = "none"
[destinations.archive]
kind = "cstore"
host = "archive.example.org"
port = 104
called = "ARCHIVE"
dicomweb_url = "https://archive.example.org"
[destinations.archive.dicomweb_auth]
kind = "basic"
user = "u"
password_environment = "NO_SUCH"
[destinations.archive.commitment_tls]
certificate_file = "{certificate}"
key_file = "letter"
[destinations.fine]
kind = "folder"
path = "anywhere"
"""


def test_secrets_and_certificates_that_are_not_there_or_out_of_date_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    old = Authority(tmp_path).identity("old", valid=(-9, -1))
    Path("letter").write_text("a letter")
    Path("d.toml").write_text(
        DESTINATIONS.replace("{certificate}", str(old.certificate)).replace("{key}", str(old.key))
    )
    monkeypatch.setenv("LESIONBRIDGE_DESTINATIONS_FILE", "d.toml")
    doubt_destinations(Settings(destinations_file="d.toml"))
    said = dict(line.split(" (LESIONBRIDGE_DESTINATIONS_FILE): ") for line in capsys.readouterr().err.splitlines())
    assert said == {
        "destinations.pacs.auth.token": "the file none can't be read (FileNotFoundError); what is for pacs waits",
        "destinations.pacs.tls.certificate_file": f"{old.certificate} has expired: renew it; what is for pacs waits",
        "destinations.ris.tls.ca_file": "none can't be read (No such file or directory); what is for ris waits",
        "destinations.archive.dicomweb_auth.password": "the variable NO_SUCH is empty; what is for archive waits",
        "destinations.archive.commitment_tls.key_file": "letter holds no key in PEM; what is for archive waits",
    }


@pytest.mark.parametrize(
    ("valid", "said"),
    [((-1, 12), ""), ((-9, -1), "has expired: renew it"), ((1, 2), "is not valid yet: is a clock wrong?")],
)
def test_a_certificate_of_ours_is_held_to_the_time(tmp_path: Path, valid: tuple[float, float], said: str) -> None:
    ours = Authority(tmp_path).identity("ours", valid=valid)
    assert unusable(str(ours.certificate), str(ours.key), "") is None
    assert out_of_date(str(ours.certificate), str(ours.key)) == (f"{ours.certificate} {said}" if said else "")
