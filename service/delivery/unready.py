"""What a destination's settings name and is not there yet: secrets, certificates. Each is read when it is needed."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from service.delivery.pem import out_of_date, unusable
from service.delivery.secrets import Secret, SecretMissing
from service.delivery.settings import DestinationSettings, ServerTls, Tls


def unready(one: DestinationSettings) -> Iterator[tuple[str, str]]:
    """Each member that nothing can be delivered with as it is now, as ``destinations.NAME.MEMBER``, and why."""
    yield from _looked(one, f"destinations.{one.name}")


def _looked(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Secret):
        try:
            value.read()
        except SecretMissing as error:
            yield place, str(error)
    elif isinstance(value, Tls | ServerTls):
        found = unusable(value.certificate_file, value.key_file, value.ca_file)
        if found is not None:
            yield f"{place}.{found[0]}", found[1]
        elif value.certificate_file and (late := out_of_date(value.certificate_file, value.key_file)):
            yield f"{place}.certificate_file", late
    elif is_dataclass(value):
        for member in fields(value):
            yield from _looked(getattr(value, member.name), f"{place}.{member.name}")
