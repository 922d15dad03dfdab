"""Rules: which one takes effect, where it shows, and that a request has the last word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.app import create_app
from service.cli import main
from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.codes import LOCAL_SCHEME
from service.pipeline import Source, read
from service.receiving.routing import effective, explained
from service.receiving.settings import Route
from tests.findings import make_body
from tests.unit.receiving.conftest import Deploy, destinations

ANY = Route(name="any", deliver=())
REPORT = code_report(read(Source(make_body())).report, vocabulary())
CODE = next(code for code in REPORT.study.modality.codes if code.system != LOCAL_SCHEME)
HEAD = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "condition",
    [
        {"sender": ("LOCAL",)},
        {"modality": ("US", CODE.code)},
        {"modality": (REPORT.study.modality.text,)},
        {"site": ("frontal-lobe",)},
        {"procedure": (REPORT.study.procedures[0].text,)},
        {"status": ("final", "amended")},
        {"source": ("hl7",)},
        {},
    ],
)
def test_a_condition_that_is_met(condition: dict[str, tuple[str, ...]]) -> None:
    route = Route(name="one", deliver=(), **condition)
    assert effective((route, ANY), REPORT, "hl7") is route


@pytest.mark.parametrize("member", ["sender", "modality", "site", "procedure", "status", "source"])
def test_one_condition_that_is_not_met_is_enough(member: str) -> None:
    other = {"status": ("preliminary",), "source": ("rest",)}.get(member, ("elsewhere",))
    route = Route(name="one", deliver=(), **{"sender": ("local",), member: other})
    assert effective((route, ANY), REPORT, "hl7") is ANY
    assert [one.failing for one in explained((route, ANY), REPORT, "hl7")] == [member, ""]


def test_no_rule_delivers_nowhere() -> None:
    assert effective((), REPORT, "rest") is None


def test_a_request_over_rest_is_routed_unless_it_says_where(deploy: Deploy) -> None:
    here = deploy()
    client = create_app(here.settings).test_client()
    dry = client.post("/v1/reports?dry-run=true", data=make_body(), headers=HEAD).json
    assert dry is not None
    assert dry["route"] == "all else"
    routed = client.post("/v1/reports", data=make_body(), headers=HEAD)
    assert (routed.status_code, routed.json and routed.json["route"]) == (201, "all else")
    assert destinations(here) == {"pacs", "ehr"}
    again = client.post("/v1/reports", data=make_body(), headers=HEAD)
    assert (again.status_code, again.data) == (200, routed.data)
    said = client.post("/v1/reports?deliver=engine", data=make_body(report__id="R9"), headers=HEAD).json
    assert said is not None
    assert "route" not in said
    assert [one["destination"] for one in said["deliveries"]] == ["engine"]


CORRECTED = """
[[routes]]
name = "corrections"
status = ["corrected", "entered-in-error"]
deliver = ["engine", "ehr"]
"""


def test_an_amendment_goes_where_the_versions_before_went_and_where_the_rules_say(deploy: Deploy) -> None:
    client = create_app(deploy(receiving=CORRECTED).settings).test_client()

    def went(address: str, body: bytes = b"", **more: str) -> tuple[str, list[str], str | None]:
        receipt = client.post(address, data=body, headers={**HEAD, **more}).json
        assert receipt is not None
        listed = [one["destination"] for one in receipt.get("deliveries", ())]
        return receipt.get("id", ""), listed, receipt.get("route")

    first, *said = went("/v1/reports?deliver=pacs,ehr", make_body())
    assert said == [["pacs", "ehr"], None]
    later = make_body(report__issued="2026-03-03T08:00:00+01:00")
    amend = f"/v1/reports/{first}/amend"
    assert went(f"{amend}?kind=correct&dry-run=true", later)[1:] == (["pacs", "ehr", "engine"], "corrections")
    second, *said = went(f"{amend}?kind=correct", later)
    assert said == [["pacs", "ehr", "engine"], "corrections"]
    third, *said = went(f"/v1/reports/{second}/amend?kind=addend", later)
    assert said == [["pacs", "ehr", "engine"], None]  # no rule is for it
    fourth, *said = went(f"/v1/reports/{third}/cancel?deliver=ehr")
    assert said == [["ehr"], None]
    assert went(f"/v1/reports/{third}/cancel?deliver=ehr")[0] == fourth


def test_what_went_nowhere_is_amended_to_where_the_rules_say(deploy: Deploy) -> None:
    here = deploy(receiving=CORRECTED)
    client = create_app(here.settings).test_client()
    first = client.post("/v1/reports", data=make_body(), headers=HEAD).json
    assert first is not None
    assert "deliveries" not in first
    again = [client.post(f"/v1/reports/{first['id']}/cancel").json for _ in range(2)]
    assert again[0] == again[1]
    assert destinations(here) == {"engine", "ehr"}


def test_the_command_amends_by_the_same_rules(deploy: Deploy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = deploy(receiving=CORRECTED)
    for name in ("destinations_file", "receiving_file", "database_url"):
        monkeypatch.setenv(f"LESIONBRIDGE_{name.upper()}", getattr(here.settings, name))
    client = create_app(here.settings).test_client()
    client.post("/v1/reports?deliver=pacs", data=make_body(), headers=HEAD)
    done = CliRunner().invoke(main, ["cancel", "MR-2026-000481"])
    assert done.exit_code == 0, done.output
    receipt = json.loads(done.stdout)
    assert [one["destination"] for one in receipt["deliveries"]] == ["pacs", "engine", "ehr"]
    assert receipt["route"] == "corrections"


def test_no_rule_at_all_leaves_everything_as_it_was(deploy: Deploy) -> None:
    client = create_app(deploy(receiving="").settings).test_client()
    answer = client.post("/v1/reports", data=make_body(), headers=HEAD).json
    assert answer is not None
    assert not {"route", "deliveries"} & set(answer)


def test_the_command_explains(deploy: Deploy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = deploy()
    for name in ("destinations_file", "receiving_file", "database_url"):
        monkeypatch.setenv(f"LESIONBRIDGE_{name.upper()}", getattr(here.settings, name))
    file = tmp_path / "report.json"
    file.write_bytes(make_body())
    done = CliRunner().invoke(main, ["route", str(file)])
    assert done.exit_code == 0
    told = done.output.splitlines()
    assert told[0].startswith("what the PACS sends is not sent back: no, its source is another")
    assert told[1] == "all else: takes effect; goes to pacs, ehr"
    assert "goes to ehr, engine" in CliRunner().invoke(main, ["route", str(file), "--source", "stow"]).output
