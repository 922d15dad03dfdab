"""The documents: links lead somewhere; commands, settings, metrics that they name exist; the guide's sums are right."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from service.app import create_app
from service.cli import main
from service.config import DESTINATION, FOR_TESTS, PREFIX, Settings, environment_names
from service.store.batches import REFUSED
from service.store.reports import Store

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"]
GUIDE = (ROOT / "docs" / "operators-guide.md").read_text(encoding="utf-8")
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
RECORDED = re.compile(r"lesionbridge:\w+")
METRIC = re.compile(r"\blesionbridge_(?!release)[a-z_]+\b")
"""Not the tables of imported releases, whose names begin alike."""
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as those who show Markdown make them."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(plain.strip().replace(" ", "-"))
    return found


@by_page
def test_every_link_leads_to_a_file_and_its_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        assert not anchor or anchor in _anchors(file), target


def _commands(page: Path) -> Iterator[list[str]]:
    """Calls of `lesionbridge` in console blocks and between backticks, as words."""
    text = page.read_text(encoding="utf-8")
    shown = [line for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    said = re.findall(r"`(lesionbridge [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in [*shown, *said]:
        if re.match(r"\$ (helm|kubectl) ", line):  # the name of a release there
            continue
        for call in re.findall(r"(?:^|\s)lesionbridge ([a-z][^|>&;#]*)", line.replace("\n", " ")):
            yield shlex.split(call)


@by_page
def test_every_command_and_option_exists(page: Path) -> None:
    for words in _commands(page):
        command: click.Command = main
        rest = list(words)
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            found = command.get_command(click.Context(command), rest[0])
            assert found is not None, words
            command, rest = found, rest[1:]
        offered = {text for one in command.params for text in (*one.opts, *one.secondary_opts)} | {
            "--help",
            "--version",
        }
        assert {word.split("=")[0] for word in rest if word.startswith("--")} <= offered, words


@by_page
def test_every_setting_exists(page: Path) -> None:
    known = {*environment_names(), f"{PREFIX}ORACLES"} | {PREFIX + name for name in FOR_TESTS}
    for name in re.findall(rf"\b{PREFIX}[A-Z_]+\b", page.read_text(encoding="utf-8")):
        assert name in known or name.startswith((DESTINATION, f"{PREFIX}LIMIT_", f"{PREFIX}TEST_")), name


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names that Prometheus gets of a service that delivers."""
    folder = tmp_path_factory.mktemp("metrics")
    file = folder / "destinations.toml"
    file.write_text(f'[destinations.outbox]\nkind = "folder"\npath = "{folder}"\n', encoding="utf-8")
    url = f"sqlite:///{folder / 'metrics.sqlite3'}"
    store = Store(url)
    store.migrate()
    store.close()
    for source in sorted((ROOT / "service").rglob("*.py")):  # workers count in their own processes
        if "from prometheus_client import" in source.read_text(encoding="utf-8"):
            import_module(".".join(source.relative_to(ROOT).with_suffix("").parts))
    text = create_app(Settings(database_url=url, destinations_file=str(file))).test_client().get("/metrics").text
    found = set()
    for family in text_string_to_metric_families(text):
        suffixes = {"counter": ("_total",), "histogram": ("", "_bucket", "_sum", "_count")}.get(family.type, ("",))
        found |= {family.name + suffix for suffix in suffixes}
    return found


@by_page
def test_every_metric_exists(page: Path, metrics: set[str]) -> None:
    assert set(METRIC.findall(page.read_text(encoding="utf-8"))) <= metrics


def test_every_metric_of_the_alerts_exists(metrics: set[str]) -> None:
    text = RULES.read_text(encoding="utf-8")
    assert set(METRIC.findall(text)) <= metrics
    groups = YAML(typ="safe").load(text)["groups"]
    made = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    assert set(RECORDED.findall(text)) == made


def test_every_outcome_of_the_alerts_is_one_that_is_counted() -> None:
    named = dict(re.findall(r'(lesionbridge_\w+)\{outcome="(\w+)"\}', RULES.read_text(encoding="utf-8")))
    assert named == {"lesionbridge_batch_lines_total": REFUSED}


def test_the_guide_says_what_to_do_for_every_alert() -> None:
    groups = YAML(typ="safe").load(RULES)["groups"]
    alerts = [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]
    assert re.findall(r"^\| `(LesionBridge\w+)` \|", GUIDE, re.MULTILINE) == alerts
    assert all(rule["annotations"]["summary"] for group in groups for rule in group["rules"] if "alert" in rule)


def test_the_guide_names_every_line_of_the_log() -> None:
    said = set()
    for file in (ROOT / "service").rglob("*.py"):
        said |= set(re.findall(r"\b_log\.\w+\(\s*\"([^\"]+)\"", file.read_text(encoding="utf-8")))
    said.add("answered")  # its level depends on the route
    [table] = re.findall(r"\| event \| fields \|\n\|---\|---\|\n((?:\|.*\n)+)", GUIDE)
    named = {name for line in table.splitlines() for name in re.findall(r"`([^`]+)`", line.split("|")[1])}
    assert named == said


def test_the_guide_has_the_measured_figures_and_counts_right() -> None:
    measured = " ".join((ROOT / "docs" / "sizing.md").read_text(encoding="utf-8").split())
    assert "23.7 ms of the service, 9.4 ms of PostgreSQL" in measured
    assert "46 kB in PostgreSQL" in measured
    assert "is 38.6 statements" in measured
    assert "at 30 a second 36.3" in measured
    rows = re.findall(
        r"^\| ([\d,]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d,.]+) GB \| ([\d,.]+) \|$", GUIDE, re.MULTILINE
    )
    assert len(rows) == 4
    for row in rows:
        reports, rate, service_cores, database_cores, storage, statements = (float(one.replace(",", "")) for one in row)
        exact = reports / 86_400 * 4
        for shown, right in (
            (rate, exact),
            (service_cores, exact * 0.024),
            (database_cores, exact * 0.0094),
            (storage, reports * 46e3 / 1e9),
            (statements, exact * 37),
        ):
            assert shown == pytest.approx(right, rel=0.09, abs=0.0006), row
