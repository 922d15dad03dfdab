"""A family's members are the derived UUIDs themselves."""

import pytest

from service.domain.uids import UuidFamily, derive_uid, derive_uuid, tracking_family, tracking_uid


@pytest.mark.parametrize("part", ["L1", "", 'say "no"\\', "tab\tand\x7f", "山田 \u2028", "é" * 300])
def test_a_member_is_the_uuid_derived_from_all_parts(part: str) -> None:
    family = UuidFamily("role", "sender", None, 3)
    assert family.text(part) == str(derive_uuid("role", "sender", None, 3, part))
    assert family.uid(part) == derive_uid("role", "sender", None, 3, part)


def test_a_family_may_have_no_parts_but_its_role() -> None:
    assert UuidFamily("role").text("x") == str(derive_uuid("role", "x"))


def test_members_do_not_change_the_family() -> None:
    family = UuidFamily("role", "a")

    first = family.text("x")
    family.text("y")

    assert family.text("x") == first


def test_a_lesion_is_tracked_by_the_same_uid_either_way() -> None:
    assert tracking_family("local", None, "PID-1").uid("L7") == tracking_uid("local", None, "PID-1", "L7")
