"""The names of stride, dilation and groups in each convention."""

from __future__ import annotations

GROUPS = {"torch": "groups", "tensorflow": "groups", "jax": "feature_group_count", "onnx": "group"}

STRIDE = {"torch": "stride"}

DILATION = {
    "torch": "dilation",
    "keras": "dilation_rate",
    "jax": "rhs_dilation",
    "flax": "kernel_dilation",
}
