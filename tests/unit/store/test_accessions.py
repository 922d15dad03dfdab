"""Of how many versions an accession number is, it is one patient's."""

from dataclasses import replace

import pytest

from service.domain.errors import Conflict
from service.store.reports import Store
from tests.unit.store.kept import make_draft

MANY = 25


def test_versions_without_an_issuer_stand_for_none_that_names_one(store: Store) -> None:
    before = None
    for number in range(1, MANY + 1):
        store.keep(replace(make_draft(number, predecessor=before, id=f"id-{number}"), patient_issuer=None))
        before = f"id-{number}"
    store.keep(replace(make_draft(MANY + 1, id="A", report_id="R2", version=1), patient_issuer="1.2.3"))
    other = replace(make_draft(MANY + 2, id="B", report_id="R3", version=1), patient_issuer="1.2.4")
    with pytest.raises(Conflict) as refused:
        store.keep(other)
    assert [one.rule for one in refused.value.problems] == ["accession-patient"]
