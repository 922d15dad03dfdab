"""Keeping a report: what is refused, what stays the same, and when it gives up."""

import pytest

from service import publishing
from service.check import compare
from service.domain.errors import Disagreement, Unavailable
from service.pipeline import Options, Source
from service.publishing import publish
from service.store.reports import Store, Taken
from service.store.versions import Draft
from tests.findings import make_body


def test_a_report_whose_outputs_disagree_is_not_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    found = (compare.Difference("fhir", "added", "lesion/1/site", "x"),)
    monkeypatch.setattr(compare, "compare", lambda *_: found)
    with pytest.raises(Disagreement):
        publish(Source(make_body()), Options(check=True), store)
    assert store.search({"sender": "local"}, limit=1) == ()


def test_the_senders_own_predecessor_stands(store: Store) -> None:
    publish(Source(make_body()), Options(), store)
    own = {"sop": "1.2.3.9", "series": "1.2.3.8", "sopClass": "1.2.840.10008.5.1.4.1.1.88.33"}
    receipt = publish(Source(make_body(report__version=2, report__predecessor=own)), Options(), store)
    assert b"1.2.3.9" in store.output(str(receipt.id), "sr").content


def test_the_digest_of_a_kept_report_is_the_same_in_every_version_of_the_service(store: Store) -> None:
    receipt = publish(Source(make_body()), Options(), store)
    kept = store.get(str(receipt.id)).digest
    # It stands in databases. Change it and every replay of an older report is a conflict.
    assert kept == "a9cdb1135585f47efa7f19f79e04da8945d1de095631ab60296618cecde58fe3"


def test_gives_up_as_busy_when_others_are_always_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[Draft] = []

    def taken(draft: Draft) -> None:
        tries.append(draft)
        raise Taken

    monkeypatch.setattr(store, "keep", taken)
    with pytest.raises(Unavailable):
        publish(Source(make_body()), Options(), store)
    assert len(tries) == publishing.ATTEMPTS
