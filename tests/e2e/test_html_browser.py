"""The page in a real browser: Chromium shows it, prints it on one sheet, and finds nothing in it to run."""

import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from service.domain.report import CodedReport
from service.formats.html.write import page
from tests.report_set import REPORTS
from tests.reports import make_coded_report, make_lesion
from tests.unit.examples.test_examples import coded
from tests.unit.formats.html.markup import Html
from tests.unit.formats.html.test_hostile import HARMLESS, HOSTILE, filled, shape

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--enable-logging=stderr", "--no-pdf-header-footer"),
)
DARK, LIGHT = 0, 1
Browse = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def browse(tmp_path: Path, oracle: Callable[[str], Path]) -> Browse:
    """Open a report in a browser that has never been used before."""
    chromium = str(oracle("chromium"))

    def run(report: CodedReport, *arguments: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "report.html"
        file.write_text(page(report), encoding="utf-8")
        command = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *arguments, file.as_uri()]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)

    return run


def ordinary() -> CodedReport:
    """Four lesions with sizes, descriptors and images: what a follow-up of brain metastases looks like."""
    lesions = tuple(make_lesion(f"L{number}") for number in range(1, 5))
    return make_coded_report(lesions=lesions, negatives=REPORTS["rich"]().negatives, findings="No midline shift.")


@pytest.mark.parametrize(
    "make",
    [
        ordinary,
        REPORTS["bone"],
        partial(coded, "openbtai-10046-1"),
        partial(coded, "bone-fdg-pet-ct"),
        partial(coded, "bone-mri-spine-cord-compression"),
    ],
)
def test_prints_on_one_sheet(browse: Browse, tmp_path: Path, make: Callable[[], CodedReport]) -> None:
    target = tmp_path / "report.pdf"
    browse(make(), f"--print-to-pdf={target}")
    assert len(re.findall(rb"/Type\s*/Page\b", target.read_bytes())) == 1


def test_its_own_policy_lets_its_style_sheet_in(browse: Browse, tmp_path: Path) -> None:
    done = browse(ordinary(), f"--screenshot={tmp_path / 'page.png'}")
    assert "Content Security Policy" not in done.stderr


@pytest.mark.parametrize(("scheme", "bright"), [(DARK, False), (LIGHT, True)])
def test_follows_the_readers_choice_of_light_or_dark(browse: Browse, tmp_path: Path, scheme: int, bright: bool) -> None:
    target = tmp_path / "page.png"
    browse(ordinary(), f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={target}")
    with Image.open(target) as picture:
        lightness = picture.convert("L").getpixel((2, 2))
    assert isinstance(lightness, int)
    assert (lightness > 200) if bright else (lightness < 60)


def test_runs_nothing_that_a_sender_wrote(browse: Browse) -> None:
    hostile = "".join(HOSTILE) + "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    seen = Html(browse(filled(hostile), "--dump-dom").stdout)
    harmless = Html(browse(HARMLESS, "--dump-dom").stdout)
    assert shape(seen.elements) == shape(harmless.elements)
    assert seen.words.count("document.title='owned'") >= harmless.words.count("harmless")
