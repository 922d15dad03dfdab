"""A family's members are the derived UUIDs themselves."""

import pytest

from service.domain.uids import UuidFamily, derive_uuid


@pytest.mark.parametrize("part", ["L1", "", 'say "no"\\', "tab\tand\x7f", "山田 \u2028", "é" * 300])
def test_a_member_is_the_uuid_derived_from_all_parts(part: str) -> None:
    assert UuidFamily("role", "sender", None, 3).text(part) == str(derive_uuid("role", "sender", None, 3, part))


def test_a_family_may_have_no_parts_but_its_role() -> None:
    assert UuidFamily("role").text("x") == str(derive_uuid("role", "x"))


def test_members_do_not_change_the_family() -> None:
    family = UuidFamily("role", "a")

    first = family.text("x")
    family.text("y")

    assert family.text("x") == first
