"""What is kept of an SR that comes in: it is the SR of its report, no second one is made, and the bundle names it."""

import json
from typing import Any

import pytest

from service.pipeline import Format, Options, Source
from service.publishing import Receipt, publish
from service.store.reports import Store
from tests import sr_files as sr

SIZE = sr.num(sr.LONG_AXIS, "14.20", sr.MM)


def published(content: bytes, store: Store, **options: Any) -> Receipt:
    return publish(Source(content, Format.SR), Options(**options), store)


def kept(receipt: Receipt, store: Store) -> dict[str, bytes]:
    assert receipt.id is not None
    roles = [one["role"] for one in json.loads(receipt.content)["outputs"]]
    found = {role: store.output(receipt.id, role) for role in roles}
    return {role: one.content for role, one in found.items() if one is not None}


@pytest.mark.parametrize("check", [False, True])
def test_the_received_bytes_are_the_sr_that_is_kept(store: Store, check: bool) -> None:
    content = sr.measured(SIZE)
    receipt = published(content, store, check=check)
    made = kept(receipt, store)
    assert set(made) == {"sr", "fhir", "html", "findings"}
    assert made["sr"] == content
    assert f"urn:oid:{sr.STUDY}.2.1".encode() in made["fhir"]
    said = json.loads(receipt.content)
    assert said["report"]["id"] == f"{sr.STUDY}.2.1"
    assert said["lesions"] == 1


def test_the_same_sr_again_gives_the_same_receipt(store: Store) -> None:
    content = sr.measured(SIZE)
    first, again = published(content, store), published(content, store)
    assert (first.created, again.created) == (True, False)
    assert first.content == again.content


def test_an_sr_that_nothing_can_refer_to_is_kept_beside_the_one_that_is_made(store: Store) -> None:
    content = sr.measured(SIZE, SOPInstanceUID=None)
    made = kept(published(content, store), store)
    assert set(made) == {"source", "sr", "fhir", "html", "findings"}
    assert made["source"] == content
    assert made["sr"] != content
