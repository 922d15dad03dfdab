"""A bundle while it is shaped for a mode: plain JSON, numbers with their digits."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from service.domain.loss import Loss, LossKind
from service.domain.report import CodedReport

Json = dict[str, Any]


def plain(content: bytes) -> Json:
    """A bundle as plain JSON; a number becomes an `orjson.Fragment`, which keeps its digits."""
    found: Json = json.loads(content, parse_float=orjson.Fragment, parse_int=orjson.Fragment)
    return found


@dataclass(slots=True)
class Shaping:
    """A bundle, the report that it is of, the language asked for its page, and what the mode could not have."""

    bundle: Json
    report: CodedReport
    language: str = ""
    losses: list[Loss] = field(default_factory=list)

    @property
    def entries(self) -> list[Json]:
        """The entries of the bundle."""
        found: list[Json] = self.bundle["entry"]
        return found

    def resources(self, kind: str) -> Iterator[Json]:
        """The resources of a type."""
        return (one["resource"] for one in self.entries if one["resource"]["resourceType"] == kind)

    def target(self, reference: Json) -> Json | None:
        """The resource that a reference leads to."""
        wanted = reference.get("reference")
        return next((one["resource"] for one in self.entries if one["fullUrl"] == wanted), None)

    def put_by_id(self, entry: Json) -> None:
        """Store a resource under the UUID of its entry instead of looking for it."""
        uuid = entry["fullUrl"].removeprefix("urn:uuid:")
        resource = entry["resource"]
        entry["resource"] = {"resourceType": resource["resourceType"], "id": uuid, **resource}
        if "request" in entry:
            entry["request"] = {"method": "PUT", "url": f"{resource['resourceType']}/{uuid}"}

    def flag(self, what: str, why: str, rule: str = "fhir-profile") -> None:
        """Name what is not as the mode asks for."""
        self.losses.append(Loss(LossKind.FLAGGED, "", what, why, rule))
