"""Where tests find real files, reference facts and third-party judges, and what happens when one is not there.

LESIONBRIDGE_CASES, LESIONBRIDGE_REFERENCE: folders of files that are no part of this project; no default.
LESIONBRIDGE_ORACLES: where the judges are installed (`make oracles`), by default ~/.cache/lesionbridge-oracles.
LESIONBRIDGE_REQUIRE_ORACLES=1: whatever is missing fails the test (CI). Otherwise the test skips, or goes on with the
judges that are there, and the run ends with a count of what was missing, by name.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Protocol, TypeVar

import hypothesis
import pytest

from tests.oracles import complaint, judges, servers

MISSING = "missing"
# Both go by the clock, and the machine may be busy.
hypothesis.settings.register_profile(
    "busy", hypothesis.settings(), deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")
Server = TypeVar("Server")


def _required() -> bool:
    return os.environ.get("LESIONBRIDGE_REQUIRE_ORACLES") == "1"


class Missing:
    """Notes what one test did without; under xdist the notes travel with the test's report."""

    def __init__(self, node: pytest.Item) -> None:
        self._node = node

    def note(self, name: str, why: str) -> None:
        """Go on without it, or fail where all is required."""
        if _required():
            pytest.fail(f"{name}: {why}", pytrace=False)
        if (MISSING, name) not in self._node.user_properties:
            self._node.user_properties.append((MISSING, name))

    @property
    def names(self) -> set[str]:
        """What was noted so far."""
        return {str(name) for key, name in self._node.user_properties if key == MISSING}

    def skip(self, name: str, why: str) -> None:
        """Skip the test, or fail where all is required."""
        self.note(name, why)
        pytest.skip(f"{name}: {why}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker asks all judges of a kind: their programs take long to start, and stay."""
    for item in items:
        for fixture in ("sr_complaints", "fhir_complaints"):
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(fixture))


@pytest.fixture(autouse=True, scope="session")
def _nothing_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A data folder of this worker's own: not what the user imported, nor what another worker holds."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture
def missing(request: pytest.FixtureRequest) -> Missing:
    """Notes of what this test did without."""
    return Missing(request.node)


def _folder(variable: str, missing: Missing) -> Path:
    path = Path(os.environ.get(variable, ""))
    if not os.environ.get(variable) or not path.is_dir():
        missing.skip(variable, "names no folder that can be read")
    return path.resolve()


@pytest.fixture
def cases(missing: Missing) -> Path:
    """Folder of real files made by others."""
    return _folder("LESIONBRIDGE_CASES", missing)


@pytest.fixture
def reference(missing: Missing) -> Path:
    """Folder of verified terminology facts."""
    return _folder("LESIONBRIDGE_REFERENCE", missing)


@pytest.fixture
def oracle(missing: Missing) -> Callable[[str], Path]:
    """Path of a judge: a program by its name, or a path below the judges' folder such as `dcmqi/bin/tid1500reader`."""

    def find(name: str) -> Path:
        try:
            return Path(complaint.installed(*name.split("/")) if "/" in name else complaint.program(name))
        except complaint.NotInstalled as error:
            missing.skip(name, str(error))
            raise

    return find


def _settle(complaints: Iterable[complaint.Complaint], missing: Missing) -> list[complaint.Complaint]:
    told = list(complaints)
    for entry in told:
        if entry.missing:
            missing.note(entry.oracle, entry.message)
    return [entry for entry in told if not entry.missing]


class AskSr(Protocol):
    """`judge_sr`, as tests call it."""

    def __call__(
        self,
        paths: Iterable[Path],
        *,
        images: Path | None = None,
        skip: Sequence[str] = (),
        only: Sequence[str] = (),
        strict: bool = False,
    ) -> list[complaint.Complaint]: ...


class AskFhir(Protocol):
    """`judge_fhir`, as tests call it."""

    def __call__(
        self, paths: Iterable[Path], *, release: str = "R4", skip: Sequence[str] = (), only: Sequence[str] = ()
    ) -> list[complaint.Complaint]: ...


@pytest.fixture
def sr_complaints(missing: Missing) -> AskSr:
    """Complaints of the SR judges that are installed; the others are noted, or fail the test."""

    def ask(
        paths: Iterable[Path],
        *,
        images: Path | None = None,
        skip: Sequence[str] = (),
        only: Sequence[str] = (),
        strict: bool = False,
    ) -> list[complaint.Complaint]:
        return _settle(judges.judge_sr(paths, images=images, skip=skip, only=only, strict=strict), missing)

    return ask


@pytest.fixture
def fhir_complaints(missing: Missing) -> AskFhir:
    """Complaints of the FHIR judges that are installed; the others are noted, or fail the test."""

    def ask(
        paths: Iterable[Path], *, release: str = "R4", skip: Sequence[str] = (), only: Sequence[str] = ()
    ) -> list[complaint.Complaint]:
        return _settle(judges.judge_fhir(paths, release=release, skip=skip, only=only), missing)

    return ask


def _running(name: str, server: AbstractContextManager[Server], missing: Missing) -> Iterator[Server]:
    with ExitStack() as stack:
        try:
            up = stack.enter_context(server)
        except complaint.NotInstalled as error:
            missing.skip(name, str(error))
            raise
        yield up


@pytest.fixture
def sekmet(missing: Missing) -> Iterator[str]:
    """URL of an empty FHIR R4 server."""
    yield from _running("sekmet", servers.sekmet(), missing)


@pytest.fixture
def medplum(missing: Missing) -> Iterator[str]:
    """URL of an empty FHIR R4 server made of Medplum's parts."""
    yield from _running("medplum server", servers.medplum(), missing)


@pytest.fixture
def pacs(missing: Missing) -> Iterator[servers.Pacs]:
    """An empty Orthanc."""
    yield from _running("orthanc", servers.orthanc(), missing)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line: what was missing, and how many tests did without it."""
    without = {
        (value, report.nodeid)
        for reports in terminalreporter.stats.values()
        for report in reports
        for key, value in getattr(report, "user_properties", [])
        if key == MISSING
    }
    if without:
        counts = Counter(name for name, _ in without)
        told = ", ".join(f"{name} ({number})" for name, number in sorted(counts.items()))
        terminalreporter.write_line(f"not there, and so not asked, with the number of tests: {told}", yellow=True)
