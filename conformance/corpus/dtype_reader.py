"""The dtypes of a case: YAML -> model."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.corpus.array_reader import Lines
from conformance.corpus.case import DTYPES, OPERANDS
from conformance.corpus.strict_yaml import Item
from conformance.wording import instead, quoted

DEFAULT = "float32"


def read_dtypes(entries: Mapping[str, Item], lines: Lines) -> tuple[str, dict[str, str]]:
    """(the output's dtype, the dtypes of the operands that have another). What is wrong is noted as
    a problem and stands for float32.
    """
    if "dtype" not in entries:
        return DEFAULT, {}
    item = entries["dtype"]
    if not item.is_mapping():
        return _dtype(item), {}
    parts = item.items((*OPERANDS, "output"))
    lines.update({part.key: part.line for part in parts.values()})
    dtypes = {key: _dtype(part) for key, part in parts.items()}
    output = dtypes.get("output", DEFAULT)
    others = {key: dtypes[key] for key in OPERANDS if dtypes.get(key, output) != output}
    if "bias" in parts and "bias" not in entries:
        parts["bias"].wrong("stands in a case without a bias, should be left out")
    if others and "gradients" in entries:
        entries["gradients"].wrong(
            "stands beside operands of two dtypes, should be left out: the output alone is asked "
            "for there"
        )
    return output, others


def _dtype(item: Item) -> str:
    value = item.value()
    if value not in DTYPES:
        item.wrong(f"is {quoted(value)}, {instead(value, DTYPES)}")
        return DEFAULT
    return str(value)
