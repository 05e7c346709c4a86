"""Two locks: what moves together, and `conformance bisect --good-lock` on wheels in a folder."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers import CUT, command, environment
from helpers import corpus as write_corpus
from releases import ADAPTER, BROKEN, RIGHT, WRONG, wheel

from conformance.bisection.makers import Mixes
from conformance.bisection.trial import Question, Trier
from conformance.bisection.upgrade import Mix, Upgrade, contradictions
from conformance.commands.bisect import Options, run
from conformance.corpus.selection import select
from conformance.environments.complete import CompleteEnvironments
from conformance.environments.pins import Pin
from conformance.errors import UsageError

OTHERS = [f"other-{letter}" for letter in "abc"]


TOLD = """\
not looked at: bad.txt:6: -e: is not a release
tinyadapter:Tiny in tiny/cut: 5 of 5 packages differ between good.txt and bad.txt
  good.txt: good: conforms
  bad.txt: bad: differs (values, shifted-window)
  tiny-engine, tiny-glue: require each other, and move together
  2 of 5 from bad.txt (tiny-engine, tiny-glue): bad: differs (values, shifted-window)
  1 of 5 from bad.txt (tiny-glue): good: conforms
  tiny-engine 1.2 and tiny-glue from bad.txt: left out
  tiny-engine 1.2: left out
  tiny-engine 1.1 and tiny-glue from bad.txt: bad: differs (values, shifted-window)
  tiny-engine 1.3 and tiny-glue from bad.txt: left out
  tiny-engine 1.3: good: conforms

what makes the difference:
  tiny-engine 1.4 -> 1.0, tiny-glue 2.0 -> 1.0
    which require each other
last bad release of tiny-engine: 1.1
first good release of tiny-engine: 1.3
between them and not judged: 1.2
left out: tiny-engine 1.2 and tiny-glue from bad.txt: does not start: RuntimeError: built for
 another machine
left out: tiny-engine 1.2: cannot be installed: tiny-engine 1.2 requires tiny-glue<2 (here 2.0)
left out: tiny-engine 1.3 and tiny-glue from bad.txt: cannot be installed: tiny-engine 1.3 requires
 tiny-glue>=2 (here 1.0)

good.txt: conforms
    with Tiny.Engine 1.4
bad.txt: differs
    out[0, 0, 0, 1]=3, should be 6; 15 of 16 elements differ
    max abs error 12 (none is allowed: every sum is exact)
    the finished result is rolled by (0, 1)
    with Tiny.Engine 1.0
"""


def upgrade(good: dict[str, str], bad: dict[str, str]) -> Upgrade:
    def pins(versions: dict[str, str]) -> dict[str, Pin]:
        return {name: Pin(name=name, version=version) for name, version in versions.items()}

    return Upgrade(good=pins(good), bad=pins(bad))


def test_metadata_says_what_moves_together() -> None:
    """Where one side's package does not go with the other side's: jax and jaxlib need each other,
    a new package comes with the one that requires it, and what fits both ways is free.
    """
    changed = upgrade(
        {"jax": "1", "jaxlib": "1", "free": "1", "same": "3", "broken": "1"},
        {"jax": "2", "jaxlib": "2", "free": "2", "same": "3", "new": "1", "broken": "2"},
    )
    good = {"jax": ["jaxlib<2,>=1", "free"], "jaxlib": [], "free": ["jax", "same"], "same": []}
    bad = {
        "jax": ["jaxlib<3,>=2", "new", "free>=2; sys_platform == 'nowhere'"],
        "jaxlib": ["free>=2; extra == 'more'"],
        "broken": ["free<1"],  # its own lock breaks this
    }
    assert changed.differing == ["broken", "free", "jax", "jaxlib", "new"]
    assert changed.couplings(good, bad) == {
        "broken": set(),
        "free": set(),
        "jax": {"jaxlib", "new"},
        "jaxlib": {"jax"},
        "new": set(),
    }
    wanted = bad | {"broken": ["jaxlib[more]"]}
    assert changed.couplings(good, wanted)["jaxlib"] == {"jax", "free"}


def test_a_mix_has_the_packages_of_both() -> None:
    """And releases of its own, whose requirements are looked at."""
    changed = upgrade({"a": "1", "b": "1", "old": "1"}, {"a": "2", "b": "2", "new": "1"})
    mix = Mix(moved=frozenset({"a", "old"})).at({"b": "1.5"})
    pins = changed.pins(mix)
    assert {name: str(pin) for name, pin in pins.items()} == {"a": "2", "b": "1.5"}
    assert changed.step("old") == "old 1 -> absent"
    assert changed.step("a") == "a 1 -> 2"
    assert contradictions("b", ["a<2", "new", "b"], pins) == ["a<2 (here 2)", "new (here absent)"]


def test_a_trier_can_be_sent_to_another_process(tmp_path: Path) -> None:
    """With all that it asks, and what it is asked."""
    case = "tiny/cut"
    trier = Trier(
        Question(adapter="keras-torch", selection=select([str(write_corpus(tmp_path, CUT)), case])),
        Mixes(
            upgrade=upgrade({"a": "1"}, {"a": "2"}),
            environments=CompleteEnvironments(folder=tmp_path),
        ),
        tmp_path,
    )
    mix = Mix(moved=frozenset({"a"}))
    there, same = pickle.loads(pickle.dumps((trier, mix)))
    assert there.maker.name(same) == trier.maker.name(mix)
    assert there.question.selection.cases[0].name == case


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An engine that is wrong up to 1.1, broken in 1.2, and requires other glue from 1.3 on, and
    others that do nothing; NumPy comes from where it lies.
    """
    folder = tmp_path_factory.mktemp("shelf")
    old, new = ["tiny-glue<2"], ["tiny-glue>=2"]
    wheel(folder, "1.0", WRONG, old)
    wheel(folder, "1.1", WRONG, old)
    wheel(folder, "1.2", BROKEN, old)
    wheel(folder, "1.3", RIGHT, new)
    wheel(folder, "1.4", RIGHT, new)
    for version in ("1.0", "2.0"):
        wheel(folder, version, "", name="tiny_glue", module="tinyglue")
    for name in OTHERS:
        for version in ("1.0", "2.0"):
            wheel(folder, version, "", name=name.replace("-", "_"), module=name.replace("-", ""))
    for module in (np, ml_dtypes):
        here = wheel(folder, module.__version__, "", name=module.__name__, module="nothing")
        link(here, module)
    return folder


