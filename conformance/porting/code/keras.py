"""Keras' programs: a `Conv1DTranspose`, `2D` or `3D` layer that is built and has its weights
set.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.porting.code.spelling import WHY_PAD, Spoken, keywords, short
from conformance.porting.layouts import Layout
from conformance.porting.recipes import Pairs, Plan

IMPORTS: Sequence[str] = ("import keras", "import numpy as np")


def spelled(spoken: Spoken) -> str:
    arguments = spoken.explicit_arguments | ({} if spoken.bias else {"use_bias": False})
    name = f"keras.layers.Conv{spoken.geometry.rank}DTranspose"
    return f"{name}({spoken.c_out}, {short(spoken.geometry.kernel)}{keywords(arguments)})"


def body(call: str, plan: Plan, layout: Layout, bias: bool) -> list[str]:
    rank = len(plan.pad)
    lines = ["x = keras.ops.convert_to_tensor(x)"]
    if any(map(any, plan.pad)):
        lines.append(f"x = keras.layers.ZeroPadding{rank}D({ends(plan.pad)})(x){WHY_PAD}")
    weights = "[convert(weight), np.asarray(bias)]" if bias else "[convert(weight)]"
    lines += [f"layer = {call}", "layer.build(x.shape)", f"layer.set_weights({weights})"]
    if any(map(any, plan.cut)):
        return [*lines, f"return keras.layers.Cropping{rank}D({ends(plan.cut)})(layer(x))"]
    return [*lines, "return layer(x)"]


def ends(pairs: Pairs) -> str:
    """The argument of a layer that pads or crops: a pair, or a pair per axis."""
    return (
        short(pairs) if len(pairs) > 1 else str(tuple(pairs[0]))
    )  # in 1-D a pair, elsewhere one per axis
