"""What somebody gets who installs it: from a wheel, from the source distribution, and editable."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from helpers import CHECKOUT, TESTS

FRAMEWORKS = {"torch", "tensorflow", "keras", "jax", "jaxlib", "flax", "onnx", "onnxruntime"}
CASE = "textbook/cs231n/two-by-two-to-four-by-four"


def run(*words: Any, cwd: Any, **environment: Any) -> Any:
    """A command without anything of the checkout in its environment; its stdout."""
    plain = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "PIP_CONSTRAINT", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env={**plain, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with the source distribution, the wheel of the checkout, and the wheel of the source
    distribution.
    """
    folder = tmp_path_factory.mktemp("dist")
    run(
        sys.executable, "-m", "build", "--outdir", folder, CHECKOUT, cwd=folder
    )  # the wheel is that of the source distribution
    direct = folder / "direct"
    run(sys.executable, "-m", "build", "--wheel", "--outdir", direct, CHECKOUT, cwd=folder)
    [sdist], [wheel], [of_checkout] = (
        folder.glob("*.tar.gz"),
        folder.glob("*.whl"),
        direct.glob("*.whl"),
    )
    return {"sdist": sdist, "wheel of the sdist": wheel, "wheel": of_checkout}


@pytest.fixture(scope="session", params=["wheel", "wheel of the sdist", "editable"])
def installed(
    request: pytest.FixtureRequest, distributions: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """A fresh environment with the core dependencies and one way to install; (kind, its folder)."""
    folder = tmp_path_factory.mktemp(request.param.replace(" ", "-")) / "venv"
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    target = ["-e", CHECKOUT] if request.param == "editable" else [distributions[request.param]]
    run(
        folder / "bin" / "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        *target,
        cwd=folder.parent,
    )
    return request.param, folder


@pytest.fixture
def empty(tmp_path: Path) -> Any:
    """A folder with nothing in it to run from, beside one with an engine of one's own."""
    (tmp_path / "engines").mkdir()
    (tmp_path / "empty").mkdir()
    shutil.copy(TESTS / "miniatures.py", tmp_path / "engines" / "mini.py")
    return tmp_path / "empty"


def test_a_shipped_case_runs_from_an_empty_folder(installed: Any, empty: Any) -> None:
    """The command, a shipped case by its full name, an engine of one's own: it conforms, and leaves
    record and page.
    """
    _, folder = installed
    path = str(empty.parent / "engines")
    out = run(
        folder / "bin" / "conformance", "run", CASE, "-a", "mini:Right", cwd=empty, PYTHONPATH=path
    )
    assert "Conforms: 1 check on 1 case" in out
    assert sorted(p.name for p in (empty / "reports" / "latest").iterdir()) == [
        "index.html",
        "results.jsonl",
    ]


def test_all_shipped_cases_are_found(installed: Any, empty: Any) -> None:
    """As many as the checkout has."""
    kind, folder = installed
    listed = run(folder / "bin" / "conformance", "list", cwd=empty).splitlines()
    here = run(
        sys.executable, "-m", "conformance", "list", CHECKOUT / "cases", cwd=CHECKOUT
    ).splitlines()
    assert any(line.startswith(CASE) for line in listed)
    assert len(listed) == len(here), kind


def test_no_framework_comes_with_it(installed: Any, empty: Any) -> None:
    """The core dependencies only."""
    _, folder = installed
    names = {
        line.partition("==")[0].lower()
        for line in run(folder / "bin" / "pip", "list", "--format=freeze", cwd=empty).splitlines()
    }
    assert "conv-transpose-conformance" in {name.replace("_", "-") for name in names}
    assert "numpy" in names
    assert not names & FRAMEWORKS


def test_where_the_cases_lie(installed: Any, empty: Any) -> None:
    """In a wheel beside the package; an editable install reads the checkout's and has no copy that
    could go stale.
    """
    kind, folder = installed
    code = "from conformance.corpus.files import shipped_cases; print(shipped_cases())"
    place = run(folder / "bin" / "python", "-c", code, cwd=empty).strip()
    copies = [str(path.parent) for path in folder.rglob("cs231n.yaml")]
    if kind == "editable":
        assert place == str(CHECKOUT / "cases")
        assert copies == []
    else:
        assert place.startswith(str(folder))
        assert copies == [f"{place}/textbook"]


def test_the_two_wheels_hold_the_same(distributions: Any) -> None:
    """The source distribution lacks nothing that the wheel is made of."""
    names = [
        set(zipfile.ZipFile(distributions[key]).namelist())
        for key in ("wheel", "wheel of the sdist")
    ]
    assert names[0] == names[1]
    assert any(name.endswith("conformance/report/templates/index.html.j2") for name in names[0])
    assert "conformance/cases/subsets/quick.txt" in names[0]
    schemas = {f"conformance/schema/{kind}.schema.json" for kind in ("case", "record", "protocol")}
    assert {"conformance/py.typed", *schemas} <= names[0]
    assert not any(name.startswith(("tests/", "cases/")) for name in names[0])


def test_the_source_distribution_has_the_tests(distributions: Any) -> None:
    """Whoever packages it can run them."""
    with tarfile.open(distributions["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "tests/miniatures.py",
        "tests/conftest.py",
        "pyproject.toml",
        "cases/textbook/cs231n.yaml",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "RELEASING.md",
        "CITATION.cff",
    } <= names


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed here")
def test_the_tests_run_on_the_pinned_torch() -> None:
    """Constraints that are not heeded bring the newest one, with gigabytes of CUDA."""
    [pinned] = re.findall(
        r"^torch==(\S+)$", (CHECKOUT / "constraints.txt").read_text(), re.MULTILINE
    )
    assert version("torch").startswith(pinned)
