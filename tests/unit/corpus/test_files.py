"""Case files: what is read, how cases are named, and that every mistake is told as `FILE:LINE: KEY:
wrong, right`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.corpus.case import ArrayLiteral, Case, Expected, Made
from conformance.corpus.files import case_files, corpus_root, load_cases, shipped_cases
from conformance.errors import CaseFileError
from conformance.geometry import Axis

Corpus = Callable[[str, str], Path]

# Line by line: the case stands in line 3, its summary in 4, source in 5, input in 6, kernel in 7,
# more from 8.
HEAD = """format: 1
cases:
  - id: one
    summary: One case.
    source: made up
    input: {shape: [1, 2, 3, 3], values: integers}
    kernel: {shape: [2, 3, 2, 2], values: integers}
"""
ARRAYS = (
    "    input: {shape: [1, 2, 3, 3], values: integers}\n",
    "    kernel: {shape: [2, 3, 2, 2], values: integers}\n",
)


def case_text(*more: str, without: str = "", input: str = "", kernel: str = "") -> str:
    """A file of one case: with more lines, without a key, with another input or kernel."""
    text = HEAD
    if input:
        text = text.replace(ARRAYS[0], f"    input: {input}\n")
    if kernel:
        text = text.replace(ARRAYS[1], f"    kernel: {kernel}\n")
    lines = [
        line
        for line in text.splitlines()
        if not (without and line.lstrip(" -").startswith(f"{without}:"))
    ]
    return "\n".join([*lines, *(f"    {line}" for line in more)]) + "\n"


def load(path: Path) -> Case:
    (case,) = load_cases(path)
    return case


def refused(path: Path, *others: Path) -> list[str]:
    """What is said of the file, without its path."""
    with pytest.raises(CaseFileError) as caught:
        load_cases([path, *others])
    return [line.removeprefix(f"{path}:") for line in caught.value.lines]


def test_a_minimal_case_has_the_documented_defaults(corpus: Corpus) -> None:
    """Two spatial axes, float32, stride 1, no padding, one group, no bias, no tags, nothing
    expected.
    """
    case = load(corpus("a.yaml", HEAD))
    assert case.geometry is not None
    assert case.geometry.axes == (Axis(size=3, kernel=2),) * 2
    assert (case.name, case.summary, case.source) == ("a/one", "One case.", "made up")
    assert (case.spatial, case.dtype, case.geometry.groups, case.tags) == (2, "float32", 1, ())
    assert (case.bias, case.native, case.must_fail, case.expected) == (None, None, False, None)
    assert case.input == Made(shape=(1, 2, 3, 3), values="integers", seed=1)
    assert case.kernel == Made(shape=(2, 3, 2, 2), values="integers", seed=2)


def test_every_key_is_read(corpus: Corpus) -> None:
    """What is written is what the case has."""
    text = case_text(
        "bias: {values: wide, seed: 9}",
        "stride: [2, 3]",
        "padding: [[1, 0], [-1, 2]]",
        "output_padding: [1, 0]",
        "dilation: 2",
        "groups: 2",
        "dtype: bfloat16",
        "tags: [network, slow]",
        "expected: {shape: [1, 6, 7, 8], sum_abs: 3}",
    )
    case = load(corpus("a.yaml", text))
    assert case.geometry is not None
    assert case.geometry.axes == (
        Axis(size=3, kernel=2, stride=2, dilation=2, crop_low=1, crop_high=-1),
        Axis(size=3, kernel=2, stride=3, dilation=2, crop_low=-1, crop_high=2),
    )
    assert case.bias == Made(shape=(6,), values="wide", seed=9)
    assert (case.geometry.groups, case.dtype, case.tags) == (2, "bfloat16", ("network", "slow"))
    assert case.expected == Expected(shape=(1, 6, 7, 8), sum_abs=3.0)


@pytest.mark.parametrize(
    ("written", "output", "others"),
    [
        ("{input: bfloat16}", "float32", {"input": "bfloat16"}),
        ("{output: float16, bias: float32}", "float16", {"bias": "float32"}),
        ("{input: float32, output: float64}", "float64", {"input": "float32"}),
        ("{input: float16, kernel: float16, bias: float16, output: float16}", "float16", {}),
        ("{}", "float32", {}),
    ],
)
def test_each_operand_may_have_its_dtype(
    corpus: Corpus, written: str, output: str, others: dict[str, str]
) -> None:
    """What is left out has the output's, and the output's is float32 unless it is said."""
    case = load(corpus("a.yaml", case_text("bias: {values: ones}", f"dtype: {written}")))
    assert (case.dtype, case.other_dtypes) == (output, others)
    assert [case.dtype_of(key) for key in ("input", "kernel", "bias")] == [
        others.get(key, output) for key in ("input", "kernel", "bias")
    ]


@pytest.mark.parametrize(
    ("padding", "crops"),
    [
        ("1", ((1, 1), (1, 1))),
        ("[1, 2]", ((1, 1), (2, 2))),
        ("[[1, 2], [0, -1]]", ((1, 2), (0, -1))),
        ("-1", ((-1, -1), (-1, -1))),
    ],
)
def test_padding_is_a_number_one_per_axis_or_pairs(
    corpus: Corpus, padding: str, crops: object
) -> None:
    """All three forms of padding are read, of both signs."""
    case = load(
        corpus(
            "a.yaml", case_text(f"padding: {padding}", input="{shape: [1, 2, 5, 5], values: ones}")
        )
    )
    assert case.geometry is not None
    assert case.geometry.crops == crops


@pytest.mark.parametrize(
    ("spatial", "input", "kernel", "x", "w"),
    [
        (1, "[1, 2]", "[3]", (1, 1, 2), (1, 1, 1)),
        (2, "[[1, 2, 3]]", "[[1], [2]]", (1, 1, 1, 3), (1, 1, 2, 1)),
        (3, "[[[1]], [[2]]]", "[[[1, 2]]]", (1, 1, 2, 1, 1), (1, 1, 1, 1, 2)),
        (1, "[[[1, 2], [3, 4]]]", "[[[3]], [[4]]]", (1, 2, 2), (2, 1, 1)),
        (
            2,
            "{shape: [4, 5], values: ones}",
            "{shape: [2, 3], values: ones}",
            (1, 1, 4, 5),
            (1, 1, 2, 3),
        ),
    ],
)
def test_spatial_axes_alone_are_one_channel(
    corpus: Corpus, spatial: int, input: str, kernel: str, x: tuple[int, ...], w: tuple[int, ...]
) -> None:
    """An array written with its spatial axes alone has batch and channels 1."""
    case = load(corpus("a.yaml", case_text(f"spatial: {spatial}", input=input, kernel=kernel)))
    assert (case.input.shape, case.kernel.shape) == (x, w)


def test_written_numbers_are_kept_in_c_order(corpus: Corpus) -> None:
    """Numbers keep their order, infinities and the sign of zero."""
    case = load(
        corpus(
            "a.yaml",
            case_text("bias: [-0.0]", input="[[1, 2.5], [-.inf, .nan]]", kernel="[[1e-40]]"),
        )
    )
    assert isinstance(case.input, ArrayLiteral)
    assert isinstance(case.bias, ArrayLiteral)
    assert case.input.numbers[:3] == (1.0, 2.5, -math.inf)
    assert math.isnan(case.input.numbers[3])
    assert math.copysign(1, case.bias.numbers[0]) == -1


def test_put_and_index_may_leave_out_what_the_shape_left_out(corpus: Corpus) -> None:
    """Indices are full, or spatial where the shape is; both give full indices."""
    text = case_text(
        input=(
            "{shape: [3, 4], values: one-hot, index: [2, 1], put: [[[0, 0], .nan], [[0, 0, 1, "
            "3], -0.0]]}"
        ),
        kernel="{shape: [1, 2, 2, 2], values: ones}",
    )
    case = load(corpus("a.yaml", text))
    assert isinstance(case.input, Made)
    assert case.input.index == (0, 0, 2, 1)
    assert [index for index, _ in case.input.put] == [(0, 0, 0, 0), (0, 0, 1, 3)]
    assert math.isnan(case.input.put[0][1])
    assert math.copysign(1, case.input.put[1][1]) == -1


def test_native_arguments_give_the_geometry_they_stand_for(corpus: Corpus) -> None:
    """A native case keeps its arguments, one per axis, and has their window."""
    case = load(corpus("a.yaml", case_text("native: {keras: {strides: 2, padding: same}}")))
    assert case.native == (
        "keras",
        {"strides": [2, 2], "padding": "same", "output_padding": None, "dilation_rate": [1, 1]},
    )
    assert case.geometry is not None
    assert case.geometry.out == (6, 6)


def test_native_groups_decide_the_number_of_biases(corpus: Corpus) -> None:
    """A recipe for the bias has one number per output channel of all native groups."""
    case = load(corpus("a.yaml", case_text("bias: {values: ones}", "native: {torch: {groups: 2}}")))
    assert case.bias is not None
    assert case.bias.shape == (6,)


@pytest.mark.parametrize(
    "more", ["stride: 0", "padding: 9", "groups: 3", "bias: [1]", "dilation: -1"]
)
def test_error_cases_may_have_arguments_that_make_no_sense(corpus: Corpus, more: str) -> None:
    """With `error: true` what makes no sense is the point, and keeps its geometry."""
    case = load(corpus("a.yaml", case_text(more, "expected: {error: true}")))
    assert case.must_fail
    assert case.geometry is not None
    assert case.problems()


def test_a_native_error_case_has_no_geometry(corpus: Corpus) -> None:
    """A framework's own rule is not translated: its arguments have no window."""
    case = load(
        corpus(
            "a.yaml",
            case_text(
                "native: {keras: {strides: 2, output_padding: 5}}", "expected: {error: true}"
            ),
        )
    )
    assert case.must_fail
    assert case.geometry is None
    assert case.native is not None


