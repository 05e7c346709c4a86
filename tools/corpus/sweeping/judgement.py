"""The judgement of a call's result: whether it is right, and if not, why."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.corpus.tensors import Tensors
from conformance.outcomes import Crashed, Outcome, Output, Raised, Unsupported
from sweeping.calls import Call
from sweeping.findings import Finding, expected, taken
from sweeping.known import known


def judge(adapter: str, call: Call, tensors: Tensors, outcome: Outcome) -> Finding:
    """The status of a call, and its cause."""
    match outcome:
        case Output(y=y):
            finding = _compared(call, tensors, y)
        case Raised(type=kind, message=message):
            finding = Finding(call=call, status="refused", cause=f"{kind}: {_shortened(message)}")
        case Unsupported(reason=reason):
            finding = Finding(
                call=call, status="refused", cause=f"unsupported: {_shortened(reason)}"
            )
        case Crashed(message=message):
            finding = Finding(
                call=call, status="crashed", cause=_shortened(message), detail=message
            )
        case other:
            finding = Finding(call=call, status="crashed", cause=_shortened(str(other)))
    source = known(adapter, finding, tensors, outcome)
    return finding if source is None else replace(finding, status="known", cause=source)


def _compared(call: Call, tensors: Tensors, y: Any) -> Finding:
    should = expected(call, tensors)
    if y.shape == should.shape and np.array_equal(y, should):
        return Finding(call=call, status="agrees", cause=family(call))
    return Finding(
        call=call,
        status="differs",
        cause=f"{'values' if y.shape == should.shape else 'shape'}: {family(call)}",
        detail=(
            f"got shape {list(y.shape)}, should be {list(should.shape)}; its window: "
            f"{taken(call, tensors, y)}"
        ),
    )


def _shortened(message: str) -> str:
    """The last line that says something, numbers left out, so that messages of one cause are
    one.
    """
    lines = [line for line in message.splitlines() if line.strip()] or [""]
    telling = next(
        (line for line in lines if re.search(r"Check failed|[Ee]rror|should|must|not ", line)),
        lines[0],
    )
    return re.sub(
        r"\s+", " ", re.sub(r"-?\d+", "#", re.sub(r"\[[-\d, ]*\]|\([-\d, ]*\)", "[#]", telling))
    ).strip()[:200]


def family(call: Call) -> str:
    """Which arguments a call uses, without their numbers."""
    words = []
    for key, value in call.native.items():
        if isinstance(value, str):
            words.append(f"{key} {value}")
        elif key in ("pads", "padding", "output_size", "output_shape") or (
            key == "output_padding" and value and any(value)
        ):
            words.append(key)
    axes = call.geometry.axes
    words += ["dilated"] * any(a.dilation > 1 and a.kernel > 1 for a in axes) + ["groups"] * (
        call.geometry.groups > 1
    )
    words += ["extent < stride"] * any(a.extent < a.stride for a in axes)
    return ", ".join(words)
