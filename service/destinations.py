"""The destinations of a deployment, held to what this service can write for them.

Their settings know no formats (`service.delivery`), so a dialect, a profile or a language that does not exist is found
here, when the service starts and not with the first report.
"""

from collections.abc import Iterator, Mapping

from service.coding.labels import primary
from service.delivery.settings import DestinationSettings
from service.delivery.settings_file import load as load_settings
from service.domain.errors import DestinationsError, NotAcceptable, Problem
from service.doors import RELEASES, Format
from service.formats.fhir.profiles.modes import asked
from service.pipeline import BUNDLES, DIALECTS, ENCODINGS, LANGUAGES, PROFILES


def load(file: str, environ: Mapping[str, str]) -> Mapping[str, DestinationSettings]:
    """The destinations by name, in the file's order; raises DestinationsError with everything that is wrong."""
    found = load_settings(file, environ)
    problems = [problem for one in found.values() for problem in (*_unknown(one), *_unwritable(one))]
    if problems:
        raise DestinationsError(*problems)
    return found


def _unknown(one: DestinationSettings) -> Iterator[Problem]:
    for member, said, known in (
        ("dialect", one.dialect, DIALECTS),
        ("bundle", one.bundle, BUNDLES),
        ("profile", one.profile, PROFILES),
        ("encoding", one.encoding, ENCODINGS),
        ("language", primary(one.language), LANGUAGES),
    ):
        if said and said not in known:
            place = f"destinations.{one.name}.{member}"
            yield Problem(place, "destination", f"is one of {', '.join(known)}", tuple(known))


def _unwritable(one: DestinationSettings) -> Iterator[Problem]:
    """What is known each for itself, and is never written together: every report for it would be refused.

    A bundle that is not said is the one that a sender asks for, whichever that is.
    """
    release = RELEASES.get(Format(one.takes))
    if release is None or one.bundle not in ("", *BUNDLES) or one.profile not in ("", *PROFILES):
        return
    place = f"destinations.{one.name}"
    lists: list[bool] = []
    refused: list[str] = []
    for bundle in (one.bundle,) if one.bundle else BUNDLES:
        try:
            lists.append((bool(one.profile) and asked(one.profile, release, bundle).is_several) or bundle == "single")
        except NotAcceptable as error:
            refused.extend(problem.detail for problem in error.problems)
    if not lists:
        what = f"{release}, bundle {one.bundle}" if one.bundle else release
        yield Problem(f"{place}.profile", "destination", f"{refused[0]}; this is {what}")
    elif one.encoding == "xml" and all(lists):
        yield Problem(f"{place}.encoding", "destination", "a list of requests or transactions is JSON, never XML")
