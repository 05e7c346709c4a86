"""Functions of JAX, made here: Flax modules of both kinds, and a plain convolution with groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

from conformance.errors import ModelError

MODULES = """
import flax.linen as linen
import jax, jax.numpy as jnp, numpy as np
from flax import nnx

class Decoder(nnx.Module):
    def __init__(self):
        rngs = nnx.Rngs(0)
        self.up = nnx.ConvTranspose(3, 4, (3, 3), strides=(2, 2), padding="SAME", rngs=rngs)
        self.up.bias[...] = jnp.arange(4.0)
        self.norm = nnx.BatchNorm(4, rngs=rngs)

    def __call__(self, x):
        return jax.nn.relu(self.norm(self.up(x)))

class Top(linen.Module):
    @linen.compact
    def __call__(self, x):
        return linen.ConvTranspose(5, (4,), strides=(2,), transpose_kernel=True, name="top")(x)

def top():
    return Top(), Top().init(jax.random.key(0), jnp.ones((1, 6, 3)))

def grouped():
    w = jnp.asarray(np.random.RandomState(0).randn(4, 4, 2, 6), "float32")
    numbers = ("NHWC", "HWIO", "NHWC")
    return lambda x: jax.lax.conv_general_dilated(
        x, w, (1, 1), ((2, 1), (2, 3)), lhs_dilation=(2, 2), feature_group_count=2,
        dimension_numbers=numbers,
    )
"""


def test_an_nnx_module_keeps_its_names(module: Any, read: Any, holds: Any) -> None:
    """The kernel that is read is flipped from the one that the module has."""
    module(MODULES)
    model = read("made:Decoder", [(1, 5, 6, 3)], activations=True)
    (layer,) = model.layers
    assert (layer.name, layer.kernel_tensor.name) == ("up", "up.kernel")
    assert (layer.kernel_tensor.axes, layer.kernel_tensor.flipped) == ("HWIO", True)
    assert layer.native["strides"] == [2, 2]
    assert layer.inputs == ((1, 3, 5, 6),)
    assert layer.bias.load().tolist() == [0, 1, 2, 3]
    assert holds(model) == 1


def test_a_linen_module_comes_with_its_variables(module: Any, read: Any, holds: Any) -> None:
    """transpose_kernel turns the kernel round before the convolution: no normalisation of it."""
    module(MODULES)
    model = read("made:top", [(1, 6, 3)], activations=True)
    (layer,) = model.layers
    assert layer.normalised_by == ()
    assert "top" in layer.name
    assert layer.kernel.shape == (3, 5, 4)
    assert holds(model) == 1


def test_groups_are_taken_apart(module: Any, read: Any, holds: Any) -> None:
    """Channels are exchanged within each group."""
    module(MODULES)
    model = read("made:grouped", [(1, 4, 5, 4)], activations=True)
    (layer,) = model.layers
    assert layer.kernel.shape == (4, 3, 4, 4)
    assert layer.native["feature_group_count"] == 2
    assert holds(model) == 1


def test_an_exported_function_holds_shapes_and_weights(tmp_path: Path, read: Any) -> None:
    """The kernel is the one of the convolution that was exported, turned round and back."""
    weights = jnp.asarray(np.random.RandomState(0).randn(4, 3, 5), "float32")

    def up(x: Any) -> Any:
        return jax.nn.relu(
            jax.lax.conv_transpose(
                x, weights, (2,), "SAME", dimension_numbers=("NHC", "HIO", "NHC")
            )
        )

    exported = jax.export.export(jax.jit(up))(jax.ShapeDtypeStruct((1, 6, 3), "float32"))
    (tmp_path / "up.jax").write_bytes(exported.serialize())
    model = read(tmp_path / "up.jax", activations=True)
    (layer,) = model.layers
    assert layer.native == {
        "strides": [2], "padding": [[2, 2]], "rhs_dilation": [1], "feature_group_count": 1,
    }  # fmt: skip
    assert layer.inputs == ((1, 3, 6),)
    assert (layer.kernel_tensor.axes, layer.kernel_tensor.flipped) == ("WIO", True)
    stored = np.asarray(weights).transpose(1, 2, 0)[..., ::-1]
    np.testing.assert_array_equal(layer.kernel.load(), stored)
    y = model.outputs["0"].load()
    np.testing.assert_allclose(y, up(model.inputs[0].sample.load()), rtol=1e-5, atol=1e-6)


def test_what_is_no_exported_function_is_one_sentence(tmp_path: Path, read: Any) -> None:
    """Neither an empty file nor noise ends more than the child."""
    for content in (b"", bytes(range(256)) * 8):
        (tmp_path / "up.jax").write_bytes(content)
        with pytest.raises(ModelError, match=r"up.jax (is not a function|cannot be read)"):
            read(tmp_path / "up.jax")
