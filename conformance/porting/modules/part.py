"""One layer of a file of layers: what it is in the target, and what its tensors are called in the
source's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from conformance.geometry import Geometry
from conformance.porting import recipes
from conformance.porting.code.spelling import Spoken
from conformance.porting.code.weights import conversion
from conformance.porting.layer import Channels, Layer
from conformance.porting.layouts import Layout, kernel_shape, layout_of
from conformance.porting.recipes import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A layer and its plan. `name` is a Python name, `weight` and `bias` those of tensors in the
    file, and `convert` is the function that moves the kernel's axes.
    """

    layer: Layer
    target: str
    plan: Plan
    geometry: Geometry
    channels: Channels
    name: str
    weight: str
    bias: str | None
    convert: str = "convert"

    @property
    def class_name(self) -> str:
        return "".join(word[:1].upper() + word[1:] for word in self.name.split("_")) or "Layer"

    @property
    def kernel_layout(self) -> Layout:
        """How the target's layer keeps its kernel: groups as groups."""
        return layout_of(
            self.plan.target,
            self.layer.rank,
            transpose_kernel=bool(self.plan.native.get("transpose_kernel")),
            groups=self.geometry.groups,
        )

    @property
    def own_kernel_shape(self) -> tuple[int, ...]:
        """The shape of the kernel that the layer keeps and trains."""
        return kernel_shape(
            self.kernel_layout,
            c_in=self.channels.c_in,
            c_out=self.channels.c_out,
            kernel=self.geometry.kernel,
            groups=self.geometry.groups,
        )

    @property
    def source_shape(self) -> tuple[int, ...]:
        """The shape of the kernel in the source's file."""
        return kernel_shape(
            self.layer.layout,
            c_in=self.channels.c_in,
            c_out=self.channels.c_out,
            kernel=self.geometry.kernel,
            groups=self.geometry.groups,
        )

    @property
    def conversion(self) -> Sequence[str]:
        """The lines of `convert`: groups and dilation are written out by the layer itself, so that
        training leaves their zeros alone.
        """
        plain = replace(self.plan, block_diagonal=False, insert_zeros=False)
        lines, _ = conversion(
            self.layer.layout, self.kernel_layout, plain, self.geometry, self.channels
        )
        return lines

    @property
    def spoken(self) -> Spoken:
        """The call of the plan."""
        return Spoken(
            native=self.plan.native,
            geometry=self.plan.geometry,
            channels=self.channels,
            bias=self.layer.bias,
            general=self.plan.target == "jax" and self.plan.geometry.groups > 1,
        )

    @property
    def kernel_expression(self) -> str:
        """The converted kernel, from `held` and the name that a method is given."""
        read = "effective" if self.layer.normalised else "array"
        return f"{self.convert}({read}(held, weight))"

    @property
    def parameters(self) -> str:
        """The parameters of a method that loads: what is loaded from, and the names in it."""
        bias = f', bias="{self.bias}"' if self.bias else ""
        return f'held, weight="{self.weight}"{bias}'

    @property
    def summary(self) -> str:
        """The line that says what a layer is."""
        text = self.layer.text.replace("\\", "").replace('"', "'")
        short = text if len(text) <= 70 else f"{text[:67]}..."
        return f'"""{self.layer.framework}: {short}"""'


def plan_of_layer(target: str, plan: Plan, geometry: Geometry) -> Plan:
    """The plan that a layer is made by: Flax' layer has no groups, and JAX' function has."""
    if target != "flax" or geometry.groups == 1:
        return plan
    single = recipes.single("jax", geometry)
    return single if isinstance(single, Plan) else recipes.recipe("jax", geometry)
