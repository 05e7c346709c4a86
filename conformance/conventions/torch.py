"""`torch.nn.ConvTranspose1d/2d/3d`: symmetric padding, output_padding at the high end, nothing
else.

    out = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1

Source: documentation of torch.nn.ConvTranspose2d, "Shape"; `output_size` is resolved to an
output_padding as in torch.nn.modules.conv._ConvTransposeNd._output_padding.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.conventions.arguments import Argument, Native, Unrepresentable, number, per_axis
from conformance.geometry import Axis, Geometry, from_padding

ARGUMENTS = {
    "stride": Argument(read=per_axis, default=1),
    "padding": Argument(read=per_axis, default=0),
    "output_padding": Argument(read=per_axis, default=0),
    "dilation": Argument(read=per_axis, default=1),
    "groups": Argument(read=number, default=1),
    "output_size": Argument(read=per_axis, optional=True),
}


def geometry(native: Native, *, size: Sequence[int], kernel: Sequence[int]) -> Geometry:
    """The window of native arguments; with output_size, output_padding is what reaches that
    size.
    """
    plain = from_padding(
        size=size,
        kernel=kernel,
        stride=native["stride"],
        padding=[(padding, padding) for padding in native["padding"]],
        output_padding=[0] * len(size) if "output_size" in native else native["output_padding"],
        dilation=native["dilation"],
        groups=native["groups"],
    )
    if "output_size" not in native:
        return plain
    return from_padding(
        size=size,
        kernel=kernel,
        stride=plain.stride,
        padding=plain.crops,
        output_padding=[
            out - least for out, least in zip(native["output_size"], plain.out, strict=True)
        ],
        dilation=plain.dilation,
        groups=plain.groups,
    )


def native(geometry: Geometry) -> Native | Unrepresentable:
    """stride, padding, output_padding, dilation and groups, or why there are none."""
    for position, axis in enumerate(geometry.axes):
        reason = _obstacle(axis)
        if reason:
            return Unrepresentable(reason=f"On axis {position}, {reason}.")
    return {
        "stride": list(geometry.stride),
        "padding": [axis.crop_low for axis in geometry.axes],
        "output_padding": [axis.crop_low - axis.crop_high for axis in geometry.axes],
        "dilation": list(geometry.dilation),
        "groups": geometry.groups,
    }


def _obstacle(axis: Axis) -> str | None:
    extra = axis.crop_low - axis.crop_high
    if axis.crop_low < 0:
        return f"{-axis.crop_low} zeros are prepended, and torch refuses negative padding"
    if extra < 0:
        return (
            f"the crop is {axis.crop_low} at the start and {axis.crop_high} at the end, and "
            "torch's padding is symmetric: output_padding makes the crop at the "
            "end smaller, and nothing makes it larger"
        )
    if extra and extra >= max(axis.stride, axis.dilation):
        return (
            f"the crop is {axis.crop_low} at the start and {axis.crop_high} at the end, which is "
            f"output_padding={extra},"
            f" and torch wants it below max(stride, dilation) = {max(axis.stride, axis.dilation)}"
        )
    return None
