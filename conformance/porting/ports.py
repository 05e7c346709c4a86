"""A transposed convolution of one framework in another: the arguments or the shortest recipe, the
proof, and the look-alike call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from conformance import conventions
from conformance.conventions import Native
from conformance.errors import PortError
from conformance.geometry import Geometry
from conformance.models import Model, Sample, read_model
from conformance.porting import calls, code, recipes
from conformance.porting.calls.objects import spelled_object
from conformance.porting.completion import completed, geometry_of, holds
from conformance.porting.layer import Channels, Layer
from conformance.porting.look_alike import LookAlike, kernel_look_alike, look_alike
from conformance.porting.modellayers import layers_of
from conformance.porting.modules import FORMS, ModuleProof, module_code, parts_of, prove_module
from conformance.porting.onnxfile import layers
from conformance.porting.proof import Proof
from conformance.porting.proof import prove as prove_layer
from conformance.porting.recipes import Plan
from conformance.wording import instead, quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """The answer. Shapes are (N, C, *spatial) and (C_in, C_out / groups, *kernel); `code` defines
    `conv_transpose`.

    `arguments` are those of the target's one call where it has one for this geometry, even if its
    engine refuses it; `reason` says why `code` has more than one call, `recipe` what else it does.
    `holds` says for which input sizes.
    """

    source: str
    target: str
    call: str
    name: str | None
    input: tuple[int, ...]
    kernel: tuple[int, ...]
    output: tuple[int, ...]
    geometry: Geometry
    arguments: Native | None
    reason: str | None
    target_call: str
    recipe: tuple[str, ...]
    weights: tuple[str, ...]
    holds: str
    notes: tuple[str, ...]
    code: str
    source_code: str
    look_alike: LookAlike
    kernel_look_alike: str | None
    proof: Proof | None
    layer: Layer = field(repr=False)
    plan: Plan = field(repr=False)
    channels: Channels = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFile:
    """Ports as one program of layers: its text, and the proof of it if it was asked for."""

    code: str
    proof: ModuleProof | None


def port(
    call: str | object,
    *,
    target: str,
    source: str | None = None,
    input: Sequence[int] | None = None,
    prove: bool = True,
) -> Port:
    """The port of a call of `source`, or of a layer itself, to `target`. `input` is (N, C_in,
    *spatial); whatever is left open is chosen, and a note says so.

    Names are those of `conformance.conventions.NAMES`; a layer of torch, Keras or Flax says its
    source itself. Raises PortError (a ValueError) for a call that cannot be read or makes no sense.
    With `prove` both programs run, in processes of their own.
    """
    text, source = _spoken(call, source)
    _named(source, target)
    return port_layer(calls.read(text, source), target, input, prove=prove)


def _spoken(call: str | object, source: str | None) -> tuple[str, str]:
    """The call as text, and its framework."""
    if isinstance(call, str):
        if source is None:
            raise PortError("source is not said, should be the framework of the call")
        return call, source
    text, framework = spelled_object(call)
    if source not in (None, framework):
        raise PortError(f"source is {source}, should be {framework}: the layer is its")
    return text, framework


def port_model(
    path: str,
    *,
    target: str,
    input: Sequence[int] | None = None,
    weights: str | None = None,
    unsafe: bool = False,
    prove: bool = True,
) -> list[Port]:
    """The same for every transposed convolution of a model, in its order: an .onnx file, which is
    read without being run, or any other model that `conformance.models.read_model` reads.

    `input` is the shape of the model's first input, `weights` a file of them where a callable makes
    the model; `unsafe` lets a loader run code that the file holds. Raises PortError, and ModelError
    for what cannot be read.
    """
    if path.lower().endswith(".onnx"):
        _named("onnx", target)
        return [port_layer(layer, target, prove=prove) for layer in layers(path, input)]
    samples = [] if input is None else [Sample(name=None, shape=tuple(input))]
    with read_model(path, inputs=samples, weights=weights, unsafe=unsafe) as model:
        return port_layers(model, target, prove=prove)


def port_layers(
    model: Model, target: str, *, by_name: bool = False, prove: bool = True
) -> list[Port]:
    """The same for a model that has been read. With `by_name` their files of layers load weights by
    the model's own names; without, from a file of `tensors_of` the model. Raises PortError.
    """
    ports = []
    for layer in layers_of(model, by_name=by_name):
        _named(layer.framework, target)
        try:
            ports.append(port_layer(layer, target, prove=prove))
        except PortError as error:
            raise PortError(f"{layer.name or model.path}: {error}") from None
    return ports


def port_layer(
    layer: Layer, target: str, input: Sequence[int] | None = None, *, prove: bool = True
) -> Port:
    """The port of a layer that has been read."""
    channels, size, notes = completed(layer, input)
    geometry = geometry_of(layer, size, channels)
    single = recipes.single(target, geometry)
    plan, reason = _planned(target, single, geometry)
    ours = code.source_program(layer, geometry, channels)
    theirs = code.program(layer, plan, geometry, channels)
    proved = prove_layer(layer, geometry, channels, ours, plan) if prove else None
    if proved is not None and proved.plan is not plan:
        plan, reason = proved.plan, proved.reason
        theirs = code.program(layer, plan, geometry, channels)
    return Port(
        source=layer.framework,
        target=target,
        call=layer.text,
        name=layer.name,
        input=(channels.batch, channels.c_in, *size),
        kernel=(channels.c_in, channels.c_out // geometry.groups, *geometry.kernel),
        output=(channels.batch, channels.c_out, *geometry.out),
        geometry=geometry,
        arguments=single.native if isinstance(single, Plan) else None,
        reason=reason,
        target_call=theirs.call,
        recipe=plan.steps,
        weights=theirs.weights,
        holds=holds(layer, geometry),
        notes=(*notes, *layer.notes),
        code=theirs.code,
        source_code=ours.code,
        look_alike=look_alike(layer, target, geometry, channels),
        kernel_look_alike=kernel_look_alike(layer, target),
        proof=None if proved is None else proved.proof,
        layer=replace(layer, c_in=layer.c_in or (input[1] if input else None)),
        plan=plan,
        channels=channels,
    )


def _planned(target: str, single: Plan | str, geometry: Geometry) -> tuple[Plan, str | None]:
    """The one call if the target has it and its engine runs it, else a recipe and why."""
    if isinstance(single, str):
        return recipes.recipe(target, geometry), single
    reason = recipes.refusal(target, single.native, geometry)
    return (single if reason is None else recipes.recipe(target, geometry)), reason


def layer_file(
    ports: Sequence[Port],
    form: str = "layer",
    *,
    weights: str | None = None,
    tensor: str | None = None,
    prove: bool = True,
    load: bool = False,
) -> LayerFile:
    """Ports of one source and target as a program whose `load(path)` gives layers with the weights
    of the source's file: `layer` for a layer, or several by name; `model-snippet` for an object
    that has them as attributes.

    `weights` is the file that its example loads, and the proof too with `load`; `tensor` is the
    name of a single layer there. Raises PortError.
    """
    if form not in FORMS[1:]:
        raise PortError(f"form is {quoted(form)}, {instead(form, FORMS[1:])}")
    if len({(one.source, one.target) for one in ports}) != 1:
        raise PortError("a file of layers should be of ports of one source and one target")
    for one in ports:
        if one.layer.c_in is None or one.layer.c_out is None:
            raise PortError(
                f"{one.name or one.call}: a layer has numbers of channels, should be said in the "
                "call, before it as in c = 64, or by the input"
            )
    subjects = [(one.layer, one.target, one.plan, one.geometry, one.channels) for one in ports]
    parts = parts_of(subjects, tensor)
    text = module_code(parts, form, weights)
    loaded = weights if load else None
    return LayerFile(code=text, proof=prove_module(text, parts, form, loaded) if prove else None)


def check_name(framework: str) -> None:
    """Raises PortError for what is no framework's name."""
    if framework not in conventions.NAMES:
        raise PortError(
            f"there is no framework {quoted(framework)}, {instead(framework, conventions.NAMES)}"
        )


def _named(source: str, target: str) -> None:
    for name in (source, target):
        check_name(name)
    if source == target:
        raise PortError(f"source and target are both {source}, should be two frameworks")
