"""Layers and calls as frameworks print them, written again as the call that made them.

torch prints a module with its inner modules below, torch.export a node with the shapes of what it
takes, Flax a module with its attributes in lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from conformance.errors import PortError
from conformance.porting.calls.arithmetic import MOST_CHARACTERS

MOST_OF_A_NODE = 4000  # characters

_NORMALISATIONS = {
    "_WeightNorm": "weight_norm",
    "_SpectralNorm": "spectral_norm",
    "_Orthogonal": "orthogonal",
}
# from where a word begins: tried from each of its letters it would take the square of its length
_SHAPE = re.compile(r"(?<![\w.])([\w.]+): \"\w+\[(\d{1,10}(?:, ?\d{1,10}){0,7})\]\"")
_ATEN_NODE = re.compile(r"aten(?:\.|::)(?:_?convolution|conv_transpose[123]d)\b")


def rewritten(text: str, framework: str) -> tuple[str, Mapping[str, list[int]]]:
    """A text with what is printed written as a call, and the shapes that it gives to names."""
    if len(text) > MOST_CHARACTERS:
        raise PortError(f"the call has {len(text)} characters, should be at most {MOST_CHARACTERS}")
    text = "\n".join(line for line in text.splitlines() if line.strip())
    if framework == "torch" and _ATEN_NODE.search(text):
        return _exported(text)
    if framework == "torch":
        return _torch_module(text), {}
    if framework == "flax":
        return _flax_module(text), {}
    return text, {}


def _torch_module(text: str) -> str:
    """A printed module without its inner modules, in the normalisation that they say."""
    lazy = re.sub(r"(LazyConvTranspose\dd\()0, (\d+, kernel_size=)", r"\1\2", text)
    head = re.match(r"((?:\(\w+\): )?\s*\w+\()(.*?)\n\s*\(\w+\): ", lazy, re.DOTALL)
    if head is None or not re.search(r"Conv\w*\($", head[1].strip()):
        return lazy
    label = re.match(r"\(([A-Za-z_]\w*)\): ", head[1])
    name = re.sub(r"^\(\w+\): ", "", head[1]).strip()
    call = f"{name.removeprefix('Parametrized')}{' '.join(head[2].split())})"
    kinds = [word for kind, word in _NORMALISATIONS.items() if f"{kind}(" in lazy]
    if kinds or name.startswith("Parametrized"):
        call = f"{kinds[0] if kinds else 'parametrized'}({call})"
    return f"{label[1]} = {call}" if label else call


def _exported(text: str) -> tuple[str, Mapping[str, list[int]]]:
    """The one line of an exported program that has the operator, with names that Python takes."""
    shapes = {
        _plain(name): [int(size) for size in re.findall(r"\d+", sizes)]
        for name, sizes in _SHAPE.findall(text)
    }
    for alias, name in re.findall(r"^\s*(\w+) = (\w+)$", text, re.MULTILINE):
        if name in shapes:
            shapes[alias] = shapes[name]
    lines = [line for line in text.splitlines() if _ATEN_NODE.search(line)]
    if len(lines) > 1:
        raise PortError(f"the text has {len(lines)} calls of aten, should have one")
    is_whole = lines[0].count("(") == lines[0].count(")")
    body = (lines[0] if is_whole else text).split(";")[0].strip()
    if len(body) > MOST_OF_A_NODE:
        raise PortError(f"the call of aten has {len(body)} characters, should be a node")
    node = re.search(
        r"call_function\[target=([\w.]+)\]\(args = \((.*)\), kwargs = \{(.*)\}\)", body
    )
    if node:
        kwargs = re.sub(r"(\w+): ", r"\1=", node[3])
        body = f"{node[1]}({node[2].rstrip(',')}{', ' if kwargs else ''}{kwargs})"
    body = re.sub(r"^\s*%?[\w.]+ : [^=]*=\s*", "", body)
    body = re.sub(r"%([\w.]+)", lambda name: _plain(name[1]), body).replace("::", ".")
    return re.sub(r"^\s*\w+: \"[^\"]*\" = ", "", body), shapes


def _plain(name: str) -> str:
    """A name that Python takes."""
    return re.sub(r"\W|^(?=\d)", "_", name)


def _flax_module(text: str) -> str:
    """A printed module with its attributes between commas, without comments and what only printing
    has.
    """
    if "\n" not in text or not re.match(r"\s*ConvTranspose\(\s*#", text):
        return text
    lines = [line.partition("#")[0].rstrip() for line in text.strip().splitlines()]
    joined = "\n".join(line for line in lines if line)
    joined = re.sub(r"<[^<>\n]*>", "...", joined)
    if not re.search(r",$", joined, re.MULTILINE):  # Linen's lines have no commas
        joined = re.sub(r"(?<![(\n])\n(?=\s*\w+ = )", ",\n", joined)
    return joined
