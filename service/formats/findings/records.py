"""JSON objects that become domain objects: a marshmallow schema each, read in one pass over the members that came."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, fields

from service.domain.limits import Limits
from service.formats.findings.fields import Member, Reader, objects
from service.formats.findings.members import read_members
from service.formats.reading import Reading


class Record(Schema):
    """An object whose members are declared as fields and whose domain object `make` builds.

    Unknown members are refused. An object is read once, whatever is wrong in it: all its problems are noted.
    """

    class Meta:
        """What marshmallow and OpenAPI hold too."""

        unknown = RAISE

    made_by: ClassVar[Callable[..., Any]] = dict

    def __init__(self, **options: Any) -> None:
        """Ask each field for its reader once."""
        super().__init__(**options)
        self._members: dict[str, tuple[str, Reader]] = {}
        for name, field in self.fields.items():
            assert isinstance(field, Member | Part | Parts), name  # noqa: S101 - a defect of a schema
            self._members[field.data_key or name] = (field.attribute or name, field.reader())
        self._required = frozenset(field.data_key or name for name, field in self.fields.items() if field.required)

    def make(self, values: dict[str, Any], where: str, reading: Reading) -> Any:  # noqa: ARG002 - for those who need it
        """The domain object of members that are right each by itself; None with a problem noted."""
        return self.made_by(**values)

    def read(self, value: Any, where: str, reading: Reading) -> Any:
        """The domain object, or None with every problem noted."""
        before = reading.found
        values = read_members(self._members, self._required, value, where, reading)
        return None if reading.found != before else self.make(values, where, reading)

    def load(
        self,
        data: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        many: bool | None = None,  # noqa: ARG002 - marshmallow's signature
        partial: Any = None,  # noqa: ARG002 - marshmallow's signature
        unknown: Any = None,  # noqa: ARG002 - marshmallow's signature
    ) -> Any:
        """The domain object of a JSON object within the default limits; raises Invalid with all problems."""
        reading = Reading(Limits())
        made = self.read(data, "", reading)
        reading.check()
        return made


class Part(fields.Nested):
    """An object within an object."""

    def __init__(self, schema: type[Record], description: str, *, required: bool = False) -> None:
        """``schema`` is made once, with the schema that the part belongs to."""
        super().__init__(schema, required=required, metadata={"description": description})

    def reader(self) -> Reader:
        """The reading of the schema itself."""
        return _record(self).read


class Parts(fields.List[Any]):
    """A list of objects of one schema."""

    def __init__(
        self, schema: type[Record], description: str, *, most: str = "items", data_key: str | None = None
    ) -> None:
        """``most`` names the limit that holds for the list."""
        super().__init__(Part(schema, ""), data_key=data_key, metadata={"description": description})
        self.most = most

    def reader(self) -> Reader:
        """A reader of every item, in order."""
        assert isinstance(self.inner, Part)  # noqa: S101 - as made above
        read_item = self.inner.reader()

        def read(value: Any, where: str, reading: Reading) -> tuple[Any, ...] | None:
            return objects(read_item, value, where, reading, getattr(reading.limits, self.most))

        return read


def object_schema(record: Record) -> dict[str, object]:
    """The JSON Schema of a record, all of it in one piece; OpenAPI has the same with references."""
    properties: dict[str, object] = {}
    for name, field in record.fields.items():
        says = dict(field.metadata)
        if isinstance(field, Part):
            says |= object_schema(_record(field))
        elif isinstance(field, Parts) and isinstance(field.inner, Part):
            says |= {"type": "array", "items": object_schema(_record(field.inner))}
        properties[field.data_key or name] = says
    made: dict[str, object] = {"type": "object", "properties": properties, "additionalProperties": False}
    required = [field.data_key or name for name, field in record.fields.items() if field.required]
    return {**made, "required": required} if required else made


def _record(part: Part) -> Record:
    schema = part.schema
    assert isinstance(schema, Record)  # noqa: S101 - a defect of a schema
    return schema
