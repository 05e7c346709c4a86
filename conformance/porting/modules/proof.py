"""The proof of a file of layers: each is loaded from a file by name and computes, bit for bit, what
the oracle does; also where sizes are unknown, and with gradients that reach every weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from conformance.porting.layer import times
from conformance.porting.modules.assembly import loaded, params_of
from conformance.porting.modules.part import Part
from conformance.porting.operands import Array, canonical, integers, oracle
from conformance.porting.running import Failure, described, missing, run_programs

_START = '''
import os, tempfile

SHAPES = {shapes}
INPUTS = {inputs}


def conv_transpose(x, *arrays):
    held = {{name: np.zeros(shape, "float32") for name, shape in SHAPES.items()}}
    held.update(zip({names}, arrays))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "weights.npz")
        np.savez(path, **held)
        layers = load(path)
    return proved({layer}, x)


def reached(name, gradient):
    """A weight is trained if it has a gradient, not all zeros where the output has numbers."""
    if gradient is None or not np.any(np.asarray(gradient)):
        raise AssertionError(f"the gradient does not reach {{name}}")


def same(y, other, where):
    if not np.array_equal(np.asarray(y), np.asarray(other)):
        raise AssertionError(f"the output is another {{where}}")
'''

_LOADS = """

def conv_transpose(x):
    load({path!r})
    return x
"""

_TENSORFLOW = """
def proved(layer, x):
    y = layer(x)
    signature = [tf.TensorSpec([None] * (x.ndim - 1) + [x.shape[-1]])]
    same(y, tf.function(layer, input_signature=signature)(x), "in a graph of unknown sizes")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) ** 2)
    weights = layer.trainable_variables
    gradients = tape.gradient(loss, weights) if loss > 0 else []
    for weight, gradient in zip(weights, gradients):
        reached(weight.name, gradient)
    return y
"""

_KERAS = """
def tensorflow_proved(layer, x):
    import tensorflow as tf

    globals()["tf"] = tf
    return on_tensorflow(layer, x)


def proved(layer, x):
    backend = keras.config.backend()
    if backend == "tensorflow":
        return tensorflow_proved(layer, x)
    y = layer(x)
    names = [weight.name for weight in layer.trainable_weights]
    if backend == "torch":
        loss = (y ** 2).sum()
        loss.backward()
        gradients = [weight.value.grad for weight in layer.trainable_weights]
    else:
        import jax

        values = [weight.value for weight in layer.trainable_weights]
        gradients = jax.grad(lambda v: (layer.stateless_call(v, [], x)[0] ** 2).sum())(values)
    y = keras.ops.convert_to_numpy(y)
    for name, gradient in zip(names, gradients if y.any() else []):
        reached(name, gradient)
    return y

""" + _TENSORFLOW.replace("def proved", "def on_tensorflow")

_TORCH = """
def proved(layer, x):
    y = layer(torch.as_tensor(x))
    (y ** 2).sum().backward()
    for name, weight in layer.named_parameters() if y.any() else ():
        reached(name, weight.grad)
    return y
"""

_FLAX = """
def proved(layer, x):
    y = layer(jnp.asarray(x))
    same(y, nnx.jit(lambda layer, x: layer(x))(layer, x), "when it is compiled")
    gradients = nnx.grad(lambda layer: (layer(x) ** 2).sum())(layer)
    for name, gradient in jax.tree_util.tree_leaves_with_path(gradients) if (y != 0).any() else ():
        reached(name, gradient)
    return y
"""

_JAX = """
def proved(layer, x):
    params = {params}
    function = {name}
    y = function(params, jnp.asarray(x))
    same(y, jax.jit(function)(params, x), "when it is compiled")
    gradients = jax.grad(lambda params: (function(params, x) ** 2).sum())(params)
    for name, gradient in gradients.items() if (y != 0).any() else ():
        reached(name, gradient)
    return y
"""

_ONNX = """
def proved(layer, x):
    import onnxruntime

    onnx.checker.check_model(layer, full_check=True)
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(layer.SerializeToString(), providers=providers)
    zeros = {name: np.zeros(shape, "float32") for name, shape in INPUTS.items()}
    zeros["NAME_x"] = x
    return session.run(["NAME_y"], zeros)[0]