def test_the_kernels_own_sizes_may_be_said_again(corpus: Corpus) -> None:
    """ONNX's kernel_shape is kept, one per axis, and changes no window; another one than the
    kernel's is for a case that must be refused.
    """
    plain, said = (
        load(corpus(f"{name}.yaml", case_text(f"native: {{onnx: {{strides: 2{more}}}}}")))
        for name, more in (("plain", ""), ("said", ", kernel_shape: 2"))
    )
    assert said.native is not None
    assert said.native[1]["kernel_shape"] == [2, 2]
    assert said.geometry == plain.geometry
    wrong = case_text("native: {onnx: {kernel_shape: [3, 2]}}", "expected: {error: true}")
    refusal = load(corpus("refusal.yaml", wrong))
    assert refusal.geometry is None
    assert refusal.arguments("onnx") == {
        "strides": [1, 1],
        "dilations": [1, 1],
        "group": 1,
        "output_padding": [0, 0],
        "kernel_shape": [3, 2],
    }


def test_a_generic_error_case_that_has_an_output_is_refused(corpus: Corpus) -> None:
    """What the oracle would not refuse no engine has to."""
    (line,) = refused(corpus("a.yaml", case_text("stride: 2", "expected: {error: true}")))
    assert line.startswith(
        "9: expected.error: is true, but these arguments have an output, should be"
    )


