"""What the page answers of a convention is what its framework does."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from conformance.conventions.answers import ANSWERS, QUESTIONS
from conformance.conventions.table import NAMES

UNIT_INPUTS = """
import json
import jax
import numpy as np
import torch
from flax import nnx

kernel = np.float32([1, 2, 3])


def flax(**flip):
    names = {"padding": "VALID", "use_bias": False, "rngs": nnx.Rngs(0)}
    layer = nnx.ConvTranspose(1, 1, (3,), **names, **flip)
    layer.kernel[...] = kernel.reshape(3, 1, 1)
    return layer(np.ones((1, 1, 1), "float32"))


def lax(**flip):
    x, numbers = np.ones((1, 1, 1), "float32"), ("NHC", "HIO", "NHC")
    weights = kernel.reshape(3, 1, 1)
    return jax.lax.conv_transpose(x, weights, (1,), "VALID", dimension_numbers=numbers, **flip)


weights = torch.tensor(kernel.reshape(1, 1, 3))
outputs = {
    "torch": torch.nn.functional.conv_transpose1d(torch.ones(1, 1, 1), weights),
    "jax": lax(),
    "jax, transposed": lax(transpose_kernel=True),
    "flax": flax(),
    "flax, transposed": flax(transpose_kernel=True),
}
print(json.dumps({name: np.asarray(output).ravel().tolist() for name, output in outputs.items()}))
"""


def test_every_convention_has_its_answers() -> None:
    """And to every question one."""
    assert set(ANSWERS) == set(NAMES)
    assert all(getattr(answers, question) for answers in ANSWERS.values() for question in QUESTIONS)


def test_jax_and_flax_flip_only_when_they_are_told_to() -> None:
    """An input of one element gives the kernel itself where a framework has torch's orientation,
    and the kernel mirrored where it has the other.
    """
    done = subprocess.run(
        [sys.executable, "-c", UNIT_INPUTS], capture_output=True, text=True, check=True, timeout=300
    )
    outputs = json.loads(done.stdout)
    for name, output in outputs.items():
        mirrored = name in ("jax", "flax")
        assert output == ([3, 2, 1] if mirrored else [1, 2, 3]), name
        assert ANSWERS[name.split(",")[0]].flip.startswith("Not by default") == (name != "torch")


DEFAULTS = {
    "torch": """
import torch
y = torch.nn.functional.conv_transpose2d(torch.ones(1, 2, 4, 5), torch.ones(2, 7, 1, 1))
""",
    "keras": """
import keras
y = keras.layers.Conv2DTranspose(7, 1)(keras.ops.ones((1, 4, 5, 2)))
""",
    "tensorflow": """
import tensorflow as tf
y = tf.nn.conv2d_transpose(tf.ones((1, 4, 5, 2)), tf.ones((1, 1, 7, 2)), (1, 4, 5, 7), 1)
""",
    "jax": """
import jax, numpy as np
x, kernel = np.ones((1, 4, 5, 2)), np.ones((1, 1, 2, 7))
y = jax.lax.conv_transpose(x, kernel, (1, 1), "VALID")
x, kernel = np.ones((1, 2, 4, 5)), np.ones((7, 2, 1, 1))
assert jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID").shape == (1, 7, 4, 5)
""",
    "flax": """
import numpy as np
from flax import nnx
y = nnx.ConvTranspose(2, 7, (1, 1), rngs=nnx.Rngs(0))(np.ones((1, 4, 5, 2)))
""",
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_layout_of_the_input_is_the_default(name: str) -> None:
    """Each framework is given an input in the layout that is said, and answers in it."""
    done = subprocess.run(
        [sys.executable, "-c", f"{DEFAULTS[name]}\nprint(list(y.shape))"],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    layout = {"[1, 7, 4, 5]": "(N, C_in, *size)", "[1, 4, 5, 7]": "(N, *size, C_in)"}
    first = ANSWERS[name].input.partition("by default ")[2] or ANSWERS[name].input
    assert first.startswith(layout[done.stdout.strip()])
