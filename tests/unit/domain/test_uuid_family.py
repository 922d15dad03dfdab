"""A family's members are the derived UUIDs themselves."""

from uuid import RFC_4122, UUID

import pytest

from service.domain.uids import UuidFamily, derive_uid, derive_uuid, derive_uuid_text, tracking_family, tracking_uid


@pytest.mark.parametrize("part", ["L1", "", 'say "no"\\', "tab\tand\x7f", "山田 \u2028", "é" * 300])
def test_a_member_is_the_uuid_derived_from_all_parts(part: str) -> None:
    family = UuidFamily("role", "sender", None, 3)
    assert family.text(part) == str(derive_uuid("role", "sender", None, 3, part))
    assert family.uid(part) == derive_uid("role", "sender", None, 3, part)
    assert derive_uuid_text("role", "sender", None, 3, part) == str(derive_uuid("role", "sender", None, 3, part))


def test_several_parts_in_canonical_json_are_a_member_too() -> None:
    assert UuidFamily("role").member(b'null,"x"') == str(derive_uuid("role", None, "x")).encode()


@pytest.mark.parametrize("turn", range(200))
def test_each_bit_of_version_and_variant_is_set(turn: int) -> None:
    made = UUID(UuidFamily("role").text(str(turn)))
    assert (made.version, made.variant) == (5, RFC_4122)


def test_a_family_may_have_no_parts_but_its_role() -> None:
    assert UuidFamily("role").text("x") == str(derive_uuid("role", "x"))


def test_members_do_not_change_the_family() -> None:
    family = UuidFamily("role", "a")

    first = family.text("x")
    family.text("y")

    assert family.text("x") == first


def test_a_lesion_is_tracked_by_the_same_uid_either_way() -> None:
    assert tracking_family("local", None, "PID-1").uid("L7") == tracking_uid("local", None, "PID-1", "L7")
