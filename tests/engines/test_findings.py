"""Every finding of docs/findings.md still is one: its program does in a fresh process what the page
says.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers import CHECKOUT, vulkan_environment

from conformance import environments
from conformance.adapters import REGISTRY
from conformance.environments import installation, npm
from conformance.environments.installer import Environment
from conformance.system.processor import cpu_flags

ROOT = CHECKOUT
PAGE = ROOT / "docs" / "findings.md"
PAGES = Path(__file__).with_name("page_program.mjs")
KINDS = (
    "The process dies",
    "Wrong numbers",
    "Refused though legal",
    "Accepted though invalid",
    "Already reported",
)
PARTS = ("Should be", "Cause", "Case", "Report")
FOUND = re.compile(
    r"(?P<number>\d+)\. (?P<title>[^\n]+)\n\n\*(?P<measured>[^\n]+)\*\n.*?"
    r"^```(?P<language>python|html)\n(?P<program>.*?)^```\n\n```text\n(?P<told>.*?)^```\n(?P<rest>.*)",
    re.MULTILINE | re.DOTALL,
)
OF_THE_ENGINES = (
    "ONEDNN_",
    "DNNL_",
    "TF_",
    "JAX_",
    "XLA_",
    "KERAS_",
    "ORT_",
    "TORCH",
    "PYTORCH_",
    "OMP_",
    "OPENBLAS_",
    "MKL_",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A heading with what stands below it, up to the next."""

    number: int
    title: str
    versions: dict[str, str]
    drives_vulkan: bool
    flags: frozenset[str]
    environment: dict[str, str]
    language: str
    program: str
    told: list[str]
    rest: str


def findings() -> list[Finding]:
    sections = re.split(r"^##+ ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [
        Finding(
            number=int(found["number"]),
            title=found["title"],
            versions=dict(re.findall(r"([a-z][a-z0-9-]*) (\d[\w.]*)", found["measured"])),
            drives_vulkan=bool(re.search(r"\b(WebGPU|Vulkan)\b", found["measured"])),
            flags=frozenset(re.findall(r"`(\w+)`", found["measured"])),
            environment=dict(re.findall(r"`([A-Z_]+)=(\w+)`", found["measured"])),
            language=found["language"],
            program=found["program"],
            told=found["told"].splitlines(),
            rest=found["rest"],
        )
        for found in map(FOUND.match, sections)
        if found
    ]


FINDINGS = findings()


def pinned() -> dict[str, str]:
    """The versions of the reference report, those of engines with their own environment, and by the
    name of its row those of a library in JavaScript.
    """
    own = (requirement for entry in REGISTRY.values() for requirement in entry.packages)
    texts = [(ROOT / "constraints.txt").read_text(encoding="utf-8"), *own]
    found = re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)$", "\n".join(texts), re.MULTILINE)
    versions = dict(found)
    for file in npm.PROGRAMS.glob("*/package.json"):
        library = file.parent.name
        wanted = json.loads(file.read_text(encoding="utf-8"))["dependencies"]
        versions[library] = next(wanted[name] for name in wanted if name.endswith(library))
    return versions


def environment_of(finding: Finding) -> Environment | None:
    """The environment of its own in which the finding's engine is installed, if it is."""
    names = {
        re.split(r"[\[=]", one)[0]: name
        for name, row in REGISTRY.items()
        for one in row.packages
        if "==" in one  # what it merely needs beside its own, it shares with others
    }
    engine = next((names[package] for package in finding.versions if package in names), None)
    found = None if engine is None else installation.find(engine)
    return None if found is None else found.environment


def why_not_here(finding: Finding) -> str | None:
    """Why this program need not do here what the page says."""
    if finding.language == "html":
        return why_no_page(*finding.versions)
    apart = environment_of(finding)
    own = {} if apart is None else apart.installed
    for package, version in finding.versions.items():
        try:
            installed = own.get(package) or importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return f"{package} is not installed"
        if installed.partition("+")[0] != version:
            return f"{package} {installed} is installed, and the finding is of {version}"
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return "the findings are of Linux on x86-64"
    if finding.drives_vulkan and vulkan_environment() is None:
        return "there is no software driver of Vulkan"
    missing = sorted(finding.flags - cpu_flags())
    return f"the processor has no {', '.join(missing)}" if missing else None


