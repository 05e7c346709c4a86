"""Arrays of cases that lie in a safetensors file: strictly read, inside the folder, by digest."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from conformance.corpus.files import load_cases
from conformance.corpus.tensors import tensors_of
from conformance.corpus.truths import Truths
from conformance.errors import CaseFileError
from conformance.record.case_line import case_from, case_line, corpus_digest

KERNEL = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
TEXT = """format: 1
cases:
  - id: one
    summary: One case.
    source: made up
    input: {shape: [1, 2, 3, 3], values: integers}
    kernel: {file: %s, tensor: up.weight}
"""


@pytest.fixture
def case_file(corpus: Callable[[str, str], Path]) -> Callable[..., Path]:
    """Writes a case whose kernel is in a file, and the file of these tensors."""

    def write(name: str = "a.safetensors", **tensors: Any) -> Path:
        path = corpus("a.yaml", TEXT % name)
        save_file(tensors or {"up.weight": KERNEL}, path.parent / "a.safetensors")
        return path

    return write


def refused(path: Path) -> str:
    with pytest.raises(CaseFileError) as caught:
        load_cases(path)
    (line,) = caught.value.lines
    assert line.startswith(f"{path}:7: kernel.")
    return line.partition("kernel.")[2]


def test_a_kernel_is_read_from_the_file(case_file: Any) -> None:
    """Its shape and its numbers are the tensor's."""
    (case,) = load_cases(case_file())
    assert case.kernel.shape == (2, 3, 2, 2)
    np.testing.assert_array_equal(tensors_of(case).kernel, KERNEL)


def test_a_bias_is_read_from_the_file(corpus: Any) -> None:
    """It has one axis."""
    path = corpus("a.yaml", TEXT % "a.safetensors" + "    bias: {file: a.safetensors, tensor: b}\n")
    save_file({"up.weight": KERNEL, "b": np.ones(3, np.float32)}, path.parent / "a.safetensors")
    (case,) = load_cases(path)
    np.testing.assert_array_equal(tensors_of(case).bias, np.ones(3))


def test_bfloat16_is_read(case_file: Any) -> None:
    """A dtype that NumPy itself has not."""
    (case,) = load_cases(case_file(**{"up.weight": KERNEL.astype(ml_dtypes.bfloat16)}))
    np.testing.assert_array_equal(tensors_of(case).kernel, KERNEL)


def test_other_numbers_are_another_corpus(case_file: Any) -> None:
    """The digest of the corpus, which resuming and truths that are kept depend on, sees them."""
    (before,) = load_cases(case_file())
    changed = KERNEL.copy()
    changed[1, 2, 1, 1] += 1
    path = case_file(**{"up.weight": changed})
    os.utime(path.parent / "a.safetensors", ns=(1, 1))
    (after,) = load_cases(path)
    assert corpus_digest([before], []) != corpus_digest([after], [])
    assert repr(before.kernel) != repr(after.kernel)


def test_a_file_that_changes_after_loading_is_noticed(case_file: Any) -> None:
    """What the record says was computed is what was computed."""
    path = case_file()
    (case,) = load_cases(path)
    save_file({"up.weight": KERNEL + 1}, path.parent / "a.safetensors")
    with pytest.raises(ValueError, match="has changed since it was loaded"):
        tensors_of(case)


def test_the_record_keeps_the_name_and_the_digest(case_file: Any) -> None:
    """Not the folder; a case of a record has the same kernel."""
    (case,) = load_cases(case_file())
    line = json.loads(json.dumps(case_line(case, Truths())))
    assert line["kernel"]["make"] == {
        "shape": [2, 3, 2, 2],
        "file": "a.safetensors",
        "tensor": "up.weight",
        "sha256": case.kernel.sha256,
    }
    assert case_from(line).kernel == case.kernel


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../a.safetensors", "should be a path inside the folder"),
        ("/etc/passwd.safetensors", "should be a path inside the folder"),
        ("link.safetensors", "which is a link"),
        ("folder/a.safetensors", "which is a link"),
        ("none.safetensors", "which is not a file"),
        ("a.npy", "should be a file that ends in .safetensors"),
    ],
)
def test_only_files_of_the_folder_are_read(case_file: Any, name: str, why: str) -> None:
    """No way up, no link, neither of the file nor of a folder."""
    path = case_file(name)
    (path.parent / "link.safetensors").symlink_to(path.parent / "a.safetensors")
    (path.parent / "folder").symlink_to(path.parent)
    assert why in refused(path)


def test_a_tensor_that_is_not_there_is_told(case_file: Any) -> None:
    """With the names that are."""
    assert "has no tensor 'up.weight', should be one of other" in refused(case_file(other=KERNEL))


def test_whole_numbers_are_no_array_of_a_case(case_file: Any) -> None:
    """Cases have the dtypes of the engines' operands."""
    assert "is of I32" in refused(case_file(**{"up.weight": KERNEL.astype(np.int32)}))


def test_a_kernel_needs_all_its_axes(case_file: Any) -> None:
    """A file says the shape itself."""
    assert "has 2 axes, should have 4" in refused(case_file(**{"up.weight": KERNEL[0, 0]}))


HEADERS = {
    "billions": {"up.weight": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}},
    "overflow": {"up.weight": {"dtype": "F32", "shape": [2**62, 8], "data_offsets": [0, 0]}},
    "short": {"up.weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
    "hole": {"up.weight": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}},
    "dtype": {"up.weight": {"dtype": "F33", "shape": [1], "data_offsets": [0, 4]}},
}


@pytest.mark.parametrize("kind", [*HEADERS, "no json", "long"])
def test_a_header_that_does_not_fit_is_refused(case_file: Any, kind: str) -> None:
    """Sizes, offsets and dtypes are held against the file before anything is read."""
    path = case_file()
    header = json.dumps(HEADERS[kind]).encode() if kind in HEADERS else b"{nothing"
    size = 2**62 if kind == "long" else len(header)
    data = size.to_bytes(8, "little") + header + bytes(8)
    (path.parent / "a.safetensors").write_bytes(data)
    assert "is not a safetensors file" in refused(path)
