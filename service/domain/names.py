"""Names of persons with the component groups that DICOM PN and FHIR's iso21090-EN-representation share."""

from dataclasses import dataclass

_GROUP_CHARACTERS = 64  # of one component group (PS3.5 6.2 PN)


@dataclass(frozen=True, slots=True)
class NameGroup:
    """One component group: family, given, middle, prefix, suffix (PS3.5 6.2.1)."""

    family: str = ""
    given: str = ""
    middle: str = ""
    prefix: str = ""
    suffix: str = ""

    def __post_init__(self) -> None:
        """No component may hold PN's own delimiters, no group more than 64 characters."""
        if any(mark in part for part in self.parts for mark in "^=\\"):
            raise ValueError("a name component holds ^, = or \\")
        if len(str(self)) > _GROUP_CHARACTERS:
            raise ValueError(f"a name group is longer than {_GROUP_CHARACTERS} characters")

    @property
    def parts(self) -> tuple[str, str, str, str, str]:
        """The five components in PN order."""
        return (self.family, self.given, self.middle, self.prefix, self.suffix)

    def __str__(self) -> str:
        """The group in PN form, trailing empty components left out."""
        return "^".join(self.parts).rstrip("^")


@dataclass(frozen=True, slots=True)
class PersonName:
    """Alphabetic, ideographic and phonetic groups; at least one is there."""

    alphabetic: NameGroup = NameGroup()
    ideographic: NameGroup = NameGroup()
    phonetic: NameGroup = NameGroup()

    def __post_init__(self) -> None:
        """A name says something."""
        if not str(self):
            raise ValueError("a name is empty")

    def __str__(self) -> str:
        """DICOM PN: groups joined by ``=``, trailing empty groups left out."""
        return "=".join(map(str, (self.alphabetic, self.ideographic, self.phonetic))).rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "PersonName":
        """Read a PN string; raises ValueError when it has more groups or components than PN has."""
        groups = text.split("=")
        if len(groups) > 3:
            raise ValueError("a name has at most three component groups")
        made = []
        for group in groups:
            parts = [part.strip() for part in group.split("^")]
            if len(parts) > 5:
                raise ValueError("a name group has at most five components")
            made.append(NameGroup(*parts))
        return cls(*made)
