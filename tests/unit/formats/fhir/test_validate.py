"""Incoming FHIR held to its definitions: only when asked, with places, and without a word of the document."""

import json
from pathlib import Path

import pytest

from service.domain.errors import Invalid
from service.domain.limits import Limits
from service.doors import Format
from service.formats.fhir.validate import validate
from service.pipeline import Options, Source, convert
from tests.findings import make_body

FORMS = {"R4": Format.FHIR_R4, "R5": Format.FHIR_R5}


def ours(release: str, encoding: str = "json") -> bytes:
    return convert(Source(make_body()), (FORMS[release],), Options(encoding=encoding)).outputs[FORMS[release]].content


@pytest.mark.parametrize("encoding", ["json", "xml"])
@pytest.mark.parametrize("release", FORMS)
def test_ours_is_held_and_right(release: str, encoding: str) -> None:
    content = ours(release, encoding)
    validate(content, Limits(), release)
    with pytest.raises(Invalid):
        validate(content.replace(b"gender", b"colour"), Limits(), release)


def test_what_is_wrong_is_named_by_place_and_kind_and_nothing_of_it_is_repeated() -> None:
    bundle = json.loads(ours("R4"))
    bundle["entry"][0]["resource"]["birthDate"] = "the words of the sender"
    bundle["entry"][0]["resource"]["colour"] = "blue"

    with pytest.raises(Invalid) as raised:
        validate(json.dumps(bundle).encode(), Limits(), "R4")

    assert {problem.rule for problem in raised.value.problems} == {"fhir-invalid"}
    assert all(problem.pointer.startswith("Bundle.entry[0]") for problem in raised.value.problems)
    assert "words" not in str(raised.value)
    assert "blue" not in str(raised.value)


def test_a_resource_that_no_release_has_is_refused() -> None:
    with pytest.raises(Invalid):
        validate(b'{"resourceType": "Nonsense"}', Limits(), "R4")


def test_on_the_command_line_it_is_asked_for(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from service.cli import main

    bundle = json.loads(ours("R4"))
    bundle["entry"][0]["resource"]["colour"] = "blue"
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(bundle), encoding="utf-8")

    plain = CliRunner().invoke(main, ["convert", str(file), "--to", "html", "-o", str(tmp_path / "a.html")])
    held = CliRunner().invoke(
        main, ["convert", str(file), "--to", "html", "-o", str(tmp_path / "b.html"), "--validate"]
    )

    assert (plain.exit_code, held.exit_code) == (0, 2)
