"""Files as they come: bombs, damage and limits."""

import zipfile
from pathlib import Path

import pytest

from service.domain.errors import TooLarge, Unreadable
from service.domain.limits import Limits
from tests.releases import Generated, Site


def test_refuses_a_zip_bomb_before_it_is_unpacked(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sct2_Concept_Snapshot_INT_20260701.txt", b"0" * (64 << 20))
    with pytest.raises(TooLarge, match="release_ratio"):
        site.load(path)


def test_refuses_more_bytes_than_the_limit(rf2: Generated, site: Site) -> None:
    with pytest.raises(TooLarge, match="release_bytes"):
        site.load(rf2.path, limits=Limits(release_bytes=1000))


def test_refuses_more_files_than_the_limit(rf2: Generated, site: Site) -> None:
    with pytest.raises(TooLarge, match="release_files"):
        site.load(rf2.path, limits=Limits(release_files=2))


def test_refuses_a_cut_zip(rf2: Generated, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(rf2.path.read_bytes()[:-2000])
    with pytest.raises(Unreadable, match="no whole zip file"):
        site.load(path)


def test_refuses_a_zip_whose_content_is_not_what_it_was(rf2: Generated, site: Site, tmp_path: Path) -> None:
    content = bytearray(rf2.path.read_bytes())
    for place in range(2_000, 4_000):
        content[place] ^= 0x55
    path = tmp_path / "damaged.zip"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match="damaged"):
        site.load(path)


def test_refuses_a_line_without_an_end(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "RadLex.csv"
    path.write_text("Class ID,Preferred Label," + "x" * (3 << 20))
    with pytest.raises(TooLarge, match="no table"):
        site.load(path)


def test_refuses_an_empty_file(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "RadLex.csv"
    path.write_bytes(b"")
    with pytest.raises(Unreadable, match="empty"):
        site.load(path)
