"""Files that are written whole or not at all, through no link, and folders of one writer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance.errors import RecordError
from conformance.record.record import RECORD
from conformance.record.writer import Writer
from conformance.system.files import Locked, locked, replace_file, replacing

HOLDS = (
    "import sys, time; from pathlib import Path\n"
    "from conformance.system.files import locked\n"
    "held = locked(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)\n"
)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of the user that nothing of the suite is to write to."""
    file = tmp_path / "victim"
    file.write_text("mine")
    return file


def test_a_planted_link_is_replaced_and_not_followed(tmp_path: Path, victim: Path) -> None:
    """A page is written where somebody put a link to another file, or to nowhere."""
    for target in (victim, tmp_path / "nowhere"):
        page = tmp_path / "index.html"
        page.unlink(missing_ok=True)
        page.symlink_to(target)
        replace_file(page, "page")
        assert (page.is_symlink(), page.read_text(), victim.read_text()) == (False, "page", "mine")
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_the_user_named_may_be_a_link(tmp_path: Path, victim: Path) -> None:
    """What it leads to is written, and it stays a link."""
    link = tmp_path / "known.yaml"
    link.symlink_to(victim)
    replace_file(link, "more", through_links=True)
    assert (link.is_symlink(), victim.read_text()) == (True, "more")


def test_the_part_file_is_nobody_elses(tmp_path: Path) -> None:
    """Its name is another one each time, nobody else may write to it, and the mode at the end is
    that of the file it replaces, or of a new one.
    """
    file, names = tmp_path / "file", []
    for mode in (0o640, 0o604):
        with replacing(file) as partial:
            partial.write_text("content")
            names.append(partial.name)
            assert partial.stat().st_mode & 0o777 == 0o600
        file.chmod(mode)
        with replacing(file) as partial:
            partial.write_text("more")
        assert file.stat().st_mode & 0o777 == mode
    assert names[0] != names[1]
    new = tmp_path / "new"
    new.touch()
    replace_file(tmp_path / "other", "")
    assert (tmp_path / "other").stat().st_mode == new.stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "new", "other"]


def test_a_planted_part_file_is_not_written_to(tmp_path: Path, victim: Path) -> None:
    """The name that part files once had."""
    (tmp_path / "index.html.part").symlink_to(victim)
    replace_file(tmp_path / "index.html", "page")
    assert victim.read_text() == "mine"


def test_a_new_record_is_written_through_no_link(tmp_path: Path, victim: Path) -> None:
    """Neither a symbolic one nor a hard one; and no pipe is waited for."""
    record = tmp_path / "out" / RECORD
    record.parent.mkdir()
    for plant in (record.symlink_to, record.hardlink_to, lambda _: os.mkfifo(record)):
        record.unlink(missing_ok=True)
        plant(victim)
        writer = Writer(record)
        writer.write("run", {"format": 1})
        writer.close()
        assert record.is_file()
        assert not record.is_symlink()
        assert victim.read_text() == "mine"


def test_a_record_that_is_a_link_does_not_go_on(tmp_path: Path, victim: Path) -> None:
    """Where it leads is not the run's file."""
    from conformance.record.record import Record

    (tmp_path / RECORD).symlink_to(victim)
    with pytest.raises(RecordError, match="cannot be written: it is a link, should be a file"):
        Writer(tmp_path / RECORD, after=Record(run={}))
    assert victim.read_text() == "mine"
    os.close(locked(tmp_path))  # the folder is free again


def test_a_folder_that_is_written_to_names_the_process(tmp_path: Path) -> None:
    """A second writer is refused, until the first has ended in whatever way; nothing is left."""
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        told = f"process {holder.pid} is writing there, should be a folder of one run at a time"
        with pytest.raises(RecordError, match=told):
            Writer(tmp_path / RECORD)
        assert not (tmp_path / RECORD).exists()
        holder.kill()
    deadline = time.monotonic() + 10
    while True:  # the kernel frees it when the process is gone
        try:
            os.close(locked(tmp_path))
        except Locked:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            break
    assert list(tmp_path.iterdir()) == []


def test_a_record_that_is_closed_frees_its_folder(tmp_path: Path) -> None:
    """In the same process too."""
    for _ in range(2):
        writer = Writer(tmp_path / RECORD)
        with pytest.raises(RecordError, match=f"process {os.getpid()} is writing there"):
            Writer(tmp_path / RECORD)
        writer.close()
