"""Whole files or none, and names for them."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.errors import TerritoryError
from territory.io import OutputError, atomic_write, safe_name, safe_names
from territory.io.files import atomic_directory, atomic_path, printable

if TYPE_CHECKING:
    from collections.abc import Callable


def listed(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@given(st.text(max_size=400))
def test_any_id_gives_a_harmless_name(text: str) -> None:
    name = safe_name(text)
    assert 1 <= len(name) <= 100
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>|\0 \n')
    assert not name.startswith((".", "-"))
    assert not name.endswith(".")
    assert name.partition(".")[0].lower() not in {"con", "nul", "aux", "prn", "com1", "lpt9"}


@given(st.lists(st.text(alphabet="aA-./1 é", max_size=4), unique=True, max_size=30))
def test_names_of_different_ids_differ_even_where_case_does_not_count(ids: list[str]) -> None:
    assert len(set(map(safe_name, ids))) == len(ids)
    assert len({name.casefold() for name in safe_names(ids)}) == len(ids)


@given(st.text(max_size=20))
def test_a_made_name_is_never_that_of_another_id(text: str) -> None:
    name = safe_name(text)
    assert name == text or safe_name(name) != name


@pytest.mark.parametrize(
    "text", ["", "/", "..", ".", "\0", "CON", "con.txt", "x" * 300, "😀", "a/b", "../../etc/passwd", "-rf", "a."]
)
def test_ids_with_slash_dots_nul_con_and_300_characters_are_never_raw_file_names(text: str, tmp_path: Path) -> None:
    name = safe_name(text)
    assert name != text
    atomic_write(tmp_path / name, "x")
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("text", ["R-007", "a", "12345678901234567890123", "x.y_z", "A1"])
def test_plain_ids_stay(text: str) -> None:
    assert safe_name(text) == text


def test_printable_replaces_what_xml_and_calendars_cannot_hold() -> None:
    assert printable("a\0b\r\nc\rd\te") == "a\N{REPLACEMENT CHARACTER}b\nc\nd\te"


def test_writes_text_and_bytes_and_makes_directories(tmp_path: Path) -> None:
    path = atomic_write(tmp_path / "a" / "b" / "c.txt", "é\r\n")
    assert path.read_bytes() == "é\r\n".encode()
    atomic_write(path, b"\xff")
    assert path.read_bytes() == b"\xff"
    assert listed(path.parent) == ["c.txt"]


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_disk_full_is_a_clear_error_without_partial_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = atomic_write(tmp_path / "plan.txt", "old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OutputError, match=r"plan\.txt: No space left on device; nothing was written") as caught:
        atomic_write(path, "new")
    assert isinstance(caught.value, TerritoryError)
    assert isinstance(caught.value, OSError)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_text() == "old"
    assert listed(tmp_path) == ["plan.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_disk_full_for_real_while_writing(tmp_path: Path) -> None:
    def write() -> None:
        with atomic_path(tmp_path / "x") as temporary:
            temporary.symlink_to("/dev/full")
            temporary.write_bytes(b"x" * 100_000)

    with pytest.raises(OutputError, match="No space left"):
        write()
    assert listed(tmp_path) == []


def test_read_only_target_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OutputError, match="Permission denied") as caught:
        atomic_write(tmp_path / "x", "new")
    assert caught.value.filename == str(tmp_path / "x")
    assert listed(tmp_path) == []


def test_output_errors_survive_pickling() -> None:
    error = OutputError(errno.ENOSPC, "No space left on device", "/tmp/x")  # noqa: S108 - nothing is written there
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(again) is OutputError
    assert str(again) == str(error)
    assert again.errno == errno.ENOSPC


def test_a_directory_in_the_way_or_a_file_as_parent(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_text("x")
    for path in (tmp_path / "d", tmp_path / "f" / "x", tmp_path / ("x" * 300)):
        with pytest.raises(OutputError):
            atomic_write(path, "new")
    assert listed(tmp_path) == ["d", "f"]


def test_an_exception_in_the_block_leaves_nothing(tmp_path: Path) -> None:
    def stop(manager: Callable[[Path], Any]) -> None:
        with manager(tmp_path / "x") as temporary:
            (temporary / "f" if temporary.is_dir() else temporary).write_text("half")
            raise KeyboardInterrupt

    for manager in (atomic_path, atomic_directory):
        with pytest.raises(KeyboardInterrupt):
            stop(manager)
    assert listed(tmp_path) == []


def test_a_link_keeps_pointing_where_it_points(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    atomic_write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.parametrize("known", [True, False])
def test_a_directory_takes_the_place_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    if not known:  # a system that cannot exchange directories in one step
        monkeypatch.setattr("sys.platform", "other")
    for content in ("old", "new"):
        with atomic_directory(tmp_path / "out") as folder:
            (folder / content).write_text(content)
            assert not (tmp_path / "out" / content).exists()
    assert listed(tmp_path) == ["out"]
    assert listed(tmp_path / "out") == ["new"]
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0o777 & ~_umask() & 0o077


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_old_directory_comes_back_when_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    monkeypatch.setattr("territory.io.files._swapped", lambda *_: False)
    rename, calls = Path.rename, []

    def fail_second(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(errno.EIO, "broken")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_second)
    with pytest.raises(OutputError, match="broken"), atomic_directory(tmp_path / "out") as folder:
        (folder / "new").write_text("new")
    assert listed(tmp_path) == ["out"]
    assert listed(tmp_path / "out") == ["old"]
