"""What the name of a sender may be: what looks like another one is refused, with the character and its place."""

from pathlib import Path

import pytest

from service.access.principal import is_name, name_fault
from service.config import BadSetting, load
from service.domain.errors import ReceivingError
from service.receiving.settings import load as load_receiving

NAMES = ["north", "Praxis Müller", "院内", "a" * 256, "a b"]
FAULTS = {
    "nor\u00adth": "its character 4 is U+00AD (SOFT HYPHEN)",
    "nor\u00a0th": "its character 4 is U+00A0 (NO-BREAK SPACE)",
    "\u200bnorth": "its character 1 is U+200B (ZERO WIDTH SPACE)",
    "north\u202e": "its character 6 is U+202E (RIGHT-TO-LEFT OVERRIDE)",
    "nor\nth": "its character 4 is U+000A (a control character)",
    " north": "it begins or ends with a blank",
    "": "it has 0 characters",
    "a" * 257: "it has 257 characters",
}


@pytest.mark.parametrize("name", [*NAMES, *FAULTS])
def test_what_is_said_agrees_with_what_is_taken(name: str) -> None:
    assert is_name(name) is not bool(name_fault(name))
    assert is_name(name) is (name in NAMES)
    assert FAULTS.get(name, "") in name_fault(name)


@pytest.mark.parametrize("name", [name for name in FAULTS if name])
def test_a_default_sender_or_a_site_is_refused_with_the_character_and_its_place(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSetting) as raised:
        load({"LESIONBRIDGE_DEFAULT_SENDER": name})
    assert FAULTS[name] in str(raised.value)
    file = tmp_path / "r.toml"
    written = "".join(one if one.isascii() and one.isprintable() else f"\\u{ord(one):04x}" for one in name)
    file.write_text(f'[sites."{written}"]\n')
    with pytest.raises(ReceivingError) as refused:
        load_receiving(str(file), {})
    assert FAULTS[name] in refused.value.problems[0].detail
