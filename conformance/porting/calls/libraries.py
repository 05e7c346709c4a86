"""Whose a call is, by what stands before its name: `eqx.nn.ConvTranspose2d` is not torch's, whose
arguments it shares in part and whose window it does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.errors import PortError

_OTHERS: Mapping[str, str] = {
    "eqx": "Equinox",
    "equinox": "Equinox",
    "mlx": "MLX",
    "paddle": "Paddle",
    "mindspore": "MindSpore",
    "jittor": "Jittor",
    "jt": "Jittor",
    "tinygrad": "tinygrad",
    "hk": "Haiku",
    "haiku": "Haiku",
    "objax": "Objax",
    "oneflow": "OneFlow",
    "mxnet": "MXNet",
    "mx": "MXNet",
    "gluon": "MXNet",
    "chainer": "Chainer",
    "cntk": "CNTK",
    "lasagne": "Lasagne",
    "tensorlayer": "TensorLayer",
    "tl": "TensorLayer",
    "tflearn": "TFLearn",
    "snt": "Sonnet",
    "sonnet": "Sonnet",
    "coremltools": "Core ML",
    "tvm": "TVM",
}
"""Libraries that have a transposed convolution of their own, by the names they are imported as."""

_FRAMEWORKS: Mapping[str, str] = {
    "torch": "torch",
    "aten": "torch",
    "keras": "keras",
    "tf": "tensorflow",
    "tensorflow": "tensorflow",
    "slim": "tensorflow",
    "jax": "jax",
    "lax": "jax",
    "flax": "flax",
    "nnx": "flax",
    "linen": "flax",
    "onnx": "onnx",
}


def check_prefix(prefix: Sequence[str], function: str, framework: str) -> None:
    """Raise PortError if a prefix such as ("eqx", "nn") says that the function is of another
    library than the framework's.
    """
    whole = ".".join((*prefix, function))
    if prefix and prefix[0] in _OTHERS:
        raise PortError(
            f"{whole} is {_OTHERS[prefix[0]]}'s, whose arguments and weights are its own, should "
            f"be a call of {framework}"
        )
    owners = [_FRAMEWORKS[part] for part in prefix if part in _FRAMEWORKS]
    owner = _owner(owners, prefix)
    if owner is not None and owner != framework and framework not in _shared(prefix):
        raise PortError(f"{whole} is {owner}'s, should be given as a call of {owner}")
    if framework == "keras" and prefix and prefix[-1] == "nn":
        raise PortError(
            f"{whole} is not Keras': its layers are in keras.layers, and Paddle's in nn"
        )


def _owner(owners: Sequence[str], prefix: Sequence[str]) -> str | None:
    """The framework that the prefix says, the last one counting: tf.keras is Keras."""
    if "keras" in owners:
        return "keras"
    return owners[-1] if owners else None


def _shared(prefix: Sequence[str]) -> tuple[str, ...]:
    """TensorFlow 1 has Keras' layers, by names of its own: either may be said."""
    return ("keras", "tensorflow") if prefix[-1] in ("layers", "slim") else ()