def link(path: Path, module: Any) -> None:
    """Have a wheel bring the folder in which a package of this interpreter lies."""
    import zipfile

    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{module.__name__}.pth", str(Path(module.__file__).parents[1]) + "\n")


@pytest.fixture
def bisect(tmp_path: Path, shelf: Path) -> Any:
    """Runs `conformance bisect` on the case `cut` with two locks of these packages."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "tinyadapter.py").write_text(ADAPTER, encoding="utf-8")
    cases = write_corpus(tmp_path, CUT)
    sources = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf), "PIP_CONFIG_FILE": "/dev/null"}
    env = environment(PYTHONPATH=str(folder), CONFORMANCE_CACHE=str(tmp_path / "cache"), **sources)

    def run(good: Any, bad: Any, *words: Any) -> Any:
        for name, lines in (("good.txt", good), ("bad.txt", bad)):
            (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        named = ["-a", "tinyadapter:Tiny", "--case", "tiny/cut", "--cases", cases]
        locks = ["--good-lock", "good.txt", "--bad-lock", "bad.txt"]
        return command("bisect", *named, *locks, *words, cwd=tmp_path, env=env)

    return run


def lines(engine: str, glue: str, other: str) -> list[str]:
    return [
        f"tiny-engine=={engine}",
        f"tiny-glue=={glue}",
        *(f"{name}=={other}" for name in OTHERS),
    ]


@pytest.mark.slow
def test_the_package_and_its_release_are_found(bisect: Any, shelf: Path) -> None:
    """Of five packages; the engine and its glue move together, since metadata says so, releases
    that cannot be judged are told, and the next time nothing is made.
    """
    (file,) = shelf.glob("tiny_engine-1.0-*")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    good, bad = lines("1.4", "2.0", "2.0"), lines("1.0", "1.0", "1.0")
    bad[0] += f" --hash=sha256:{digest}"
    done = bisect(good, [*bad, "-e ."])
    assert done.returncode == 0, done.stderr
    told, _, end = done.stdout.rstrip().rpartition("\n\n")
    assert told.splitlines() == TOLD.replace("\n a", " a").replace("\n t", " t").splitlines()
    assert end.startswith("9 environments: 9 made; ")
    again = bisect(good, bad)
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[-1].startswith(
        "9 environments: 0 made, 6 kept from before, 3 left out; "
    )


@pytest.mark.slow
def test_a_wrong_digest_ends_it(bisect: Any) -> None:
    """Digests of a lock are held to, and the end of a search that cannot be made is named."""
    good, bad = ["tiny-engine==1.4", "tiny-glue==2.0"], ["tiny-engine==1.0", "tiny-glue==1.0"]
    done = bisect(good, [f"{bad[0]} --hash=sha256:{'0' * 64}", bad[1]])
    assert done.returncode == 2
    assert "--bad-lock bad.txt: cannot be judged" in done.stderr
    assert "ash mismatch" in done.stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"package": "x"}, "--good and --bad: missing, should be --package, --good and --bad, or"),
        ({}, "--package and --good and --bad: missing, should be"),
        ({"good_lock": "a.txt"}, "--bad-lock: missing, should be --good-lock and --bad-lock, or"),
        (
            {"good_lock": "a.txt", "bad_lock": "a.txt", "good": "1"},
            "--good: is of releases, and --good-lock of locks, should be one or the other",
        ),
        (
            {"good_lock": "a.txt", "bad_lock": "a.txt"},
            "a.txt: has the packages of --good-lock ",
        ),
        (
            {"package": "x", "good": "1", "bad": "2", "mixes": 3},
            "--mixes: is of two locks, and there is no --good-lock",
        ),
    ],
)
def test_what_is_neither_is_one_sentence(tmp_path: Path, given: Any, told: Any) -> None:
    """Releases of a package, or two locks that differ."""
    (tmp_path / "a.txt").write_text("numpy==2.4.6\n", encoding="utf-8")
    paths = {name: tmp_path / value for name, value in given.items() if name.endswith("_lock")}
    cases = [str(write_corpus(tmp_path, CUT))]
    options = Options(
        adapter="torch",
        case="tiny/cut",
        paths=cases,
        timeout=60.0,
        fresh=False,
        **{**given, **paths},
    )
    with pytest.raises(UsageError) as refused:
        run(options)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