def pattern(line: str) -> str:
    return ".*".join(map(re.escape, line.strip().split("...")))


def disagreement(told: list[str], *, code: int, output: str, errors: str) -> str | None:
    """What a process did that the page does not tell; `dies` and `raises` stand for its end, the
    other lines are its output.
    """
    *lines, last = told
    kind, _, what = last.partition(": ")
    if kind == "dies":
        ended = signal.Signals(-code).name if code < 0 else f"exit {code}"
        right = ended in what.split(
            " or "
        )  # memory that was overwritten is noticed by one or the other
    elif kind == "raises":
        ended = f"exit {code}"
        right = code == 1 and bool(
            re.search(rf"^(?:\w+\.)*{pattern(what)}$", errors, re.MULTILINE | re.DOTALL)
        )
    else:
        lines, ended = told, f"exit {code}"
        right = code == 0
    if not right:
        return f"{ended}, should be {last}"
    if not re.fullmatch(r"\s*".join(map(pattern, lines)), output.strip(), re.DOTALL):
        return f"{output!r}, should be {lines}"
    return None


def run(
    program: str,
    folder: Path,
    held: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> subprocess.CompletedProcess[str]:
    """The program in a fresh process, whose engines are as they come, or `held` to less."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(OF_THE_ENGINES)
    }
    return subprocess.run(
        # unbuffered, so that what was printed before a death is told, and in its order
        [python, "-u", "-X", "faulthandler", "-c", program],
        cwd=folder,
        env={**environment, "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", **(held or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def why_no_page(library: str) -> str | None:
    """Why no page with this library can be shown here."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return "chromium is not installed"
    if environments.find(library) is None:
        return f"{library} is not installed: {environments.advice(library)}"
    return None


def show(finding: Finding, folder: Path) -> subprocess.CompletedProcess[str]:
    """The program as a page of Chromium, from the packages of the engine's environment."""
    file = folder / "page.html"
    file.write_text(finding.program, encoding="utf-8")
    [library] = finding.versions
    made = environments.find(library)
    assert made is not None
    words = ["node", str(PAGES), str(made.folder), str(file), str(len(finding.told))]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "finding",
    FINDINGS,
    ids=lambda finding: f"{finding.number}-{'-'.join(finding.title.split()[:3])}",
)
def test_program_does_what_the_page_says(finding: Finding, tmp_path: Path) -> None:
    """The program prints what stands below it, or ends as it says, with the versions and on the
    processors of the finding.
    """
    reason = why_not_here(finding)
    if reason:
        pytest.skip(reason)
    if finding.language == "html":
        ended = show(finding, tmp_path)
    else:
        drivers = vulkan_environment() if finding.drives_vulkan else None
        apart = environment_of(finding)
        python = sys.executable if apart is None else apart.python
        ended = run(finding.program, tmp_path, {**finding.environment, **(drivers or {})}, python)
    problem = disagreement(
        finding.told, code=ended.returncode, output=ended.stdout, errors=ended.stderr
    )
    assert problem is None, f"{finding.title}: {problem}\n{ended.stderr[-2000:]}"