@pytest.mark.parametrize("size", ["[1, 0, 3, 3]", "[0, 2, 3, 3]"])
def test_zero_sizes_are_read(corpus: Corpus, size: str) -> None:
    """An array may have no elements."""
    channels = size[4]
    text = case_text(
        input=f"{{shape: {size}, values: ones}}",
        kernel=f"{{shape: [{channels}, 1, 2, 2], values: ones}}",
    )
    assert 0 in load(corpus("a.yaml", text)).input.shape


FORM = [
    # (what replaces or follows in the case, LINE: KEY: how the message begins)
    (case_text(without="summary"), "3: summary: missing, should be given"),
    (case_text(without="source"), "3: source: missing, should be given"),
    (case_text(without="input"), "3: input: missing, should be given"),
    (case_text(without="kernel"), "3: kernel: missing, should be given"),
    (case_text(without="format"), "1: format: missing, should be 1"),
    (HEAD.replace("id: one", "id: 5"), "3: id: is 5, should be text"),
    (
        HEAD.replace("id: one", "id: ' one'"),
        "3: id: is ' one', should be printable text without blanks around it",
    ),
    (
        HEAD.replace("id: one", 'id: "a\\nb"'),
        "3: id: is 'a\\nb', should be printable text without blanks around it",
    ),
    (HEAD.replace("One case.", "[a]"), "4: summary: is ['a'], should be text"),
    (HEAD.replace("made up", "''"), "5: source: is '', should be text"),
    (
        case_text("strides: 2"),
        "8: strides: unknown key, did you mean stride? (should be one of id, summary",
    ),
    (
        case_text("stride: 2", "stride: 3"),
        "9: stride: duplicate key, first given in line 8, should stand once",
    ),
    (case_text("spatial: 4"), "8: spatial: is 4, should be 1, 2 or 3"),
    (case_text("spatial: true"), "8: spatial: is True, should be 1, 2 or 3"),
    (case_text("stride: 1.5"), "8: stride: is 1.5, should be a whole number or 2 of them"),
    (
        case_text("stride: [1, 2, 3]"),
        "8: stride: has 3 numbers, should have one per spatial axis: 2",
    ),
    (case_text("stride: '2'"), "8: stride: is '2', should be a whole number or 2 of them"),
    (case_text("stride:"), "8: stride: is None, should be a whole number or 2 of them"),
    (case_text("dilation: yes"), "8: dilation: is 'yes', should be a whole number or 2 of them"),
    (
        case_text("output_padding: true"),
        "8: output_padding: is True, should be a whole number or 2 of them",
    ),
    (
        case_text("output_padding: -1"),
        "8: output_padding: is [-1, -1], should not be negative (padding may be)",
    ),
    (
        case_text("padding: same"),
        (
            "8: padding: is 'same', should be a whole number, or per spatial axis a number or "
            "[low, "
            "high]"
        ),
    ),
    (
        case_text("padding: [[1, 2]]"),
        "8: padding: has 1 entry, should have one per spatial axis: 2",
    ),
    (
        case_text("padding: [[1, 2, 3], [1, 2, 3]]"),
        "8: padding: is [[1, 2, 3], [1, 2, 3]], should be",
    ),
    (case_text("padding: [[1, 2], 3]"), "8: padding: is [[1, 2], 3], should be"),
    (case_text("groups: [1]"), "8: groups: is [1], should be a whole number"),
    (
        case_text("dtype: float8"),
        "8: dtype: is 'float8', "
        "did you mean float64, float32 or float16? (should be one of float32, "
        "float64, float16, bfloat16",
    ),
    (case_text("dtype: [float32]"), "8: dtype: is ['float32'], should be one of"),
    (
        case_text("dtype: {kernel: float16, weight: float32}"),
        "8: dtype.weight: unknown key, should be one of input, kernel, bias, output",
    ),
    (
        case_text("dtype:", "  output: float8"),
        "9: dtype.output: is 'float8', "
        "did you mean float64, float32 or float16? (should be one of float32, "
        "float64, float16, bfloat16",
    ),
    (
        case_text("dtype: {bias: float64}"),
        "8: dtype.bias: stands in a case without a bias, should be left out",
    ),
    (
        case_text("dtype: {kernel: float64}", "gradients: {values: ones}"),
        (
            "9: gradients: stands beside operands of two dtypes, should be left out: the output "
            "alone is asked for there"
        ),
    ),
    (case_text("tags: slow"), "8: tags: is 'slow', should be a list of words"),
    (case_text("tags: [slow, 1]"), "8: tags: is ['slow', 1], should be a list of words"),
    (
        case_text("bias: 3"),
        (
            "8: bias: is 3, should be a list of numbers, one per output channel, or a mapping with "
            "values"
        ),
    ),
    (case_text("bias: [1, x, 2]"), "8: bias: is [1, 'x', 2], should be a list of numbers"),
    (case_text("bias:", "  seed: 1"), "8: bias.values: missing, should be one of integers"),
    (
        case_text("bias:", "  shape: [3]", "  values: ones"),
        "9: bias.shape: unknown key, should be one of values, seed, index, put",
    ),
    (
        case_text(input="7"),
        "6: input: should be nested numbers, or a mapping with shape and values",
    ),
    (
        case_text(input="[1, 2]"),
        "6: input: has 1 axis, should have 4, or 2 (the spatial ones alone)",
    ),
    (
        case_text(input="[[1, 2], [3]]"),
        "6: input: is ragged, should be nested lists of shape [2, 2], as its first entries are",
    ),
    (case_text(input="[[1, 2], 3]"), "6: input: is ragged"),
    (case_text(input="[[1, x]]"), "6: input: has 'x', should have numbers alone"),
    (case_text(input="[[1, true]]"), "6: input: has True, should have numbers alone"),
    (case_text(input=f"[[1, {10**350}]]"), "6: input: has 1000"),
    (
        case_text(input="{values: ones}"),
        "6: input.shape: missing, should be all axes or the spatial ones alone",
    ),
    (
        case_text(input="{shape: [1, 2, 3, 3]}"),
        "6: input.values: missing, should be one of integers, signs, wide, normal, ones, arange, "
        "one-hot",
    ),
    (
        case_text(input="{shape: 3, values: ones}"),
        "6: input.shape: is 3, should be a list of whole numbers",
    ),
    (
        case_text(input="{shape: [3, -1], values: ones}"),
        "6: input.shape: is [3, -1], should be a list of whole numbers",
    ),
    (
        case_text(input="{shape: [3, 3, 3], values: ones}"),
        "6: input.shape: has 3 axes, should have 4, or 2 (the spatial ones alone)",
    ),
    (
        case_text(kernel="{shape: [2, 3, 2, 2], values: sevens}"),
        "7: kernel.values: is 'sevens', should be one of integers",
    ),
    (
        case_text(kernel="{shape: [2, 3, 2, 2], values: ones, seed: -1}"),
        "7: kernel.seed: is -1, should be a whole number of at least 0",
    ),
    (
        case_text(kernel="{shape: [2, 3, 2, 2], values: ones, seed: 4294967296}"),
        "7: kernel.seed: is 4294967296, should be below 2^32",
    ),
    (
        case_text(kernel="{shape: [2, 3, 2, 2], values: ones, speed: 1}"),
        "7: kernel.speed: unknown key, did you mean seed or shape? (should be one of shape, values",
    ),
    (
        case_text(input="{shape: [1, 2, 3, 3], values: ones, index: [0, 0, 0, 0]}"),
        "6: input.index: stands beside values: ones, should be left out",
    ),
    (
        case_text(input="{shape: [1, 2, 3, 3], values: one-hot, index: [0, 0, 3, 0]}"),
        "6: input.index: index [0, 0, 3, 0] is outside of shape [1, 2, 3, 3]",
    ),
    (
        case_text(input="{shape: [1, 2, 3, 3], values: one-hot, index: [0, 0]}"),
        "6: input.index: index [0, 0] is outside of shape",
    ),
    (
        case_text(input="{shape: [1, 2, 3, 3], values: one-hot, index: [0, 0, 0, -1]}"),
        "6: input.index: index [0, 0, 0, -1] is outside of shape",
    ),
    (
        case_text(input="{shape: [1, 2, 3, 3], values: one-hot, index: 1}"),
        "6: input.index: index 1, should be whole numbers, one per axis",
    ),
    (
        case_text(input="{shape: [1, 2, 0, 3], values: one-hot}"),
        "6: input.values: is one-hot, should be another for an array of shape [1, 2, 0, 3]",
    ),
    (
        case_text(input="{shape: [1, 2, 3, 3], values: ones, put: 3}"),
        "6: input.put: should be a list of [index, number]",
    ),
    (
        case_text(input="{shape: [1, 2, 3, 3], values: ones, put: [[0, 0, 0, 0]]}"),
        "6: input.put: is [0, 0, 0, 0], should be [index, number]",
    ),
    (
        case_text(input="{shape: [1, 2, 3, 3], values: ones, put: [[[0, 0, 0, 0], x]]}"),
        "6: input.put: is [[0, 0, 0, 0], 'x'], should be [index, number]",
    ),
    (
        case_text(input="{shape: [1, 2, 3, 3], values: ones, put: [[[0, 9, 0, 0], 1]]}"),
        "6: input.put: index [0, 9, 0, 0] is outside",
    ),
    (
        case_text("native: keras"),
        (
            "8: native: should be one framework with its arguments, as in {keras: {strides: 2, "
            "padding: same}}"
        ),
    ),
    (
        case_text("native: {keras: {}, torch: {}}"),
        "8: native: should be one framework with its arguments",
    ),
    (
        case_text("native: {caffe: {}}"),
        "8: native.caffe: unknown key, should be one of torch, keras",
    ),
    (
        case_text("native:", "  keras: 2"),
        "9: native.keras: should be a mapping of keras's own arguments",
    ),
    (
        case_text("native:", "  keras:", "    strides: 2", "    stride: 2"),
        "11: native.keras.stride: unknown argument, "
        "did you mean strides? (should be one of strides",
    ),
    (
        case_text("native:", "  keras:", "    padding: 3"),
        "10: native.keras.padding: is 3, should be one of valid, same",
    ),
    (
        case_text("native: {torch: {stride: 2}}", "stride: 2"),
        "9: stride: stands beside native, should be left out: native replaces it",
    ),
    (
        case_text("expected: 3"),
        (
            "8: expected: should be a mapping with shape and values, sha256 or sum_abs, or {error: "
            "true}"
        ),
    ),
    (
        case_text("expected:", "  digest: 3"),
        "9: expected.digest: unknown key, should be one of shape, values",
    ),
    (
        case_text("expected:", "  shape: [1, 3, 4]"),
        "9: expected.shape: is [1, 3, 4], should be the 4 whole numbers (N, C_out, *out)",
    ),
    (case_text("expected:", "  values: 3"), "9: expected.values: should be nested numbers"),
    (case_text("expected:", "  values: [1, [x]]"), "9: expected.values: should be nested numbers"),
    (
        case_text("expected:", "  sha256: '12'"),
        "9: expected.sha256: is '12', should be 64 hexadecimal digits in quotes",
    ),
    (case_text("expected:", f"  sha256: '{'G' * 64}'"), "9: expected.sha256: is 'GGG"),
    (case_text("expected:", f"  sha256: {'1' * 64}"), "9: expected.sha256: is 1111"),
    (
        case_text("expected:", "  sum_abs: much"),
        "9: expected.sum_abs: is 'much', should be a number",
    ),
    (
        case_text("stride: 0", "expected:", "  error: 1"),
        "10: expected.error: is 1, should be true or left out",
    ),
    (
        case_text("stride: 0", "expected:", "  shape: [1, 3, 4, 4]", "  error: true"),
        "10: expected.shape: stands beside error: true, should be left out",
    ),
    (
        case_text("gradients: 3"),
        "8: gradients: is 3, should be nested numbers of the output's shape [1, 3, 4, 4], or a",
    ),
    (
        case_text("gradients: [[1, 2], [3, 4]]"),
        "8: gradients: is of shape [1, 1, 2, 2], should be of the output's shape [1, 3, 4, 4]",
    ),
    (
        case_text("gradients: [1, 2]"),
        "8: gradients: has 1 axis, should have 4, or 2 (the spatial ones alone)",
    ),
    (
        case_text("gradients: [[1, 2], [3]]"),
        "8: gradients: is ragged, should be nested lists of shape [2, 2]",
    ),
    (
        case_text("expected:", "  gradients: {input: {sum_abs: 1}}"),
        "9: expected.gradients: stands in a case without a cotangent (gradients), should be left",
    ),
    (
        case_text(
            "gradients: {values: ones}", "expected:", "  gradients:", "    bias: {sum_abs: 1}"
        ),
        "11: expected.gradients.bias: stands in a case without a bias, should be left out",
    ),
    (
        case_text("gradients: {values: ones}", "expected:", "  gradients: [1]"),
        "10: expected.gradients: should be a mapping of input, kernel and bias",
    ),
    (
        case_text("gradients: {values: ones}", "expected:", "  gradients: {input: [1]}"),
        "10: expected.gradients.input: should be a mapping with values, sha256 or sum_abs",
    ),
    (
        case_text("gradients: {values: ones}", "expected:", "  gradients: {output: {sum_abs: 1}}"),
        "10: expected.gradients.output: unknown key, should be one of input, kernel, bias",
    ),
    (
        case_text("gradients: {values: ones}", "expected:", "  gradients: {input: {sha256: '12'}}"),
        "10: expected.gradients.input.sha256: is '12', should be 64 hexadecimal digits in quotes",
    ),
    ("cases: []\n", "1: format: missing, should be 1"),
    ("format: 1\n", "1: cases: missing, should be a list of cases"),
    ("format: 2\ncases: []\n", "1: format: is 2, should be 1"),
    ("format: 1\ncases: {}\n", "2: cases: is not a list, should be a list of cases"),
    ("format: 1\ncases: []\nmore: 1\n", "3: more: unknown key, should be one of format, cases"),
    ("[1]\n", "1: (file): is not a mapping, should have the keys format and cases"),
    (
        "format: 1\ncases:\n  - one\n",
        (
            "3: cases: is not a mapping, should be a case with the keys id, summary, source, "
            "input, kernel"
        ),
    ),
]

