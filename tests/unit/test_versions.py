"""A report among its versions, over the store alone."""

import pytest

from service.doors import Format, Options
from service.pipeline import Source, read
from service.publishing import publish
from service.store.reports import Store
from service.store.versions import Stored
from service.versions import anew, as_it_came, coded_again
from tests import sr_files as sr
from tests.findings import make_body

NAMELESS = sr.measured(sr.num(sr.LONG_AXIS, "14.20", sr.MM), SOPInstanceUID=None)
"""An SR that nothing can refer to: it is kept beside the one that is made."""


def kept(source: Source, store: Store) -> Stored:
    return store.get(str(publish(source, Options(), store).id))


@pytest.mark.parametrize("source", [Source(make_body()), Source(NAMELESS, Format.SR)], ids=["findings", "sr"])
def test_it_is_read_again_as_the_document_that_it_came_as(store: Store, source: Source) -> None:
    again = as_it_came(Source(b""), store, kept(source, store))
    assert (again.body, again.format) == (source.body, source.format)


def test_it_is_coded_again_as_the_one_that_follows_the_version_before(store: Store) -> None:
    first = kept(Source(make_body()), store)
    second = Source(make_body(report__version=2))
    kept(second, store)
    report = coded_again(second, read(second), store)
    assert report.predecessor is not None
    assert report.predecessor.sop_instance == first.sr.sop_instance


def test_what_is_written_anew_names_the_sr_that_is_kept_and_the_one_before(store: Store) -> None:
    first = kept(Source(make_body()), store)
    second = kept(Source(make_body(report__version=2)), store)
    content = anew(Source(b""), store, second, Format.FHIR_R5, Options()).content
    assert first.sr.sop_instance.encode() in content
    assert second.sr.sop_instance.encode() in content
