"""Overlays for the tests: CSV lines, and a vocabulary behind them."""

from service.coding import Vocabulary
from service.coding.coder import code_report
from service.coding.overlays.layers import Layer, Layers, OverlayText, layer
from service.coding.overlays.rows import COLUMNS, CSV
from service.coding.retired import Historical
from service.domain.codes import CodedTerm
from service.domain.report import CodedReport, LesionReport

HEADER = ",".join(COLUMNS)


def line(**cells: str) -> str:
    """A line with a source; only what matters is given."""
    members = {"source": "Dr. A"} | cells
    return ",".join(members.get(column, "") for column in COLUMNS)


def table(*lines: str) -> bytes:
    """A table of lines."""
    return "\n".join((HEADER, *lines, "")).encode()


def made(vocabulary: Vocabulary, *lines: str, sender: str = "local", version: int = 1) -> Layer:
    """An overlay of lines, checked."""
    return layer(OverlayText(sender, version, CSV, table(*lines)), vocabulary)


def behind(
    vocabulary: Vocabulary, *lines: str, sender: str = "local", releases: Historical | None = None
) -> Vocabulary:
    """The vocabulary for a sender, with an overlay of lines that must stand."""
    return Layers(vocabulary, (made(vocabulary, *lines, sender=sender).held(),), releases).of(sender)[0]


def rules(vocabulary: Vocabulary, *lines: str, sender: str = "local") -> list[tuple[str, str]]:
    """Place and rule of each problem."""
    return [(problem.pointer, problem.rule) for problem in made(vocabulary, *lines, sender=sender).problems]


def coded(report: LesionReport, vocabulary: Vocabulary) -> CodedReport:
    """The report coded."""
    return code_report(report, vocabulary)


def site(report: LesionReport, vocabulary: Vocabulary) -> CodedTerm:
    """The site of the first lesion, coded."""
    found = code_report(report, vocabulary).lesions[0].site
    assert found is not None
    return found