SENSE = [
    (case_text("stride: [0, 1]"), "8: stride: 0 on axis 0, should be at least 1"),
    (case_text("groups: 3"), "8: groups: 3 groups of 2 input channels, should divide them"),
    (case_text("groups: -1"), "8: groups: -1, should be at least 1"),
    (
        case_text("padding: [0, 2]"),
        (
            "8: padding: the output has 0 elements on axis 1, should have at least 1: 2 and 2 "
            "are cropped from a full output of 4"
        ),
    ),
    (
        case_text("bias: [1, 2]"),
        "8: bias: has shape [2], should have one number per output channel: 3",
    ),
    (
        case_text(kernel="{shape: [3, 3, 2, 2], values: ones}"),
        "7: kernel: its first axis has 3 channels, should have the input's 2",
    ),
    (
        case_text(kernel="{shape: [2, 3, 0, 2], values: ones}"),
        "7: kernel: size 0 on axis 0, should be at least 1",
    ),
    (
        case_text("native:", "  torch:", "    padding: [2, 0]"),
        "9: native.torch: the output has 0 elements on axis 0",
    ),
    (
        case_text("native:", "  onnx:", "    strides: 2", "    kernel_shape: [2, 3]"),
        "11: native.onnx.kernel_shape: is [2, 3], should be the kernel's own sizes [2, 2]",
    ),
]


