"""The names of stride, dilation and groups in every framework, and the position of its words for
padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """Names of native arguments; `groups` is None where the call has none."""

    stride: str = "strides"
    dilation: str
    groups: str | None = None
    padding: str = "padding"


SPELLINGS: Mapping[str, Spelling] = {
    "torch": Spelling(stride="stride", dilation="dilation", groups="groups"),
    "keras": Spelling(dilation="dilation_rate"),
    "tensorflow": Spelling(dilation="dilations", groups="groups"),
    "jax": Spelling(dilation="rhs_dilation", groups="feature_group_count"),
    "flax": Spelling(dilation="kernel_dilation"),
    "onnx": Spelling(dilation="dilations", groups="group", padding="auto_pad"),
}
"""The spelling of each convention."""
