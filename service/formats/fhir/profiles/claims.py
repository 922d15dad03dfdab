"""Which resources may claim which profiles: those that keep every rule, together with all that they must refer to."""

from collections import Counter

from service.formats.fhir.profiles.checks import CHECKS
from service.formats.fhir.profiles.rules import Json, Profile, Rule, holds, is_for, profiles
from service.formats.fhir.profiles.shaping import Shaping


class _Kept:
    """Profiles that resources keep, for now: those that break a rule are taken out until nothing changes."""

    def __init__(self, shaping: Shaping, known: tuple[Profile, ...]) -> None:
        self._resources = {one["fullUrl"]: one["resource"] for one in shaping.entries}
        self.candidates = {
            (id(resource), profile.id): (resource, profile)
            for resource in self._resources.values()
            for profile in known
            if is_for(profile, resource)
        }
        self.broken: Counter[tuple[Profile, Rule]] = Counter()

    def target(self, reference: Json) -> Json | None:
        """The resource of the bundle that a reference leads to."""
        return self._resources.get(reference.get("reference", ""))

    def keeps(self, resource: Json, profile_id: str) -> bool:
        """Whether a resource keeps a profile."""
        return (id(resource), profile_id) in self.candidates

    def settle(self) -> None:
        """Take out what breaks a rule, and then what leaned on it."""
        changed = True
        while changed:
            changed = False
            for key, (resource, profile) in list(self.candidates.items()):
                failing = [rule for rule in profile.rules if not holds(rule, resource, self, CHECKS)]
                if failing:
                    del self.candidates[key]
                    self.broken.update((profile, rule) for rule in failing)
                    changed = True


def claim(shaping: Shaping, mode: str) -> None:
    """Write ``meta.profile`` where every rule is kept; name each rule that is not, once, with how many broke it."""
    kept = _Kept(shaping, profiles(mode))
    kept.settle()
    claimed: dict[int, list[str]] = {}
    for resource, profile in kept.candidates.values():
        claimed.setdefault(id(resource), []).append(profile.url)
    for entry in shaping.entries:
        resource = entry["resource"]
        urls = claimed.get(id(resource))
        if urls:
            head = {name: resource[name] for name in ("resourceType", "id") if name in resource}
            entry["resource"] = head | {"meta": {"profile": urls}} | resource
    _name(shaping, kept.broken)


class _Claimed:
    """What the resources of a shaped bundle claim."""

    def target(self, reference: Json) -> Json | None:  # noqa: ARG002 - no rule of a Bundle follows a reference
        """Nothing: a Bundle refers to nothing."""
        return None

    def keeps(self, resource: Json, profile_id: str) -> bool:
        """Whether a resource claims a profile."""
        claimed: list[str] = resource.get("meta", {}).get("profile", [])
        return any(url.endswith(f"/{profile_id}") for url in claimed)


def claim_bundle(shaping: Shaping, bundle: Json, mode: str) -> Json:
    """A bundle whose entries have made their claims, with its own."""
    urls = []
    for profile in (one for one in profiles(mode) if is_for(one, bundle)):
        failing = [rule for rule in profile.rules if not holds(rule, bundle, _Claimed(), CHECKS)]
        if not failing:
            urls.append(profile.url)
        _name(shaping, Counter((profile, rule) for rule in failing))
    return {"resourceType": "Bundle", "meta": {"profile": urls}} | bundle if urls else bundle


def _name(shaping: Shaping, broken: Counter[tuple[Profile, Rule]]) -> None:
    """Name each rule that is not kept."""
    for (profile, rule), times in sorted(broken.items(), key=lambda item: (item[0][0].url, str(item[0][1]))):
        why = f"{times} {profile.kind}: {rule} ({profile.source})"
        shaping.flag(f"profile {profile.id} is not claimed", why)