@pytest.mark.parametrize(("text", "beginning"), [*FORM, *SENSE])
def test_a_mistake_is_told_once_with_its_line_and_key(
    corpus: Corpus, text: str, beginning: str
) -> None:
    """One mistake is one problem: FILE:LINE: KEY: what is wrong, what would be right."""
    (told,) = refused(corpus("a.yaml", text))
    assert told.startswith(beginning)
    assert "should" in told


def test_a_native_value_that_divides_by_zero_is_told(corpus: Corpus) -> None:
    """Native arguments that have no window are a mistake, unless the case is an error case."""
    assert refused(corpus("a.yaml", case_text("native: {keras: {strides: 0, padding: same}}")))


def test_every_mistake_of_every_file_is_told_at_once(corpus: Corpus) -> None:
    """Nothing has to be mended before the next mistake is seen."""
    one = corpus("one.yaml", case_text("stride: x", "groups: x", "speed: 1"))
    two = corpus("two.yaml", "[")
    told = refused(one, two)
    assert [line.split(": ")[1] for line in told] == ["speed", "stride", "groups", "(YAML)"]
    assert told[-1].startswith(f"{two}:")


def test_ids_are_unique_in_their_file(corpus: Corpus) -> None:
    """A second case of the same id is told with the line of the first."""
    text = HEAD + "\n".join(HEAD.splitlines()[2:]) + "\n"
    assert refused(corpus("a.yaml", text)) == [
        "8: id: one is the id of the case in line 3 already, should be unique in its file"
    ]


