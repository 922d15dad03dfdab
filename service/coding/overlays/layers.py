"""All overlays at one moment: which rows hold for a sender, in which order, as one vocabulary a sender."""

from dataclasses import dataclass, field

from service.coding.lookup import Vocabulary
from service.coding.overlays.checking import check
from service.coding.overlays.overlay import Entry, Overlay
from service.coding.overlays.reading import read
from service.coding.overlays.rows import CSV, EVERYONE, OverlayRow
from service.coding.retired import Historical
from service.domain.errors import Invalid, Problem


@dataclass(frozen=True, slots=True)
class OverlayText:
    """An overlay as it was uploaded (``version``) or mounted (version 0); ``sender`` is a sender or ``all``."""

    sender: str
    version: int
    media_type: str
    content: bytes

    @property
    def name(self) -> str:
        """What places in it begin with, and what receipts call it."""
        ending = "csv" if self.media_type == CSV else "json"
        return f"{self.sender}-{self.version}.{ending}" if self.version else f"{self.sender}.{ending}"


@dataclass(frozen=True, slots=True)
class Layer:
    """An overlay that was read and checked: ``problems`` are rows that do not stand and are not applied."""

    text: OverlayText
    rows: tuple[OverlayRow, ...]
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    notices: tuple[Problem, ...]

    def held(self) -> "Layer":
        """The layer; raises Invalid with every problem, if there is one."""
        if self.problems:
            raise Invalid(*self.problems)
        return self

    @property
    def applied(self) -> int:
        """Rows that change what is coded."""
        return sum(entry.meaning is not None for entry in self.entries)


def layer(text: OverlayText, vocabulary: Vocabulary) -> Layer:
    """An overlay read and held against the vocabulary."""
    rows, faults = read(text.content, text.media_type, text.name, vocabulary)
    entries = check(rows, text.sender, vocabulary, faults)
    return Layer(text, rows, entries, tuple(faults.problems), tuple(faults.notices))


@dataclass(frozen=True, slots=True)
class Layers:
    """The overlays in use. A sender's own come before everyone's, uploaded ones before mounted ones."""

    vocabulary: Vocabulary
    layers: tuple[Layer, ...] = ()
    releases: Historical | None = None
    _named: frozenset[str] = field(init=False, compare=False)
    _views: dict[str, tuple[Vocabulary, tuple[str, ...]]] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Know the senders that have rows of their own."""
        named = frozenset(row.sender or one.text.sender for one in self.layers for row in one.rows)
        object.__setattr__(self, "_named", named)

    def of(self, sender: str) -> tuple[Vocabulary, tuple[str, ...]]:
        """The vocabulary for a sender, and the names of the overlays that hold for it."""
        if not self.layers and self.releases is None:
            return self.vocabulary, ()
        # Senders without rows of their own share one view, so that their number costs nothing.
        key = sender if sender in self._named else EVERYONE
        known = self._views.get(key)
        return known if known is not None else self._views.setdefault(key, self._view(key))

    def _view(self, sender: str) -> tuple[Vocabulary, tuple[str, ...]]:
        found = [
            (not _is_own(entry.row, one, sender), not one.text.version, entry, one)
            for one in self.layers
            for entry in one.entries
            if entry.row.holds_for(one.text.sender, sender)
        ]
        found.sort(key=lambda each: each[:2])
        names = tuple(dict.fromkeys(one.text.name for *_, one in found))
        overlay = Overlay([entry for _, _, entry, _ in found], self.vocabulary)
        return self.vocabulary.with_site(overlay or None, self.releases), names

    def replaced(self, new: Layer) -> "Layers":
        """The same with another uploaded overlay of one sender."""
        others = [one for one in self.layers if not (one.text.sender == new.text.sender and one.text.version)]
        return Layers(self.vocabulary, (*others, new), self.releases)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Rows that are not applied, of all layers."""
        return tuple(problem for one in self.layers for problem in one.problems)


def _is_own(row: OverlayRow, one: Layer, sender: str) -> bool:
    """Whether a row is for the sender by name."""
    return (row.sender or one.text.sender) == sender != EVERYONE
