"""The value sets of the tables: of each concept its key, and beside it every exact code that the service emits."""

from service.coding.lookup import Vocabulary
from service.coding.server.compose import Composition, Part
from service.coding.server.maps import canonical
from service.domain.codes import LOCAL_SCHEME


def table_value_sets(vocabulary: Vocabulary, version: str) -> dict[str, Composition]:
    """By the name of its table; codes in the tables' order, one part a code system, the keys last."""
    order = {key: place for place, key in enumerate(vocabulary.concepts)}
    made = {}
    for name, keys in vocabulary.value_sets.items():
        codes: dict[str, dict[str, str]] = {}
        for key in sorted(keys, key=order.__getitem__):
            for code in vocabulary.concepts[key].codes:
                codes.setdefault(code.system, {}).setdefault(code.code, code.display)
        local = {key: vocabulary.concepts[key].label for key in sorted(keys, key=order.__getitem__)}
        parts = [*codes.items(), (LOCAL_SCHEME, local)]
        includes = tuple(
            Part(vocabulary.systems[system].uri, codes=tuple(listed.items())) for system, listed in parts if listed
        )
        title = f"LesionBridge: {name.replace('-', ' ')}"
        made[name] = Composition(canonical("value-set", name), name, title, includes, version=version)
    return made