def test_full_names_are_unique_across_files(corpus: Corpus) -> None:
    """Two files of one stem in one corpus cannot both have the name."""
    yaml, yml = corpus("a.yaml", HEAD), corpus("a.yml", HEAD)
    (line,) = refused(yml, yaml)
    assert line == f"{yaml}:3: id: full name a/one is taken by {yml}:3, should be unique"


def test_cases_of_different_roots_may_collide(tmp_path: Path) -> None:
    """Roots are found per file, so that two corpora with a file of one name collide and it is
    told.
    """
    for name in ("left", "right"):
        (tmp_path / name / "cases").mkdir(parents=True)
        (tmp_path / name / "cases" / "a.yaml").write_text(HEAD)
    with pytest.raises(CaseFileError, match="full name a/one is taken"):
        load_cases([tmp_path / "left", tmp_path / "right"])


def test_one_file_given_twice_is_read_once(corpus: Corpus) -> None:
    """A file that is reached by two paths has its cases once."""
    file = corpus("folder/a.yaml", HEAD)
    assert len(load_cases([file, file.parent, file.parent.parent])) == 1


@pytest.mark.parametrize("given", ["cases/folder/sub/a.yaml", "cases/folder", "cases", "."])
def test_names_begin_below_the_nearest_folder_named_cases(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """The full name is the same however the file is reached."""
    corpus("folder/sub/a.yaml", HEAD)
    monkeypatch.chdir(tmp_path)
    assert [case.name for case in load_cases(given)] == ["folder/sub/a/one"]


@pytest.mark.parametrize(
    ("given", "name"), [("root", "sub/a/one"), ("root/sub", "a/one"), ("root/sub/a.yaml", "a/one")]
)
def test_without_such_a_folder_names_begin_below_what_was_given(
    tmp_path: Path, given: str, name: str
) -> None:
    """The root is the folder given, or the file's own."""
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "root" / "sub" / "a.yaml").write_text(HEAD)
    assert [case.name for case in load_cases(tmp_path / given)] == [name]