def test_other_ends_are_noticed() -> None:
    """Another signal, another exception, other output and no end at all disagree."""
    assert disagreement(["dies: SIGSEGV"], code=-11, output="", errors="") is None
    assert (
        disagreement(["dies: SIGSEGV"], code=-6, output="", errors="")
        == "SIGABRT, should be dies: SIGSEGV"
    )
    assert disagreement(["dies: SIGABRT or SIGSEGV"], code=-6, output="", errors="") is None
    assert (
        disagreement(["dies: SIGABRT or SIGSEGV"], code=-8, output="", errors="")
        == "SIGFPE, should be dies: SIGABRT or SIGSEGV"
    )
    assert (
        disagreement(["dies: SIGSEGV"], code=0, output="", errors="")
        == "exit 0, should be dies: SIGSEGV"
    )
    assert (
        disagreement(
            ["1", "raises: KeyError: ..."], code=1, output="1\n", errors="a.b.KeyError: c\n"
        )
        is None
    )
    assert (
        disagreement(["raises: KeyError: ..."], code=1, output="", errors="ValueError: c\n")
        is not None
    )
    assert disagreement(["[1 ... 2]"], code=0, output="[1 5 2]\n", errors="") is None
    assert (
        disagreement(["[1 ... 2]"], code=0, output="[1 5 3]\n", errors="")
        == "'[1 5 3]\\n', should be ['[1 ... 2]']"
    )
    assert disagreement(["1"], code=0, output="1\n2\n", errors="") is not None
    assert disagreement(["1"], code=1, output="1\n", errors="") == "exit 1, should be 1"


def test_findings_are_numbered() -> None:
    """There are at least ten, numbered from 1 as they were found, and none that this test does not
    find.
    """
    assert sorted(finding.number for finding in FINDINGS) == list(range(1, len(FINDINGS) + 1))
    assert len(FINDINGS) >= 10
    text = PAGE.read_text(encoding="utf-8")
    programs = text.count("```python\n") + text.count("```html\n")
    assert text.count("\n### ") == programs == text.count("```text\n") == len(FINDINGS)


def test_worst_come_first() -> None:
    """The page goes from deaths to wrong numbers, refusals, and nonsense that is answered; what is
    public is last.
    """
    assert tuple(re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == KINDS


def test_at_least_ten_have_legal_arguments() -> None:
    """Ten findings or more stand before those whose arguments make no sense."""
    before = PAGE.read_text(encoding="utf-8").partition("\n## Accepted though invalid\n")[0]
    assert before.count("\n### ") >= 10


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: str(finding.number))
def test_finding_is_complete(finding: Finding) -> None:
    """A finding says what should be, the cause, the case and the report, and was measured with the
    pinned versions.
    """
    assert tuple(re.findall(r"^- (\w[\w ]*):", finding.rest, re.MULTILINE)) == PARTS
    assert finding.versions
    assert finding.versions.items() <= pinned().items()


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: str(finding.number))
def test_its_cases_exist(finding: Finding) -> None:
    """The cases that a finding names are in the corpus; one without any says why."""
    found = re.search(r"^- Case: (.*?)(?=^- )", finding.rest, re.MULTILINE | re.DOTALL)
    assert found
    names = re.findall(r"`([^`]+)`", found[1])
    assert names or found[1].startswith(("none, it is a gradient", "none, a case fills in"))
    for name in names:
        path, _, identifier = name.rpartition("/")
        file = ROOT / "cases" / f"{path}.yaml"
        assert re.search(
            rf"^  - id: {re.escape(identifier)}$", file.read_text(encoding="utf-8"), re.MULTILINE
        ), name


CONVERTERS = ("tf2onnx:", "litert-torch:", "TensorFlow's LiteRT converter:")
OF_A_CHAIN = {
    "torch", "tensorflow", "jax", "tf2onnx", "litert_torch", "onnxruntime", "ai_edge_litert",
}  # fmt: skip


def test_programs_use_one_framework() -> None:
    """A program imports its framework, the packages that build its model, and nothing of the suite;
    that of a converter both ends of its chain; a page loads its library.
    """
    models = {"os", "subprocess", "sys", "tempfile", "numpy", "onnx", "flatbuffers"}
    for finding in FINDINGS:
        if finding.language == "html":
            [library] = finding.versions
            loaded = re.findall(r"https://cdn\.jsdelivr\.net/npm/([\w@/-]+)@", finding.program)
            assert loaded
            assert all(name.removeprefix("@tensorflow/").startswith(library) for name in loaded)
            continue
        imported = set(re.findall(r"^(?:import|from) (\w+)", finding.program, re.MULTILINE))
        used = imported - models
        of_a_converter = finding.title.startswith(CONVERTERS) and used <= OF_A_CHAIN
        assert len(used) <= 1 or of_a_converter, finding.title
        assert "conformance" not in imported
