"""A file of layers: the reading of the source's file, the conversion of weights once for all of
them, a definition each, and the function that loads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType

from conformance.porting.layouts import SPATIAL, words
from conformance.porting.modules import flax, jax, keras, onnx, tensorflow, torch
from conformance.porting.modules.files import EXAMPLES, reading
from conformance.porting.modules.part import Part

FORMS = ("call", "layer", "model-snippet")
"""What a port may be printed as."""

_WRITERS: Mapping[str, ModuleType] = {
    "torch": torch,
    "keras": keras,
    "tensorflow": tensorflow,
    "jax": jax,
    "flax": flax,
    "onnx": onnx,
}


def module_code(parts: Sequence[Part], form: str, path: str | None = None) -> str:
    """The whole file: for `layer` its `load(path)` gives the one layer, or several by name; for
    `model-snippet` an object that has each as an attribute. `path` is the source's file.
    """
    source, target = parts[0].layer.framework, parts[0].target
    writer = _WRITERS[target]
    named, conversions = _with_conversions(parts)
    lines = [
        f'"""Layers of {source} in {target}, with weights from the file of the {source} model."""',
        "",
        *writer.IMPORTS,
        *reading(source, normalised=any(part.layer.normalised for part in parts)),
        *conversions,
        *(["", "", *onnx.NAMED.splitlines()] if target == "onnx" else []),
    ]
    for part in named:
        lines += ["", "", *writer.definition(part)]
    lines += ["", "", *_loading(named, form, target)]
    lines += _example(named, form, path or EXAMPLES[source])
    return "\n".join(lines) + "\n"


def _with_conversions(parts: Sequence[Part]) -> tuple[list[Part], list[str]]:
    """Parts that know which function converts their kernel, and those functions: one a body."""
    names: dict[tuple[str, ...], str] = {}
    named, lines = [], []
    for part in parts:
        body = tuple(part.conversion)
        if body not in names:
            names[body] = "convert" if not names else f"convert_{len(names) + 1}"
            lines += ["", "", f"def {names[body]}(weight):", f"    {_from_to(part)}"]
            lines += [f"    {line}" for line in body]
        named.append(replace(part, convert=names[body]))
    return named, lines


def _from_to(part: Part) -> str:
    have, want = part.layer.layout, part.kernel_layout
    start = f"{words(have.kernel)}{', flipped' * have.flipped}"
    end = f"{words(want.kernel)}{', flipped' * want.flipped}"
    if len(part.conversion) == 1:
        return f'"""Both keep it as {start}."""'
    return f'"""From {start} to {end}."""'


def _loading(parts: Sequence[Part], form: str, target: str) -> Iterator[str]:
    """The function that reads the file and gives the layers."""
    if target == "onnx":
        yield from onnx.loading(parts)
        return
    writer = _WRITERS[target]
    is_jax = target == "jax"
    snippet = form == "model-snippet" and not is_jax
    if snippet:
        yield from writer.container(parts)
        yield from ("", "    def load(self, path):", "        held = tensors(path)")
        yield from (f"        self.{part.name}.load(held)" for part in parts)
        yield from ("        return self", "", "")
    yield "def load(path):"
    if snippet:
        yield '    """The layers as attributes, with their weights from the file."""'
        yield "    return Layers().load(path)"
        return
    several = len(parts) > 1 or form == "model-snippet"
    yield f'    """The layer{"s by name" * several}, with weights from the file."""'
    yield "    held = tensors(path)"
    made = {
        part.name: f"load_{part.name}(held)" if is_jax else f"{writer.made(part)}.load(held)"
        for part in parts
    }
    items = ", ".join(f'"{name}": {value}' for name, value in made.items())
    yield f"    return {{{items}}}" if several else f"    return {made[parts[0].name]}"


def loaded(part: Part, form: str, several: bool) -> str:
    """The expression of one layer, of what `load` gave as `layers`: but for ONNX a function."""
    is_snippet = form == "model-snippet"
    match part.target:
        case "onnx":
            return "layers"
        case "jax":
            params = f'layers["{part.name}"]' if several or is_snippet else "layers"
            return f"lambda x: {part.name}({params}, x)"
        case _ if is_snippet:
            return f"layers.{part.name}"
        case _:
            return f'layers["{part.name}"]' if several else "layers"


def _example(parts: Sequence[Part], form: str, path: str) -> list[str]:
    """The lines that a program of its own runs: the first layer on ones."""
    first = parts[0]
    lines = ["", "", 'if __name__ == "__main__":', f"    layers = load({path!r})".replace("'", '"')]
    if first.target == "onnx":
        return [*lines, '    onnx.save(layers, "layers.onnx")']
    sizes = dict(zip(SPATIAL[first.layer.rank], first.geometry.size, strict=True))
    letters = {"N": first.channels.batch, "C": first.channels.c_in, **sizes}
    shape = tuple(letters[letter] for letter in first.kernel_layout.x)
    x = f"torch.ones({shape})" if first.target == "torch" else f'np.ones({shape}, "float32")'
    call = loaded(first, form, len(parts) > 1)
    shown = f"{first.name}({params_of(call)}, {x})" if first.target == "jax" else f"{call}({x})"
    return [*lines, f"    print({shown}.shape)"]


def params_of(call: str) -> str:
    """The parameters in the function that `loaded` gives for JAX."""
    return call.split("(", 1)[1].split(",")[0]
