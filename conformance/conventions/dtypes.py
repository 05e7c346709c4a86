"""The dtypes of a call's operands and of its output, and what frameworks document where these are
not one.

Sources: the documentation of jax.lax (which does not promote, unlike jax.numpy) and of its argument
preferred_element_type; JAX's type promotion semantics; the `dtype` of flax.nnx.ConvTranspose; the
`dtype` and `autocast` of keras.layers.Layer; the arguments of tf.nn.conv2d_transpose and
tf.math.add; the one T of ONNX's ConvTranspose. torch documents nothing but its layer's one
`dtype`, so there is no rule, and what it does is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.conventions.arguments import Native, Unrepresentable

_WIDTHS = {"bfloat16": 16, "float16": 16, "float32": 32, "float64": 64}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dtypes:
    """The dtypes of a call by name; that of the bias is None where there is none."""

    input: str
    kernel: str
    bias: str | None
    output: str

    @property
    def of_weights(self) -> set[str]:
        """Those of kernel and bias."""
        return {self.kernel} | ({self.bias} if self.bias is not None else set())


def promoted(*dtypes: str) -> str:
    """The narrowest dtype that holds all numbers of each: float32 for float16 and bfloat16."""
    widest = max(_WIDTHS[dtype] for dtype in dtypes)
    names = {dtype for dtype in dtypes if _WIDTHS[dtype] == widest}
    return names.pop() if len(names) == 1 else "float32"


def arguments(convention: str, dtypes: Dtypes) -> Native | Unrepresentable:
    """The arguments that ask a convention's call for this output of these operands, beside those
    of the window; or why its documentation rules the call out.
    """
    return _RULES[convention](dtypes)


def _torch(dtypes: Dtypes) -> Native | Unrepresentable:
    if dtypes.output != dtypes.input:
        return _unsaid(dtypes, "The layers of torch have no argument for the dtype of the output")
    return {}


def _keras(dtypes: Dtypes) -> Native | Unrepresentable:
    if dtypes.of_weights != {dtypes.output}:
        return _unsaid(dtypes, "A Keras layer has one dtype for kernel and bias and computes in it")
    if promoted(dtypes.input, dtypes.output) != dtypes.output:
        return _unsaid(dtypes, "A Keras layer casts its input to the dtype that it computes in")
    return {}


def _tensorflow(dtypes: Dtypes) -> Native | Unrepresentable:
    return _unsaid(dtypes, "tf.nn and tf.math.add document one type for all operands")


def _jax(dtypes: Dtypes) -> Native | Unrepresentable:
    if dtypes.input != dtypes.kernel:
        return _unsaid(dtypes, "jax.lax does not promote operands of two dtypes")
    if promoted(dtypes.input, dtypes.output) != dtypes.output:
        return _unsaid(dtypes, "preferred_element_type is not below the dtype of the operands")
    if promoted(dtypes.bias or dtypes.output, dtypes.output) != dtypes.output:
        return _unsaid(dtypes, "JAX's + promotes the sum to the dtype of the bias")
    return {} if dtypes.output == dtypes.input else {"preferred_element_type": dtypes.output}


def _flax(dtypes: Dtypes) -> Native | Unrepresentable:
    common = promoted(dtypes.input, *dtypes.of_weights)
    if promoted(common, dtypes.output) != dtypes.output:
        return _unsaid(dtypes, "flax.nnx.ConvTranspose casts its operands to the output's dtype")
    return {} if common == dtypes.output else {"dtype": dtypes.output}


def _onnx(dtypes: Dtypes) -> Native | Unrepresentable:
    return _unsaid(dtypes, "The ConvTranspose of ONNX has one type T for X, W, B and Y")


_RULES: dict[str, Callable[[Dtypes], Native | Unrepresentable]] = {
    "torch": _torch,
    "keras": _keras,
    "tensorflow": _tensorflow,
    "jax": _jax,
    "flax": _flax,
    "onnx": _onnx,
}


def _unsaid(dtypes: Dtypes, rule: str) -> Unrepresentable:
    bias = "" if dtypes.bias is None else f"a bias in {dtypes.bias}, "
    return Unrepresentable(
        reason=f"{rule}, and this has an input in {dtypes.input}, a kernel in {dtypes.kernel}, "
        f"{bias}and an output in {dtypes.output}."
    )
