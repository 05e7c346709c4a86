"""The reading of the source's own file, as lines of Python: tensors by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_ANY = """\
    if path.endswith(".npz"):
        return dict(np.load(path))
    if path.endswith(".safetensors"):
        from safetensors.numpy import load_file

        return load_file(path)"""

_FLAT = '''\
def flat(held, prefix=""):
    """Nested dictionaries as one, their names joined by dots."""
    if not hasattr(held, "items"):
        return {prefix[:-1]: held}
    return {k: v for name in held for k, v in flat(held[name], f"{prefix}{name}.").items()}'''

_TORCH = """\
    import torch

    held = flat(torch.load(path, map_location="cpu", weights_only=True))
    for word in ("state_dict.", "model_state_dict."):  # of a checkpoint
        held |= {name.removeprefix(word): tensor for name, tensor in held.items()}
    return {k: v.detach().float().numpy() for k, v in held.items() if hasattr(v, "detach")}"""

_KERAS = """\
    import keras

    model = keras.saving.load_model(path, compile=False)
    held = {w.path: keras.ops.convert_to_numpy(w) for w in model.weights}
    short = ["/".join(path.split("/")[-2:]) for path in held]  # LAYER/kernel, where that is one
    return held | {s: held[path] for s, path in zip(short, held) if short.count(s) == 1}"""

_TENSORFLOW = """\
    import tensorflow as tf

    reader, end = tf.train.load_checkpoint(path), "/.ATTRIBUTES/VARIABLE_VALUE"
    names = [name for name in reader.get_variable_to_shape_map() if name[0] != "_"]
    return {name.removesuffix(end): reader.get_tensor(name) for name in names}"""

_FLAX = """\
    from flax.serialization import msgpack_restore

    with open(path, "rb") as file:
        return flat(msgpack_restore(file.read()))"""

_ONNX = """\
    import onnx
    from onnx import numpy_helper

    held, graphs = {}, [onnx.load(path).graph]
    for graph in graphs:  # and those of branches and loops, as they are found
        held |= {tensor.name: tensor for tensor in graph.initializer}
        for node in graph.node:
            for part in node.attribute:
                graphs += [part.g] if part.HasField("g") else []
                if node.op_type == "Constant" and part.name == "value":
                    held[node.output[0]] = part.t
    return {name: numpy_helper.to_array(tensor) for name, tensor in held.items()}"""

_READS: Mapping[str, tuple[str, str]] = {
    "torch": ("a state dict, .safetensors or .npz", _TORCH),
    "keras": ("a .keras file, .safetensors or .npz", _KERAS),
    "tensorflow": ("a checkpoint, .safetensors or .npz", _TENSORFLOW),
    "jax": (".msgpack, .safetensors or .npz", _FLAX),
    "flax": (".msgpack, .safetensors or .npz", _FLAX),
    "onnx": ("an .onnx file, .safetensors or .npz", _ONNX),
}
EXAMPLES: Mapping[str, str] = {
    "torch": "model.pt",
    "keras": "model.keras",
    "tensorflow": "checkpoint",
    "jax": "model.npz",
    "flax": "model.msgpack",
    "onnx": "model.onnx",
}
"""A file of each source, for a program that is given none."""

ARRAY = '''\
def array(held, name):
    """A tensor of the file as float32."""
    if name not in held:
        raise KeyError(f"there is no tensor {name}, should be one of {', '.join(sorted(held))}")
    return np.array(held[name], "float32")'''

EFFECTIVE = '''\
def effective(held, name):
    """The weights that a layer computes with, whatever normalises them: weight norm has a norm for
    every input channel, spectral norm divides by the largest singular value.
    """
    if name in held:
        return array(held, name)
    start, _, last = name.rpartition(".")
    inner = f"{start}.parametrizations.{last}" if start else f"parametrizations.{last}"
    for g, v in ((f"{inner}.original0", f"{inner}.original1"), (f"{name}_g", f"{name}_v")):
        if g in held and v in held:
            v = array(held, v)
            return array(held, g) * v / np.sqrt((v * v).sum(tuple(range(1, v.ndim)), keepdims=True))
    for w, at in ((f"{inner}.original", f"{inner}.0._"), (f"{name}_orig", f"{name}_")):
        if w in held and f"{at}u" in held:
            w, u, v = array(held, w), array(held, f"{at}u"), array(held, f"{at}v")
            return w / (u @ np.moveaxis(w, 1, 0).reshape(w.shape[1], -1) @ v)
    return array(held, name)'''


def reading(source: str, *, normalised: bool) -> Sequence[str]:
    """The functions that read tensors, each with two blank lines before it."""
    what, own = _READS[source]
    tensors = f'def tensors(path):\n    """The tensors of {what}, by name."""\n{_ANY}\n{own}'
    functions = [*([_FLAT] if "flat(" in own else []), tensors, ARRAY]
    functions += [EFFECTIVE] if normalised else []
    return [line for function in functions for line in ("", "", *function.splitlines())]


def tensor_names(source: str, name: str, *, bias: bool) -> tuple[str, str | None]:
    """What the source calls the kernel and the bias of a layer of this name."""
    separator = "/" if source in ("keras", "tensorflow") else "."
    kernel = "weight" if source in ("torch", "onnx") else "kernel"
    return f"{name}{separator}{kernel}", f"{name}{separator}bias" if bias else None
