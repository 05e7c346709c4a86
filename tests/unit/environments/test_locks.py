"""Lock and freeze files as they are met: what counts for this interpreter, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.environments.locks import read_lock
from conformance.errors import UsageError

FREEZE = """\
# comment
--index-url https://index.example/simple
-e git+https://git.example/mine@0123#egg=mine
Keras==3.15.1
ml_dtypes==0.6.0 ; python_version >= "3.8"
winonly==1.0 ; sys_platform == "win32"
torch==2.13.0+cpu  # from elsewhere
numpy==2.4.6 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via keras
here @ https://files.example/here-1.0-py3-none-any.whl
"""
PYLOCK = """\
lock-version = "1.0"
created-by = "a test"

[[packages]]
name = "keras"
version = "3.15.1"
[[packages.wheels]]
url = "https://files.example/keras-3.15.1-py3-none-any.whl"
hashes = {sha256 = "aa"}

[[packages]]
name = "winonly"
version = "1.0"
marker = "sys_platform == 'win32'"
[[packages.wheels]]
url = "https://files.example/winonly-1.0-py3-none-any.whl"
hashes = {sha256 = "bb"}

[[packages]]
name = "mine"
directory = {path = "."}
"""
UV = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "mine"
version = "0.1"
source = { virtual = "." }
dependencies = [
    { name = "keras", extra = ["fast"] },
    { name = "winonly", marker = "sys_platform == 'win32'" },
]

[package.optional-dependencies]
docs = [{ name = "sphinx" }]

[package.dev-dependencies]
dev = [{ name = "pytest" }]
docs = [{ name = "sphinx" }]

[[package]]
name = "keras"
version = "3.15.1"
source = { registry = "https://index.example/simple" }
dependencies = [{ name = "numpy", version = "2.4.6", marker = "python_full_version >= '3.11'" }]
sdist = { url = "https://files.example/keras-3.15.1.tar.gz", hash = "sha256:cc" }
wheels = [{ url = "https://files.example/keras-3.15.1-py3-none-any.whl", hash = "sha256:aa" }]

[package.optional-dependencies]
fast = [{ name = "numba" }]

[[package]]
name = "numpy"
version = "2.0.0"
source = { registry = "https://index.example/simple" }
resolution-markers = ["python_full_version < '3.11'"]

[[package]]
name = "numpy"
version = "2.4.6"
source = { registry = "https://index.example/simple" }
resolution-markers = ["python_full_version >= '3.11'"]

[[package]]
name = "numba"
version = "1.0"
source = { url = "https://files.example/numba-1.0-py3-none-any.whl" }

[[package]]
name = "pytest"
version = "9.2.0"
source = { git = "https://git.example/pytest?rev=1#0123" }

[[package]]
name = "sphinx"
version = "9.0"
source = { registry = "https://index.example/simple" }

[[package]]
name = "winonly"
version = "1.0"
source = { registry = "https://index.example/simple" }
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["freeze.txt", "requirements.lock"])
def test_a_freeze_is_read(tmp_path: Path, name: str) -> None:
    """Versions, addresses, digests and markers; what is not a release is told, and no address of an
    index is repeated.
    """
    lock = read_lock(written(tmp_path, name, FREEZE))
    assert {name: pin.requirement for name, pin in lock.pins.items()} == {
        "keras": "keras==3.15.1",
        "ml-dtypes": "ml-dtypes==0.6.0",
        "torch": "torch==2.13.0+cpu",
        "numpy": "numpy==2.4.6",
        "here": "here @ https://files.example/here-1.0-py3-none-any.whl",
    }
    assert lock.pins["numpy"].hashes == ("sha256:aa", "sha256:bb")
    assert [line.partition(name)[2] for line in lock.left_out] == [
        ":2: --index-url: pip's own settings count",
        ":3: -e: is not a release",
    ]


def test_a_pylock_is_read(tmp_path: Path) -> None:
    """What packaging selects for this interpreter."""
    pytest.importorskip("packaging.pylock")
    lock = read_lock(written(tmp_path, "pylock.toml", PYLOCK))
    assert {name: pin.requirement for name, pin in lock.pins.items()} == {"keras": "keras==3.15.1"}
    assert lock.pins["keras"].hashes == ("sha256:aa",)
    assert [line.partition(".toml")[2] for line in lock.left_out] == [": mine: is not a release"]


def test_a_uv_lock_is_read(tmp_path: Path) -> None:
    """What `uv sync` installs here: the project's dependencies with the extras they ask for, and
    its group dev.
    """
    lock = read_lock(written(tmp_path, "uv.lock", UV))
    assert {name: pin.requirement for name, pin in lock.pins.items()} == {
        "keras": "keras==3.15.1",
        "numpy": "numpy==2.4.6",
        "numba": "numba @ https://files.example/numba-1.0-py3-none-any.whl",
    }
    assert lock.pins["keras"].hashes == ("sha256:aa", "sha256:cc")
    assert [line.partition("uv.lock")[2] for line in lock.left_out] == [
        ": pytest: is not a release"
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.txt", "numpy>=2\n", "a.txt:1: numpy>=2: should be pinned, as in numpy==2.4.6"),
        ("a.txt", "numpy==2.*\n", "a.txt:1: numpy==2.*: should be pinned"),
        ("a.txt", "\nnumpy=2.4.6=py311\n", "a.txt:2: numpy=2.4.6=py311: should be pinned"),
        ("a.txt", "./mine\n", "a.txt:1: ./mine: should be pinned"),
        ("a.txt", "-r b.txt\n", "a.txt:1: -r: another file is not read"),
        ("a.txt", "a==1\na==2\n", "a.txt:2: a: is 2 and 1, should be in one version here"),
        ("a.txt", "# nothing\n", "a.txt: has no package for this interpreter"),
        ("environment.yml", "dependencies: []\n", "environment.yml: is conda's, should be a file"),
        ("poetry.lock", "", "poetry.lock: is Poetry's, should be a file of pip freeze"),
        ("a.toml", "[project]\n", "a.toml: is TOML, should be a uv.lock or a pylock.toml"),
        ("a.toml", "[project\n", "a.toml: is not TOML: "),
        ("uv.lock", "version = 1\n[[package\n", "uv.lock: is not TOML: "),
        (
            "uv.lock",
            'requires-python = ">=3.11"\n[[package]]\nversion = "1"\n',
            "uv.lock: is not a uv.lock that can be read (KeyError: 'name')",
        ),
        ("pylock.toml", 'lock-version = "9.0"\n', "pylock.toml: "),
        ("a.txt", None, "a.txt: cannot be read (No such file or directory)"),
        ("a.txt", "\udcff", "a.txt: is not text in UTF-8"),
    ],
)
def test_what_is_no_lock_is_refused(tmp_path: Path, name: Any, text: Any, told: Any) -> None:
    """In one sentence that names file and line."""
    if text is not None:
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as refused:
        read_lock(tmp_path / name)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
