"""The JSON Schema for editors: it accepts what the reader accepts, and refuses what the reader
refuses for its form.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import conformance
from conformance import conventions
from conformance.corpus.argument_reader import GENERIC
from conformance.corpus.case import DTYPES, KINDS_OF_VALUES
from conformance.corpus.case_reader import KEYS, REQUIRED
from conformance.corpus.files import case_files, load_cases, shipped_cases
from conformance.corpus.strict_yaml import read
from conformance.errors import CaseFileError

SCHEMA = json.loads(
    (Path(conformance.__file__).parent / "schema" / "case.schema.json").read_text(encoding="utf-8")
)
CASE = SCHEMA["$defs"]["case"]
VALIDATOR = Draft202012Validator(SCHEMA)

BASE = {
    "id": "one",
    "summary": "One case.",
    "source": "made up",
    "input": "{shape: [1, 2, 3, 3], values: integers}",
    "kernel": "{shape: [2, 3, 2, 2], values: integers}",
}


def text_of(changes: dict[str, str | None]) -> str:
    """A file of one case, with keys changed, added or left out (None)."""
    merged = {key: value for key, value in {**BASE, **changes}.items() if value is not None}
    lines = [
        f"{'  - ' if not number else '    '}{key}: {value}"
        for number, (key, value) in enumerate(merged.items())
    ]
    return "\n".join(["format: 1", "cases:", *lines]) + "\n"


GOOD: list[dict[str, str | None]] = [
    {},
    {
        "stride": "2",
        "padding": "[[1, -1], [0, 2]]",
        "output_padding": "[1, 0]",
        "dilation": "[1, 1]",
        "groups": "2",
    },
    {"dtype": "{input: bfloat16, kernel: float16, output: float64}"},
    {"stride": "[2, 3]", "padding": "-1", "dtype": "bfloat16", "tags": "[network, slow]"},
    {"input": "[[1, 2.5], [.nan, -.inf]]", "kernel": "[[[[1]]]]", "bias": "[-0.0]"},
    {
        "spatial": "1",
        "input": "[1, 2]",
        "kernel": "[[[1]]]",
        "padding": "[[0, -1]]",
        "stride": "[2]",
    },
    {
        "spatial": "3",
        "input": "[[[1]]]",
        "kernel": "{shape: [1, 1, 2, 2, 2], values: wide, seed: 7}",
        "stride": "[1, 2, 3]",
    },
    {
        "input": "{shape: [3, 4], values: one-hot, index: [2, 1], put: [[[0, 0], .nan]]}",
        "kernel": "[[1]]",
    },
    {"bias": "{values: normal, seed: 4, put: [[[0], 1e-40]]}"},
    {"native": "{torch: {stride: 2, padding: [1, 0], output_padding: 1, output_size: [5, 7]}}"},
    {"native": "{keras: {strides: 2, padding: same, output_padding: null}}"},
    {"native": "{tensorflow: {strides: [2, 2], padding: [[0, 0], [1, 1], [1, 0], [0, 0]]}}"},
    {
        "native": (
            "{jax: {padding: [[1, 1], [1, 2]], transpose_kernel: true, "
            "use_consistent_padding: false}}"
        )
    },
    {"native": "{flax: {padding: VALID, kernel_dilation: 2}}"},
    {"native": "{onnx: {pads: [0, 0, 1, 1], auto_pad: NOTSET, group: 1}}"},
    {"native": "{onnx: {}}"},
    {"native": "{onnx: {kernel_shape: [2, 2]}}"},
    {"expected": "{shape: [1, 3, 4, 4], values: [1, 2]}"},
    {"expected": f"{{sha256: '{'0a' * 32}'}}"},
    {"expected": "{sum_abs: 1}"},
    {"stride": "0", "expected": "{error: true}"},
    {"gradients": "{values: wide, seed: 7}"},
    {"input": "[[1]]", "kernel": "[[1, 2]]", "gradients": "[[1, .nan]]"},
    {"input": "[[1]]", "kernel": "[[1, 2]]", "gradients": "[[[[1, 2]]]]"},
    {
        "gradients": "{values: ones}",
        "expected": (
            f"{{gradients: {{input: {{sum_abs: 1}}, kernel: {{sha256: '{'0a' * 32}'}}}}}}"
        ),
    },
    {
        "gradients": "{values: ones}",
        "bias": "[1, 2, 3]",
        "expected": "{gradients: {bias: {values: [16, 16, 16]}}}",
    },
]

BAD: list[dict[str, str | None]] = [
    *({key: None} for key in REQUIRED if key != "id"),
    {"strides": "2"},
    {"id": "5"},
    {"id": "' one'"},
    {"id": '"one\\n"'},
    {"id": '"a\\tb"'},
    {"summary": "''"},
    {"summary": "[a]"},
    {"source": "3"},
    {"source": ""},
    {"spatial": "4"},
    {"spatial": "true"},
    {"spatial": "'2'"},
    {"stride": "1.5"},
    {"stride": "true"},
    {"stride": "[1, 2, 3]"},
    {"stride": ""},
    {"spatial": "1", "input": "[1]", "kernel": "[1]", "stride": "[1, 2]"},
    {"spatial": "1"},
    {"spatial": "3"},
    {"dilation": "two"},
    {"output_padding": "-1"},
    {"output_padding": "[0, -1]"},
    {"output_padding": "[[0, 1], [0, 1]]"},
    {"padding": "same"},
    {"padding": "[[1, 2]]"},
    {"padding": "[[1, 2], 3]"},
    {"padding": "[[1, 2, 3], [1, 2, 3]]"},
    {"groups": "[1]"},
    {"dtype": "float8"},
    {"dtype": "{kernel: float8}"},
    {"dtype": "{weight: float16}"},
    {"tags": "slow"},
    {"tags": "[slow, 1]"},
    {"tags": "['']"},
    {"bias": "3"},
    {"bias": "[1, x, 2]"},
    {"bias": "{seed: 1}"},
    {"bias": "{shape: [3], values: ones}"},
    {"input": "7"},
    {"input": "[1, 2]"},
    {"input": "[[1, 2], 3]"},
    {"input": "[[1, x]]"},
    {"input": "[[1, true]]"},
    {"input": "{values: ones}"},
    {"input": "{shape: [1, 2, 3, 3]}"},
    {"input": "{shape: 3, values: ones}"},
    {"input": "{shape: [3, -1], values: ones}"},
    {"input": "{shape: [3, 3, 3], values: ones}"},
    {"kernel": "{shape: [2, 3, 2, 2], values: sevens}"},
    {"kernel": "{shape: [2, 3, 2, 2], values: ones, seed: -1}"},
    {"kernel": "{shape: [2, 3, 2, 2], values: ones, seed: 4294967296}"},
    {"kernel": "{shape: [2, 3, 2, 2], values: ones, speed: 1}"},
    {"kernel": "{shape: [2, 3, 2, 2], values: ones, index: [0, 0, 0, 0]}"},
    {"kernel": "{shape: [2, 3, 2, 2], values: one-hot, index: 1}"},
    {"kernel": "{shape: [2, 3, 2, 2], values: ones, put: 3}"},
    {"kernel": "{shape: [2, 3, 2, 2], values: ones, put: [[[0, 0, 0, 0]]]}"},
    {"kernel": "{shape: [2, 3, 2, 2], values: ones, put: [[[0, 0, 0, 0], x]]}"},
    {"native": "keras"},
    {"native": "{}"},
    {"native": "{keras: {}, torch: {}}"},
    {"native": "{caffe: {}}"},
    {"native": "{keras: 2}"},
    {"native": "{keras: {stride: 2}}"},
    {"native": "{keras: {padding: SAME}}"},
    {"native": "{torch: {padding: same}}"},
    {"native": "{torch: {padding: null}}"},
    {"native": "{tensorflow: {padding: [[0, 0], [1, 1, 1]]}}"},
    {"native": "{jax: {transpose_kernel: 1}}"},
    {"native": "{flax: {padding: CIRCULAR}}"},
    {"native": "{onnx: {pads: [1, 1]}}"},
    {"native": "{onnx: {kernel_shape: [2]}}"},
    {"native": "{torch: {}}", "stride": "2"},
    {"expected": "3"},
    {"expected": "{digest: 3}"},
    {"expected": "{shape: [1, 3, 4]}"},
    {"expected": "{shape: [1, 3, 4, 4.5]}"},
    {"expected": "{values: 3}"},
    {"expected": "{values: [1, [x]]}"},
    {"expected": "{sha256: '12'}"},
    {"expected": f"{{sha256: '{'G' * 64}'}}"},
    {"expected": "{sum_abs: much}"},
    {"expected": "{error: false}", "stride": "0"},
    {"gradients": "3"},
    {"gradients": "[1, 2]"},
    {"gradients": "[[1, x]]"},
    {"gradients": "{seed: 1}"},
    {"gradients": "{values: ones, shape: [1, 3, 4, 4]}"},
    {"gradients": "{values: ones}", "expected": "{gradients: [1]}"},
    {"gradients": "{values: ones}", "expected": "{gradients: {output: {sum_abs: 1}}}"},
    {"gradients": "{values: ones}", "expected": "{gradients: {input: {shape: [1]}}}"},
    {"gradients": "{values: ones}", "expected": "{gradients: {input: {sum_abs: much}}}"},
    {"expected": "{error: true, shape: [1, 3, 4, 4]}", "stride": "0"},
]

BAD_FILES = [
    "cases: []\n", "format: 1\n", "format: 2\ncases: []\n", "format: '1'\ncases: []\n",
    "format: true\ncases: []\n",
    "format: 1\ncases: {}\n", "format: 1\ncases: []\nmore: 1\n", "[1]\n", ("format: 1\ncases: "
        "[one]\n"),
]  # fmt: skip


def test_the_schema_is_one() -> None:
    """It is a schema of draft 2020-12, and refers to nothing outside of itself."""
    Draft202012Validator.check_schema(SCHEMA)
    references = [line for line in json.dumps(SCHEMA, indent=0).splitlines() if '"$ref"' in line]
    assert references
    assert all('"#/$defs/' in line for line in references)


def test_the_schema_has_the_keys_of_the_reader() -> None:
    """Keys, required keys, enumerations and native arguments are those that the code has."""
    assert set(CASE["properties"]) == set(KEYS)
    assert set(CASE["required"]) == set(REQUIRED)
    assert SCHEMA["$defs"]["dtype"]["enum"] == list(DTYPES)
    assert set(CASE["dependentSchemas"]["native"]["properties"]) == set(GENERIC)
    assert SCHEMA["$defs"]["recipe2"]["properties"]["values"]["enum"] == list(KINDS_OF_VALUES)
    for rank in (1, 2, 3):
        native = SCHEMA["$defs"][f"rank{rank}"]["properties"]["native"]["properties"]
        assert {name: set(entry["properties"]) for name, entry in native.items()} == {
            name: set(conventions.get(name).ARGUMENTS) for name in conventions.NAMES
        }


def test_every_key_of_a_case_is_described() -> None:
    """An editor has something to show for each key, if not a list of what it may be."""
    assert [
        key
        for key, entry in CASE["properties"].items()
        if not entry.keys() & {"description", "enum", "$ref"}
    ] == []


@pytest.mark.parametrize(
    "file", [file for file, _ in case_files([shipped_cases()])], ids=lambda file: file.stem
)
def test_every_shipped_case_file_validates(file: Path) -> None:
    """What ships is valid for an editor too."""
    assert [error.message for error in VALIDATOR.iter_errors(read(file).value())] == []


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_what_the_reader_accepts_validates(
    corpus: Callable[[str, str], Path], changes: dict[str, str | None]
) -> None:
    """Each form that may be written is valid in both."""
    file = corpus("a.yaml", text_of(changes))
    assert len(load_cases(file)) == 1
    assert [error.message for error in VALIDATOR.iter_errors(read(file).value())] == []


@pytest.mark.parametrize("changes", BAD, ids=str)
def test_what_the_reader_refuses_for_its_form_does_not_validate(
    corpus: Callable[[str, str], Path], changes: dict[str, str | None]
) -> None:
    """Each wrong form is refused by both, and by the schema in the key that is wrong or the case
    that lacks it.
    """
    file = corpus("a.yaml", text_of(changes))
    with pytest.raises(CaseFileError):
        load_cases(file)
    errors: list[Any] = list(VALIDATOR.iter_errors(read(file).value()))
    assert errors
    assert all(list(error.absolute_path)[:2] == ["cases", 0] for error in errors)


@pytest.mark.parametrize("text", BAD_FILES)
def test_a_file_of_another_form_does_not_validate(
    corpus: Callable[[str, str], Path], text: str
) -> None:
    """The frame of a file is checked by both."""
    file = corpus("a.yaml", text)
    with pytest.raises(CaseFileError):
        load_cases(file)
    assert not VALIDATOR.is_valid(read(file).value())