"""

_DRIVERS: Mapping[str, str] = {
    "torch": _TORCH,
    "keras": _KERAS,
    "tensorflow": _TENSORFLOW,
    "jax": _JAX,
    "flax": _FLAX,
    "onnx": _ONNX,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleProof:
    """Whether every layer of a file is right; `failures` are sentences."""

    agrees: bool
    text: str
    failures: tuple[str, ...]


def prove_module(
    code: str, parts: Sequence[Part], form: str, path: str | None = None
) -> ModuleProof:
    """The proof of the file that `module_code` gave for these parts; the source's file at `path`,
    if any, is loaded too.
    """
    target = parts[0].target
    absent = missing(target)
    if absent:
        text = f"The layers are not proved by running: {' and '.join(absent)} is not installed."
        return ModuleProof(agrees=True, text=text, failures=())
    programs, expected = [], []
    for part in parts:
        numbers = integers(part.geometry, part.channels, bias=part.layer.bias)
        x = part.kernel_layout.x
        arrays = numbers.program_arrays(x, part.layer.layout, part.geometry.groups)
        programs.append((code + _driver(part, parts, form), arrays))
        expected.append((part, oracle(numbers, part.geometry)))
    if path is not None:
        programs.append((code + _LOADS.format(path=path), [np.zeros(1)]))
    results = run_programs(target, programs)
    failures = [
        failure
        for (part, y), got in zip(expected, results, strict=False)
        if (failure := _failure(part, y, got)) is not None
    ]
    if path is not None and isinstance(results[-1], Failure):
        failures.append(f"{path} is not loaded: {_first_line(results[-1])}")
    text = failures[0] if failures else _agreement(target, [y for _, y in expected], path)
    return ModuleProof(agrees=not failures, text=text, failures=tuple(failures))


def _agreement(target: str, outputs: Sequence[Array], path: str | None) -> str:
    """What has been proved, as a sentence."""
    shapes = ", ".join(times(y.shape) for y in outputs[:3]) + ", ..." * (len(outputs) > 3)
    noun = "The layer" if len(outputs) == 1 else f"{len(outputs)} layers"
    named = "" if path is None else f" {path} has every name, in its shape."
    return (
        f"{noun} in {described(target)} loaded from a file, and the oracle, agree bit for bit on "
        f"integers, {shapes}{_also(target)}.{named}"
    )


def _also(target: str) -> str:
    """What else is proved: that it trains, and is traced without sizes."""
    if target == "onnx":
        return ""
    graphs = "; so in a graph of unknown sizes" if target == "tensorflow" else ""
    return f"{graphs}; gradients reach its weights"


def _driver(part: Part, parts: Sequence[Part], form: str) -> str:
    """The lines that make a file of layers a program with one function, which proves one."""
    shapes = {one.weight: one.source_shape for one in parts}
    shapes |= {one.bias: (one.channels.c_out,) for one in parts if one.bias}
    names = [part.weight, *([part.bias] if part.bias else [])]
    layer = loaded(part, form, len(parts) > 1)
    driver = _DRIVERS[part.target].replace("NAME", part.name)
    if part.target == "jax":
        params = params_of(layer).replace("layers", "layer")
        driver = driver.format(params=params, name=part.name)
        layer = "layers"
    inputs = {
        f"{one.name}_x": (one.channels.batch, one.channels.c_in, *one.geometry.size)
        for one in parts
    }
    return _START.format(shapes=shapes, inputs=inputs, names=names, layer=layer) + driver


def _failure(part: Part, y: Array, got: Array | Failure) -> str | None:
    """What is wrong with a layer, or None."""
    if isinstance(got, Failure):
        return f"{part.name} does not run: {_first_line(got)}"
    right = canonical(got, part.kernel_layout.y)
    if right.shape != y.shape or not np.array_equal(right, y):
        return f"{part.name} DIFFERS from the oracle on integers, {times(y.shape)}."
    return None


def _first_line(failure: Failure) -> str:
    return (failure.text.splitlines() or [""])[0][:300]
