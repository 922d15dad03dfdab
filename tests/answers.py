"""``python -m tests.answers CORPUS``: what this build of the service answers to each document of a corpus, a line each.

A line is the digest of every output, then the losses; or the refusal with all its problems. Two builds that do the same
print the same lines (`tests/e2e/test_compiled.py`). `corpus` makes the documents, once for all builds.
"""

import base64
import hashlib
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.compiled import build
from service.domain.errors import Refused
from service.doors import Format
from service.pipeline import Options, Source, convert

_OUTPUTS = (Format.SR, Format.FHIR_R4, Format.FHIR_R5, Format.HTML, Format.FINDINGS)
_OPTIONS = (
    Options(),
    Options(dialect="ohif", bundle="document"),
    Options(dialect="enhanced", bundle="single"),
    Options(dialect="text", bundle="collection"),
    Options(dialect="air"),
)


def answers(body: bytes, form: Format) -> Iterator[str]:
    """Everything that is made of one document, with every choice of form that there is for it."""
    for options in _OPTIONS:
        try:
            outcome = convert(Source(body, form), _OUTPUTS, options)
        except Refused as refused:
            yield f"{type(refused).__name__} {refused.problems!r}"
        except Exception as error:  # noqa: BLE001 - a defect is to be the same defect in both builds
            yield f"{type(error).__name__} (no refusal)"
        else:
            made = [hashlib.sha256(outcome.outputs[output].content).hexdigest() for output in _OUTPUTS]
            yield f"{' '.join(made)} {outcome.losses!r} {outcome.report!r}"


def corpus(documents: list[bytes], changes: int) -> Iterator[tuple[Format, bytes]]:
    """The documents; what we write of those that are taken; and ``changes`` of each of these that nobody asked for."""
    chance = random.Random(6)
    for body in documents:
        yield Format.FINDINGS, body
        try:
            made = convert(Source(body), (Format.SR, Format.FHIR_R4, Format.FHIR_R5), Options()).outputs
        except Refused:
            continue
        for form, output in made.items():
            yield form, output.content
            for _ in range(changes):
                yield form, _changed(output.content, form, chance)


def _changed(content: bytes, form: Format, chance: random.Random) -> bytes:
    if form is Format.SR:
        from tests.unit.formats.sr.test_read_fuzz import mutated

        return mutated(content, chance)
    document = json.loads(content)
    for _ in range(chance.randint(1, 6)):
        _change(document, chance)
    return json.dumps(document).encode()


def _change(node: Any, chance: random.Random) -> None:
    """Walk down to some member and remove it, or put there what does not belong."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = chance.choice(keys)
        below = node[key]
        if isinstance(below, dict | list) and below and chance.random() < 0.85:
            node = below
            continue
        wrong: Any = chance.choice((None, 0, -1, 2.5, True, "", " x ", [], {}, [None], [[]], {"x": 1}, ["a"], [{}]))
        if chance.random() < 0.4 or not isinstance(node, dict):
            del node[key]
        else:
            node[key] = wrong
        return


def main() -> None:
    """Read the corpus, print the answers."""
    print(json.dumps(build()))
    for line in Path(sys.argv[1]).read_text().splitlines():
        form, body = json.loads(line)
        print(json.dumps(list(answers(base64.b64decode(body), Format(form)))))


if __name__ == "__main__":
    main()
