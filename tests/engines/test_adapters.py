"""Every adapter of the table, for real: its framework in its own process, on integers that leave no
room for rounding.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import REQUESTED
from miniatures import scatter

from conformance import conventions
from conformance.adapters import REGISTRY, precision_environment
from conformance.conventions import Dtypes, Unrepresentable
from conformance.corpus.tensors import Tensors, dtype_of
from conformance.geometry import from_padding
from conformance.oracle import gradient_truths
from conformance.outcomes import Gradients, Output, Raised, Unsupported
from conformance.workers.answers import Greeting
from conformance.workers.engine import Engine, close_all
from conformance.workers.spec import Spec

# What is known to be missing on the CPU: not tested for numbers, but for being refused in words.
WITHOUT_DTYPES = {"onnxruntime": {"float64", "bfloat16"}}
WITH_GROUPS = ("torch", "tensorflow", "jax-general", "onnxruntime")
WITHOUT_GRADIENTS = ("onnxruntime", "onnx-reference")
WITHOUT_BATCHES = ("torch-unbatched",)


@pytest.fixture(scope="module")
def engines() -> Iterator[Any]:
    """Starts an adapter when it is first asked for, once: (engine, greeting)."""
    started = {}

    def get(name: Any) -> Any:
        if name not in started:
            engine = Engine(Spec.of(name, label=name, python=sys.executable), timeout=120.0)
            started[name] = engine, engine.start()
        engine, greeting = started[name]
        assert isinstance(greeting, Greeting), f"{name} was requested: {greeting}"
        if not engine.running:
            assert isinstance(engine.start(), Greeting)
        return engine, greeting

    yield get
    close_all([engine for engine, _ in started.values()])


def window(
    rank: Any, *, stride: Any = 2, kernel: Any = 3, padding: Any = 0, groups: Any = 1
) -> Any:
    """A geometry with another size on every axis, which every convention can spell."""
    return from_padding(
        size=[2 + axis for axis in range(rank)],
        kernel=[kernel + (axis if kernel == 3 else 0) for axis in range(rank)],
        stride=[stride] * rank,
        padding=[(padding, padding)] * rank,
        output_padding=[0] * rank,
        dilation=[1] * rank,
        groups=groups,
    )


def base(name: Any) -> Any:
    """The adapter that a variant is one of, or the adapter itself."""
    return REGISTRY[name].variant_of or name


def tensors(geometry: Any, dtype: Any, *, bias: Any = True, batch: Any = 2) -> Any:
    """Small integers: two items, four channels in, so that no sum exceeds what bfloat16 holds."""
    random = np.random.RandomState(7)
    per_group = 3 if geometry.groups == 1 else 2
    x = random.randint(-2, 3, (batch, 4, *geometry.size)).astype(dtype_of(dtype))
    kernel = random.randint(-2, 3, (4, per_group, *geometry.kernel)).astype(dtype_of(dtype))
    b = random.randint(-3, 4, per_group * geometry.groups).astype(dtype_of(dtype)) if bias else None
    return Tensors(x=x, kernel=kernel, bias=b)


def truth(geometry: Any, operands: Any) -> Any:
    return scatter(
        *operands,
        stride=geometry.stride,
        crops=geometry.crops,
        dilation=geometry.dilation,
        groups=geometry.groups,
    )


def items(name: Any) -> Any:
    """How many the batch has."""
    return 1 if name in WITHOUT_BATCHES else 2


def ask(engine: Any, greeting: Any, geometry: Any, operands: Any, device: Any = "cpu") -> Any:
    native = conventions.get(greeting.convention).native(geometry)
    assert not isinstance(native, Unrepresentable), native
    return engine.call(operands, native, device)


def assert_exact(outcome: Any, geometry: Any, operands: Any) -> None:
    assert isinstance(outcome, Output), outcome
    y = truth(geometry, operands)
    assert outcome.y.dtype == operands.x.dtype
    assert outcome.y.shape == y.shape
    assert (outcome.y.astype(np.float64) == y).all()


def test_the_requested_adapters_are_there(engines: Any) -> None:
    """Green never means that nothing ran: every adapter asked for is in the table, and starts."""
    assert REQUESTED
    assert set(REQUESTED) <= set(REGISTRY)
    found = {name: engines(name)[1].versions for name in REQUESTED}
    print("adapters found:", found)
    assert list(found) == REQUESTED


@pytest.mark.parametrize("name", REQUESTED)
def test_versions_and_devices_are_said(engines: Any, name: Any) -> None:
    """Every distribution that computes, with a version, and the CPU first."""
    _, greeting = engines(name)
    assert greeting.convention in conventions.NAMES
    assert greeting.devices[0] == "cpu"
    assert greeting.versions
    assert all(re.match(r"\d+\.\d+", version) for version in greeting.versions.values())
    if name.startswith("keras-"):
        assert {"keras", name.split("-")[1]} <= greeting.versions.keys()


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("name", REQUESTED)
def test_float32_is_exact_on_integers(engines: Any, name: Any, rank: Any) -> None:
    """The full output with a kernel as oblong as can be, several channels and a bias, bit for
    bit.
    """
    geometry = window(rank)
    operands = tensors(geometry, "float32", batch=items(name))
    assert_exact(ask(*engines(name), geometry, operands), geometry, operands)


@pytest.mark.parametrize("name", REQUESTED)
def test_cuda_computes_float32_in_float32(engines: Any, name: Any) -> None:
    """Odd 13-bit integers, exact in float32 and not in TF32, on a device that has TF32 by
    default.
    """
    if "cuda" not in engines(name)[1].devices:
        pytest.skip(f"{name} has no CUDA device here")
    engine = Engine(
        Spec.of(name, label=name, python=sys.executable),
        timeout=120.0,
        environment=precision_environment("strict"),
    )
    try:
        greeting = engine.start()
        geometry, random = window(2), np.random.RandomState(7)
        x = (2 * random.randint(2048, 4096, (items(name), 4, *geometry.size)) + 1).astype(
            np.float32
        )
        operands = Tensors(
            x=x,
            kernel=random.randint(-2, 3, (4, 3, *geometry.kernel)).astype(np.float32),
            bias=None,
        )
        assert_exact(ask(engine, greeting, geometry, operands, "cuda"), geometry, operands)
    finally:
        close_all([engine])


SETTINGS = {
    "torch": (
        "import torch; print(torch.backends.cudnn.allow_tf32, "
        "torch.backends.cuda.matmul.allow_tf32)"
    ),
    "tensorflow": (
        "import tensorflow as tf; print(tf.config.experimental.tensor_float_32_execution_enabled())"
    ),
    "jax": "import jax; print(jax.config.jax_default_matmul_precision)",
}


@pytest.mark.parametrize(
    ("framework", "strict", "default"),
    [
        ("torch", "False False", "True False"),
        ("tensorflow", "False", "True"),
        ("jax", "highest", "None"),
    ],
)
def test_precision_is_the_frameworks_own_setting(framework: Any, strict: Any, default: Any) -> None:
    """TF32 is switched off with `strict`; with `default` the framework's settings are what they are
    without the suite.
    """
    if framework not in REQUESTED:
        pytest.skip(f"{framework} was not requested")
    for precision, wanted in (("strict", strict), ("default", default)):
        words = [
            sys.executable,
            "-c",
            f"import conformance.adapters.{framework}; {SETTINGS[framework]}",
        ]
        environment = {
            **os.environ,
            **precision_environment(precision),
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        told = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
        assert told.stdout.split() == wanted.split()


@pytest.mark.parametrize("name", REQUESTED)
def test_a_cut_output_without_a_bias_is_exact(engines: Any, name: Any) -> None:
    """Kernel 4, stride 2, padding 1: `same` in every convention."""
    geometry = window(2, kernel=4, padding=1)
    operands = tensors(geometry, "float32", bias=False, batch=items(name))
    assert_exact(ask(*engines(name), geometry, operands), geometry, operands)


DECLARED = {
    ("keras-tensorflow-channels-first", "float64"),  # oneDNN alone takes channels first,
    ("keras-tensorflow-channels-first", "float16"),  # and has these dtypes nowhere or seldom
    ("onnxruntime-opset-1", "float16"),  # its own casts are of a newer opset
    ("onnx-reference-opset-1", "bfloat16"),  # which ConvTranspose-1 does not name
    *(
        (f"torch-compile-frozen{behind}", "float64")  # freezing packs it for oneDNN, which has none
        for behind in ("", "-add", "-batch-norm", "-relu")
    ),
}
"""What rows refuse that their adapter takes: known_differences/fused.yaml has the reasons."""


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
@pytest.mark.parametrize("name", REQUESTED)
def test_other_dtypes_are_exact_on_integers_or_refused_in_words(
    engines: Any, name: Any, dtype: Any
) -> None:
    """The answer has the dtype of the question; a framework without a kernel for it says so."""
    geometry = window(2)
    operands = tensors(geometry, dtype, batch=items(name))
    engine, greeting = engines(name)
    outcome = ask(engine, greeting, geometry, operands)
    if (
        dtype == "bfloat16"
        and greeting.facts.get("onednn")
        and base(name) in ("tensorflow", "keras-tensorflow")
    ):
        narrow, wide = (
            greeting.facts[fact] in ("sse41", "avx", "avx2") for fact in ("isa", "processor")
        )
        if (
            narrow and not wide and name != "tensorflow-xla"
        ):  # known_differences/instruction_sets.yaml: held down, it raises
            assert isinstance(outcome, Raised), outcome
            return
    if (name, dtype) in DECLARED and not isinstance(outcome, Output):
        assert isinstance(outcome, Unsupported | Raised), outcome
        return
    if dtype in WITHOUT_DTYPES.get("onnxruntime" if name == "torch-onnx" else base(name), ()):
        assert isinstance(outcome, Unsupported | Raised), outcome
    else:
        assert_exact(outcome, geometry, operands)


MIXES = [
    Dtypes(input="bfloat16", kernel="float32", bias="float32", output="float32"),
    Dtypes(input="float16", kernel="bfloat16", bias="float32", output="float32"),
    Dtypes(input="float16", kernel="float16", bias="float32", output="float32"),
    Dtypes(input="float32", kernel="float32", bias="bfloat16", output="float32"),
]


@pytest.mark.parametrize("dtypes", MIXES, ids=lambda dtypes: f"{dtypes.input}-{dtypes.kernel}")
@pytest.mark.parametrize("name", [name for name in REQUESTED if REGISTRY[name].variant_of is None])
def test_operands_of_two_dtypes_are_exact_or_ruled_out(
    engines: Any, name: str, dtypes: Dtypes
) -> None:
    """The kernel and the bias hold 4097 where they are float32: who casts them down is wrong."""
    geometry = window(2)
    x, kernel, bias = tensors(geometry, "float32", batch=items(name))
    kernel[0, 0, 0, 0] = bias[0] = 4097
    operands = Tensors(
        x=x.astype(dtype_of(dtypes.input)),
        kernel=kernel.astype(dtype_of(dtypes.kernel)),
        bias=bias.astype(dtype_of(str(dtypes.bias))),
    )
    engine, greeting = engines(name)
    extra = conventions.dtype_arguments(greeting.convention, dtypes)
    if isinstance(extra, Unrepresentable):
        assert dtypes.output in extra.reason
        return
    native = conventions.get(greeting.convention).native(geometry)
    outcome = engine.call(operands, {**native, **extra}, "cpu")
    if name == "torch" and isinstance(outcome, Raised):  # known_differences/two_dtypes.yaml
        assert "should be the same" in outcome.message
        return
    assert isinstance(outcome, Output), outcome
    assert outcome.y.dtype == dtypes.output
    assert (outcome.y.astype(np.float64) == truth(geometry, operands)).all()


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in REQUESTED
        if base(name) not in WITHOUT_GRADIENTS
        and name != "torch-onnx"
        and "gradients" in REGISTRY[name].quantities
    ],
)
def test_gradients_are_exact_or_there_are_none(engines: Any, name: Any) -> None:
    """Of input, kernel and bias, for a cotangent of small integers; an adapter without them says
    so.
    """
    geometry = window(2, kernel=4, padding=1)
    operands = tensors(geometry, "float32", batch=items(name))
    cotangent = (
        np.random.RandomState(8).randint(-2, 3, truth(geometry, operands).shape).astype(np.float32)
    )
    engine, greeting = engines(name)
    outcome = engine.gradients(
        operands, cotangent, conventions.get(greeting.convention).native(geometry), "cpu"
    )
    if name.endswith("-conv-dx"):
        assert isinstance(outcome, Unsupported)
        return
    assert isinstance(outcome, Gradients), outcome
    for operand, due in gradient_truths(*operands, cotangent, geometry, "float32").items():
        got = getattr(outcome, operand)
        assert got.dtype == operands.x.dtype
        assert got.shape == due.y.shape
        assert (got == due.y).all()


WRONG_IN_GROUPS = (
    "tensorflow-without-onednn",
    "torch-compile-frozen-batch-norm",  # docs/findings.md, 41
    "torch-fuse-conv-bn",  # https://github.com/pytorch/pytorch/issues/180995
)
"""Rows that known failures say of that they refuse groups or fold them wrongly."""


@pytest.mark.parametrize(
    "name",
    [name for name in REQUESTED if base(name) in WITH_GROUPS and name not in WRONG_IN_GROUPS],
)
def test_groups_are_exact(engines: Any, name: Any) -> None:
    """Two groups of two channels: neither the groups nor the channels inside of them change
    places.
    """
    geometry = window(2, groups=2)
    operands = tensors(geometry, "float32", batch=items(name))
    assert_exact(ask(*engines(name), geometry, operands), geometry, operands)


@pytest.mark.skipif("jax" not in REQUESTED, reason="jax is not requested")
def test_jax_without_groups_says_so(engines: Any) -> None:
    """`jax.lax.conv_transpose` has no such argument: the adapter does not loop over groups."""
    geometry = window(2, groups=2)
    outcome = ask(*engines("jax"), geometry, tensors(geometry, "float32"))
    assert isinstance(outcome, Unsupported)
    assert "groups" in outcome.reason


@pytest.mark.parametrize("name", REQUESTED)
def test_nonsense_is_refused_and_the_engine_goes_on(engines: Any, name: Any) -> None:
    """A kernel for other channels than the input's: an exception, not a number; the next call is
    right.
    """
    engine, greeting = engines(name)
    geometry = window(2)
    operands = tensors(geometry, "float32", batch=items(name))
    if name != "onnx-reference":  # it has no checks of its own
        wrong = operands._replace(kernel=operands.kernel[:3])
        assert isinstance(ask(engine, greeting, geometry, wrong), Raised | Unsupported)
    assert_exact(ask(*engines(name), geometry, operands), geometry, operands)


@pytest.mark.skipif("torch-unbatched" not in REQUESTED, reason="torch-unbatched is not requested")
def test_an_unbatched_input_has_no_batch(engines: Any) -> None:
    """Of two items none is left out, and none is looped over."""
    geometry = window(2)
    outcome = ask(*engines("torch-unbatched"), geometry, tensors(geometry, "float32"))
    assert isinstance(outcome, Unsupported)
    assert "this case has 2 of them" in outcome.reason


@pytest.mark.skipif("torch" not in REQUESTED, reason="torch is not requested")
@pytest.mark.parametrize(
    ("memory", "strides"),
    [
        ("contiguous", (60, 20, 5, 1)),
        ("channels_last", (60, 1, 15, 3)),
        ("strided", (120, 40, 10, 2)),
    ],
)
def test_a_memory_layout_is_the_one_asked_for(memory: Any, strides: Any) -> None:
    """In a process of its own: the same numbers with the strides of the variant, which a later copy
    would have lost.
    """
    code = (
        "import torch; from conformance.adapters.torch import laid_out;"
        f"x = torch.arange(120.).reshape(2, 3, 4, 5); y = laid_out(x, {memory!r});"
        "print(y.stride(), torch.equal(x, y))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{strides} True"


@pytest.mark.skipif("jax" not in REQUESTED, reason="jax is not requested")
def test_what_jax_has_compiled_is_kept_for_the_next_process(tmp_path: Path) -> None:
    """The first process finds nothing, the second finds everything, and so does one to which the
    folder was carried.
    """
    found = []
    for name in ("one", "one", "carried"):
        folder = tmp_path / name
        if name == "carried":
            (tmp_path / "one").rename(folder)
        engine = Engine(
            Spec.of("jax", label="jax", python=sys.executable),
            timeout=120.0,
            environment={"CONFORMANCE_CACHE": str(folder)},
        )
        greeting = engine.start()
        assert isinstance(greeting, Greeting)
        outcome = ask(engine, greeting, window(2), tensors(window(2), "float32"))
        assert isinstance(outcome, Output)
        found.append(outcome.compiled)
        close_all([engine])
    first, *rest = found
    assert first["misses"] > 0
    assert first["hits"] == 0
    assert rest == [{"hits": first["misses"], "misses": 0}] * 2
