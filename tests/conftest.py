"""What several test modules share: a corpus in a folder, cases built in memory, the truth of a
call, and a browser.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import CHECKOUT
from hypothesis import settings

from conformance.corpus.case import ArrayLiteral, Case, Location, Made
from conformance.corpus.tensors import dtype_of
from conformance.geometry import Geometry, from_padding
from conformance.oracle import Truth, truth_of
from conformance.record.reader import read_record
from conformance.record.record import Record
from conformance.report import render
from conformance.verdicts.verdict import Verdict

# Several processes share the cores: threads of OpenMP and OpenBLAS that wait for each other spin,
# and take the time of the others. What starts from here computes with one, unless told otherwise.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Shared machines stall now and then, which says nothing about the code: no example has a time limit
# of its own.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture(autouse=True, scope="module")
def own_garbage() -> Iterator[None]:
    """What a module leaves is collected at its own end: an exception in a finalizer is not another
    module's failure.
    """
    yield
    gc.collect()


CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium, driven by Playwright; skipped where either is missing, but not in CI."""
    missing = None if importlib.util.find_spec("playwright") else "Playwright is not installed"
    missing = missing or (None if CHROMIUM else "there is no Chromium on the path")
    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing}, should be there in CI: .ci/run installs it")
    if missing:
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def reference() -> Record:
    """The committed reference record."""
    return read_record(CHECKOUT / "reports" / "reference")


@pytest.fixture(scope="session")
def reference_page(
    browser: Any, reference: Record, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The address of the page of the reference record, made now and on disk."""
    file = tmp_path_factory.mktemp("page") / "index.html"
    file.write_text(render(reference), encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page: visit(address, **options of the context). A console message, an error, a dialog
    or a request for anything but the page itself fails the test. `throttled` slows the processor
    that many times.
    """
    contexts: list[Any] = []
    noise: list[str] = []

    def open_page(address: str, *, throttled: float = 1, **options: Any) -> Any:
        context = browser.new_context(
            **{"viewport": {"width": 1440, "height": 900}, "color_scheme": "light", **options}
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        own = address.partition("#")[0]
        page.on("console", lambda message: noise.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: noise.append(f"error: {error}"))
        page.on(
            "dialog", lambda dialog: (noise.append(f"dialog: {dialog.message}"), dialog.dismiss())
        )
        page.on(
            "request",
            lambda request: (
                None
                if request.url.partition("#")[0] == own
                else noise.append(f"asks {request.url}")
            ),
        )
        if throttled != 1:
            session = context.new_cdp_session(page)
            session.send("Emulation.setCPUThrottlingRate", {"rate": throttled})
        page.goto(address)
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert noise == []


@pytest.fixture
def corpus(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file of a corpus: corpus("textbook/first.yaml", text) -> its path, below a folder
    named `cases`.
    """

    def write(name: str, text: str) -> Path:
        path = tmp_path / "cases" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def a_case() -> Callable[..., Case]:
    """Builds a case in memory: 2-D, kernel 2x2, stride 2 and integers, unless told otherwise."""

    def build(**changes: Any) -> Case:
        x = changes.get("input", Made(shape=(1, 2, 3, 3), values="integers", seed=1))
        kernel = changes.get("kernel", Made(shape=(2, 3, 2, 2), values="integers", seed=2))
        rank = len(x.shape) - 2
        fields = {
            "name": "folder/file/one",
            "summary": "One case.",
            "source": "made up",
            "spatial": rank,
            "input": x,
            "kernel": kernel,
            "bias": None,
            "dtype": "float32",
            "geometry": from_padding(
                size=x.shape[2:],
                kernel=kernel.shape[2:],
                stride=[2] * rank,
                padding=[(0, 0)] * rank,
                output_padding=[0] * rank,
                dilation=[1] * rank,
            ),
            "native": None,
            "must_fail": False,
            "expected": None,
            "tags": (),
            "location": Location(
                file=Path("cases/folder/file.yaml"),
                lines={"": 3, "expected": 9, "expected.shape": 10},
            ),
        }
        return Case(**{**fields, **changes})

    return build


@pytest.fixture
def given() -> Callable[[Any], ArrayLiteral]:
    """An array written out, of anything that NumPy makes an array of."""

    def build(values: Any) -> ArrayLiteral:
        array = np.asarray(values, np.float64)
        return ArrayLiteral(shape=array.shape, numbers=tuple(array.ravel().tolist()))

    return build


@pytest.fixture
def truth() -> Callable[..., Truth]:
    """The truth of a call whose operands are rounded to the dtype first; window arguments as in
    `conv_transpose`.
    """

    def build(
        x: Any,
        kernel: Any,
        bias: Any = None,
        *,
        dtype: str = "float32",
        geometry: Geometry | None = None,
        **window: Any,
    ) -> Truth:
        operands = [
            None if array is None else np.asarray(array, np.float64).astype(dtype_of(dtype))
            for array in (x, kernel, bias)
        ]
        rank = operands[0].ndim - 2

        def each(key: str, default: int) -> Sequence[int]:
            return [window.get(key, default)] * rank

        if geometry is None:
            geometry = from_padding(
                size=operands[0].shape[2:],
                kernel=operands[1].shape[2:],
                stride=each("stride", 1),
                padding=[(p, p) for p in each("padding", 0)],
                output_padding=each("output_padding", 0),
                dilation=each("dilation", 1),
                groups=window.get("groups", 1),
            )
        return truth_of(*operands, geometry, dtype)

    return build


@pytest.fixture
def verdict() -> Callable[..., Verdict]:
    """A verdict of `engine` on `folder/file/one`: it differs in its values, unless told
    otherwise.
    """

    def build(**changes: Any) -> Verdict:
        fields: dict[str, Any] = {
            "case": "folder/file/one",
            "adapter": "engine",
            "device": "cpu",
            "quantity": "output",
            "status": "differs",
            "exact": True,
            "error_over_bound": None,
        }
        return Verdict(**{**fields, **changes})

    return build


@pytest.fixture
def run_line() -> dict[str, Any]:
    """The first line of a record of one adapter on one device, without its type."""
    return {
        "format": 1,
        "conformance": "0.1.0",
        "started": "2026-01-02T03:04:05+00:00",
        "platform": "linux",
        "system": "Linux-6",
        "machine": "x86_64",
        "python": "3.11.9",
        "cpu": {"model": "Some CPU", "flags": ["avx2"]},
        "threads": 1,
        "precision": "strict",
        "timing": "off",
        "repeat": 1,
        "timeout": 60.0,
        "command": ["conformance", "run", "-a", "engine"],
        "paths": [],
        "known": [],
        "corpus": "0123456789abcdef" * 4,
        "shard": None,
        "merged": None,
        "adapters": [{"label": "engine", "asked": "engine", "adapter": "engine"}],
        "versions": {"engine": {"engine": "1.0"}},
        "facts": {"engine": {}},
        "devices": {"engine": ["cpu"]},
        "absent": {},
    }
