"""The last catch: a fault of the suite is told as one, and is not taken for a user's mistake."""

from __future__ import annotations

import errno
import importlib
import re
from pathlib import Path

import pytest

from conformance.cli import fault

main = importlib.import_module("conformance.cli.main")


def ended(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int | str | None:
    """The exit code of a command that raises that."""

    def command() -> None:
        raise error

    monkeypatch.setattr(main, "app", command)
    with pytest.raises(SystemExit) as caught:
        main.main()
    return caught.value.code


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable that decides where the traceback goes, and a folder of its own for it."""
    for name in ("CI", "CONFORMANCE_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_what_nobody_foresaw_is_one_paragraph(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It says whose fault it is, what to do, and where the traceback is, which is there."""
    assert ended(monkeypatch, KeyError("a\nb\x1b[31m")) == fault.EXIT_CODE == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("conformance: a fault of conformance itself, and no answer: KeyError: ")
    assert "Please report it" in line
    assert "\x1b" not in line
    (file,) = tmp_path.iterdir()
    assert f" in {file}; CONFORMANCE_TRACEBACK=1 shows it here." in line
    text = file.read_text(encoding="utf-8")
    assert "Traceback" in text
    assert re.match(r"conformance \S+, Python \d", text)


@pytest.mark.parametrize("name", ["CI", "CONFORMANCE_TRACEBACK"])
def test_the_traceback_is_printed_where_files_are_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
) -> None:
    """Control characters of a message are taken out there too, and no file is left."""
    monkeypatch.setenv(name, "1")
    assert ended(monkeypatch, TypeError("odd \x1b[31m")) == 70
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "\x1b" not in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/out/page"),
            "conformance: '/out/page': No space left on device, should be there to be used\n",
        ),
        (
            OSError(errno.ENAMETOOLONG, "File name too long", "x" * 5000),
            f"conformance: '{'x' * 196}...: File name too long, should be a path\n",
        ),
        (
            MemoryError(),
            "conformance: memory ran out, should have more or be asked for less\n",
        ),
    ],
)
def test_a_full_machine_and_a_name_without_end_are_no_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    told: str,
) -> None:
    """Exit 2: it could not run."""
    assert ended(monkeypatch, error) == 2
    assert capsys.readouterr().err == told


def test_a_stop_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends as it did."""
    assert ended(monkeypatch, KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == ""
