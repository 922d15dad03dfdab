"""Characters that no text of a report holds, in the lines of a message: replaced before they are split, and flagged.

They come as they are, or as hexadecimal data (2.7): `\\X1C0D\\` would end a block of MLLP wherever the text goes next.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from service.domain.loss import Loss, LossKind
from service.formats.jsontext import refused_character, without_refused

_HEXADECIMAL: Final = re.compile(r"\\X([0-9A-Fa-f]{1,64})\\")
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"


def cleaned(lines: Sequence[str], codec: str, losses: list[Loss]) -> Iterator[str]:
    """The segments of a message; hexadecimal data that holds such a character is replaced as a whole."""
    for line in lines:
        made = without_refused(line)
        if "\\X" in made:
            made = _HEXADECIMAL.sub(lambda found: _REPLACED if _is_refused(found[1], codec) else found[0], made)
        if made != line:
            why = "control characters were replaced"
            losses.append(Loss(LossKind.FLAGGED, line[:3], "text", why, "v2-character"))
        yield made


def _is_refused(digits: str, codec: str) -> bool:
    try:
        return refused_character(bytes.fromhex(digits).decode(codec)) is not None
    except ValueError:
        return False
