"""Where a secret stands: in a file or in a variable of the environment, never in the settings themselves."""

import os
from dataclasses import dataclass
from pathlib import Path


class SecretMissing(Exception):
    """A secret can't be read; the text names its place, never its value."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by its place; it is read when it is needed, so that a rotated one counts without a restart."""

    file: str = ""
    environment: str = ""

    def __post_init__(self) -> None:
        """Hold that there is one place."""
        if bool(self.file) == bool(self.environment):
            raise ValueError("a secret stands in a file or in a variable of the environment: name one of them")

    def read(self) -> str:
        """Its text without the line end; raises SecretMissing."""
        if self.environment:
            found = os.environ.get(self.environment, "")
            place = f"the variable {self.environment}"
        else:
            place = f"the file {self.file}"
            try:
                found = Path(self.file).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, ValueError) as error:
                raise SecretMissing(f"{place} can't be read ({type(error).__name__})") from error
        if not found:
            raise SecretMissing(f"{place} is empty")
        return found
