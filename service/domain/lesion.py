"""What is said of one lesion: its terms, measurements, answers and images, as the sender's or coded.

The type parameter says whether the terms are resolved, as in `service.domain.report`. These are the objects of which a
report has hundreds: plain classes that `data_class` makes data classes of, so that the compiled build has them native.
"""

from dataclasses import Field, dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final, Generic, TypeVar

from service.domain.geometry import LesionImage, Region3D, SegmentReference
from service.domain.quick import data_class, interpreted
from service.domain.uids import check_uid

T = TypeVar("T")


@interpreted
@dataclass(frozen=True, slots=True)
class ReferenceRange:
    """What is normal for a measurement, in its own unit (TID 310)."""

    low: Decimal | None = None
    high: Decimal | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        """It says something, and low is not above high."""
        if self.low is None and self.high is None and self.text is None:
            raise ValueError("a reference range is empty")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("a reference range has low above high")


class Measurement(Generic[T]):
    """A number with its unit; ``value`` keeps the digits as written (12.50 stays 12.50).

    ``image`` is the SOP Instance UID of the image it was measured on.
    """

    __slots__ = ("concept", "derivation", "image", "method", "range", "unit", "value", "where")
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(
        self,
        concept: T,
        value: Decimal,
        unit: T,
        method: T | None = None,
        derivation: T | None = None,
        range: ReferenceRange | None = None,  # noqa: A002 - its name in a report
        image: str | None = None,
        where: str = "",
    ) -> None:
        """Fill it; `data_class` makes the rest of it."""
        self.concept: Final = concept
        self.value: Final = value
        self.unit: Final = unit
        self.method: Final = method
        self.derivation: Final = derivation
        self.range: Final = range
        self.image: Final = image
        self.where: Final = where


data_class(Measurement)


class Evaluation(Generic[T]):
    """A coded answer: ``name`` is the field as a concept, ``row`` its key in ``mappings/evaluations.toml``."""

    __slots__ = ("name", "row", "value", "where")
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(self, name: T, value: T, row: str = "", where: str = "") -> None:
        """Fill it; `data_class` makes the rest of it."""
        self.name: Final = name
        self.value: Final = value
        self.row: Final = row
        self.where: Final = where


data_class(Evaluation)


class TimePoint(Generic[T]):
    """When in a protocol the lesion was seen (TID 1502)."""

    __slots__ = ("label", "order", "protocol_identifier", "subject_identifier", "type")
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(
        self,
        label: str,
        type: T | None = None,  # noqa: A002 - likewise
        order: int | None = None,
        subject_identifier: str | None = None,
        protocol_identifier: str | None = None,
    ) -> None:
        """Fill it; `data_class` makes the rest of it."""
        self.label: Final = label
        self.type: Final = type
        self.order: Final = order
        self.subject_identifier: Final = subject_identifier
        self.protocol_identifier: Final = protocol_identifier


data_class(TimePoint)


class CountKind(StrEnum):
    """How many a lesion entry stands for, where no number is known."""

    MULTIPLE = "multiple"
    INNUMERABLE = "innumerable"


class Lesion(Generic[T]):
    """One abnormality followed over time.

    ``tracking_uid`` is None only where the sender gave none and the report is not coded yet.
    """

    __slots__ = (
        "category",
        "certainty",
        "change",
        "count",
        "evaluations",
        "finding",
        "id",
        "images",
        "laterality",
        "measurements",
        "regions3d",
        "segment",
        "site",
        "text",
        "time_point",
        "topography",
        "tracking_uid",
        "where",
    )
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(
        self,
        id: str,  # noqa: A002 - likewise
        finding: T,
        tracking_uid: str | None = None,
        category: T | None = None,
        site: T | None = None,
        laterality: T | None = None,
        topography: T | None = None,
        count: int | CountKind | None = None,
        certainty: T | None = None,
        change: T | None = None,
        time_point: TimePoint[T] | None = None,
        text: str | None = None,
        measurements: tuple[Measurement[T], ...] = (),
        evaluations: tuple[Evaluation[T], ...] = (),
        images: tuple[LesionImage[T], ...] = (),
        regions3d: tuple[Region3D, ...] = (),
        segment: SegmentReference | None = None,
        where: str = "",
    ) -> None:
        """Fill it; `data_class` makes the rest of it."""
        self.id: Final = id
        self.finding: Final = finding
        self.tracking_uid: Final = tracking_uid
        self.category: Final = category
        self.site: Final = site
        self.laterality: Final = laterality
        self.topography: Final = topography
        self.count: Final = count
        self.certainty: Final = certainty
        self.change: Final = change
        self.time_point: Final = time_point
        self.text: Final = text
        self.measurements: Final = measurements
        self.evaluations: Final = evaluations
        self.images: Final = images
        self.regions3d: Final = regions3d
        self.segment: Final = segment
        self.where: Final = where
        self.__post_init__()

    def __post_init__(self) -> None:
        """Hold the UID and the count."""
        if self.tracking_uid is not None:
            check_uid(self.tracking_uid)
        if isinstance(self.count, int) and not isinstance(self.count, CountKind) and self.count < 1:
            raise ValueError("a lesion entry stands for at least one lesion")


data_class(Lesion)