def test_the_nearest_of_two_folders_named_cases_is_the_root(tmp_path: Path) -> None:
    """A corpus inside of a corpus is a corpus of its own."""
    file = tmp_path / "cases" / "deep" / "cases" / "a.yaml"
    assert corpus_root(file, tmp_path) == (tmp_path / "cases" / "deep" / "cases").resolve()


def test_known_differences_hold_no_cases(corpus: Corpus) -> None:
    """A folder of that name is not searched, wherever it is and also when it is what was given."""
    file = corpus("a.yaml", HEAD)
    left_out = corpus("known_differences/b.yaml", "- not: a case file\n")
    corpus("deep/known_differences/sub/c.yaml", "- not: a case file\n")
    assert [path for path, _ in case_files([file.parent])] == [file]
    assert case_files([left_out.parent]) == []


def test_folders_are_searched_in_order_for_both_endings(corpus: Corpus) -> None:
    """Files are read in the order of their paths; others than .yaml and .yml are not looked at."""
    for name in ("b/x.yml", "a/y.yaml", "c.yaml"):
        corpus(name, HEAD)
    corpus("notes.txt", "[")
    root = corpus("README.md", "[").parent
    assert [case.name for case in load_cases(root)] == ["a/y/one", "b/x/one", "c/one"]


def test_a_path_that_does_not_exist_is_told(tmp_path: Path) -> None:
    """Its absence is a problem in the same form."""
    assert refused(tmp_path / "none") == [
        "1: (file): does not exist, should be a case file or a folder of them"
    ]


def test_an_empty_list_of_cases_is_no_mistake(corpus: Corpus) -> None:
    """A file may hold no case."""
    assert load_cases(corpus("a.yaml", "format: 1\ncases: []\n")) == []


def test_a_case_knows_the_lines_of_its_keys(corpus: Corpus) -> None:
    """Later messages about a key can name its line, nested keys too."""
    file = corpus("a.yaml", case_text("expected:", "  shape: [1, 3, 4, 4]", "  sum_abs: 1"))
    place = load(file).location
    assert [place.at(key) for key in ("", "input.values", "expected.sum_abs", "bias")] == [
        f"{file}:3", f"{file}:6", f"{file}:10", f"{file}:3",
    ]  # fmt: skip


def test_the_shipped_corpus_loads() -> None:
    """The cases that come with the package are readable, and there are some."""
    names = [case.name for case in load_cases(shipped_cases())]
    assert names
    assert len(set(names)) == len(names)
