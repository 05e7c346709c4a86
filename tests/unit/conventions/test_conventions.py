"""Every framework's spelling: there and back again, the canonical one, and the documented worked
examples.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from conformance import conventions
from conformance.conventions import ArgumentError, Unrepresentable, normal_form
from conformance.geometry import Axis, Geometry, from_padding

AXES = st.builds(
    Axis,
    size=st.integers(0, 5),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    crop_low=st.integers(-3, 6),
    crop_high=st.integers(-3, 6),
)
GEOMETRIES = st.builds(
    Geometry,
    axes=st.lists(AXES, min_size=1, max_size=3).map(tuple),
    groups=st.sampled_from([1, 1, 1, 2, 3]),
)


@st.composite
def spelled(draw: st.DrawFn, name: str) -> tuple[dict[str, Any], list[int], list[int]]:
    """(native arguments in normal form, size, kernel) that a user of that framework might write."""
    rank = draw(st.integers(1, 3))

    def each(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=rank, max_size=rank))

    size, kernel, stride = each(1, 5), each(1, 5), each(1, 4)
    ones = [1] * rank
    dilation = (
        draw(st.sampled_from([ones, [2] * rank])) if name != "keras" or stride == ones else ones
    )
    below = [draw(st.integers(0, s - 1)) for s in stride]
    pads = [[draw(st.integers(0, 2)), draw(st.integers(0, 2))] for _ in range(rank)]
    groups = draw(st.integers(1, 3))
    match name:
        case "torch":
            native = {
                "stride": stride, "padding": each(0, 3), "output_padding": below,
                "dilation": dilation, "groups": groups,
            }  # fmt: skip
        case "keras":
            padding = draw(st.sampled_from(["same", "valid"]))
            extra = draw(st.sampled_from([None, below]))
            native = {
                "strides": stride,
                "padding": padding,
                "output_padding": extra,
                "dilation_rate": dilation,
            }
        case "tensorflow":
            words = ["SAME", "VALID"] + ([pads] if rank == 2 else [])
            native = {
                "strides": stride,
                "padding": draw(st.sampled_from(words)),
                "dilations": dilation,
                "groups": groups,
            }
        case "jax" | "flax":
            native = {"strides": stride, "padding": draw(st.sampled_from(["SAME", "VALID", pads]))}
            native["rhs_dilation" if name == "jax" else "kernel_dilation"] = dilation
        case _:
            native = {
                "strides": stride,
                "dilations": dilation,
                "group": groups,
                "output_padding": below,
            }
            native["pads"] = [low for low, _ in pads] + [high for _, high in pads]
    return normal_form(name, native, rank), size, kernel


def geometries(name: str) -> st.SearchStrategy[Geometry]:
    """Any window, and as often one that a user of that framework might ask for."""
    convention = conventions.get(name)
    return st.one_of(
        spelled(name).map(lambda call: convention.geometry(call[0], size=call[1], kernel=call[2])),
        GEOMETRIES,
    )


def one_axis(
    *, low: int, high: int, size: int = 3, kernel: int = 3, stride: int = 2, dilation: int = 1
) -> Geometry:
    axis = Axis(
        size=size, kernel=kernel, stride=stride, dilation=dilation, crop_low=low, crop_high=high
    )
    return Geometry(axes=(axis,))


def window(name: str, native: dict[str, Any], *, size: int = 4, kernel: int = 3) -> tuple[int, int]:
    """(crop_low, crop_high) on one axis of native arguments as a user writes them."""
    full = normal_form(name, native, 1)
    return conventions.get(name).geometry(full, size=[size], kernel=[kernel]).crops[0]


@pytest.mark.parametrize("name", conventions.NAMES)
@given(data=st.data())
def test_native_arguments_stand_for_the_geometry_they_were_made_of(
    name: str, data: st.DataObject
) -> None:
    """geometry(native(g)) == g for any rank and any sign of the crops, wherever g has native
    arguments.
    """
    convention, geometry = conventions.get(name), data.draw(geometries(name))
    native = convention.native(geometry)
    event(type(native).__name__)
    assume(not isinstance(native, Unrepresentable))
    assert convention.geometry(native, size=geometry.size, kernel=geometry.kernel) == geometry


@pytest.mark.parametrize("name", conventions.NAMES)
@given(data=st.data())
def test_what_a_user_writes_has_native_arguments_again(name: str, data: st.DataObject) -> None:
    """The window of arguments that a framework's users write is representable there, and is the
    same window.
    """
    native, size, kernel = data.draw(spelled(name))
    convention = conventions.get(name)
    geometry = convention.geometry(native, size=size, kernel=kernel)
    again = convention.native(geometry)
    assert not isinstance(again, Unrepresentable), again
    assert convention.geometry(again, size=size, kernel=kernel) == geometry


@pytest.mark.parametrize("name", conventions.NAMES)
@given(data=st.data())
def test_native_arguments_are_in_their_own_normal_form(name: str, data: st.DataObject) -> None:
    """What `native` gives is one value per spatial axis with nothing left to fill in, under keys
    the convention has.
    """
    geometry = data.draw(geometries(name))
    native = conventions.get(name).native(geometry)
    assume(not isinstance(native, Unrepresentable))
    assert normal_form(name, native, geometry.rank) == native


@pytest.mark.parametrize(
    "name", [name for name in conventions.NAMES if name != "jax"]
)  # JAX spells every window
@given(geometry=GEOMETRIES)
def test_the_reason_is_one_sentence(name: str, geometry: Geometry) -> None:
    """An Unrepresentable says why in one sentence on one line."""
    answer = conventions.get(name).native(geometry)
    assume(isinstance(answer, Unrepresentable))
    reason = answer.reason
    assert reason[0].isupper() or reason.startswith("flax.nnx")
    assert reason.endswith(".")
    assert "\n" not in reason
    assert ". " not in reason


@given(geometry=GEOMETRIES)
def test_torch_is_symmetric_with_a_small_output_padding(geometry: Geometry) -> None:
    """Torch has a spelling exactly where the start loses q more than the end, 0 <= q < max(stride,
    dilation).
    """
    native = conventions.get("torch").native(geometry)
    possible = all(
        axis.crop_low >= 0 and 0 <= axis.crop_low - axis.crop_high < max(axis.stride, axis.dilation)
        for axis in geometry.axes
    )
    assert isinstance(native, dict) == possible
    if possible:
        assert native["padding"] == [axis.crop_low for axis in geometry.axes]
        limits = [max(axis.stride, axis.dilation) for axis in geometry.axes]
        assert all(
            0 <= extra < limit
            for extra, limit in zip(native["output_padding"], limits, strict=True)
        )


@pytest.mark.parametrize(
    ("low", "high", "pads", "extra"),
    [
        (1, 1, [1, 1], 0),
        (2, 1, [2, 2], 1),
        (1, 2, [1, 2], 0),
        (3, 1, [3, 1], 0),
        (0, -1, [0, 0], 1),
        (1, 0, [1, 1], 1),
    ],
)
def test_onnx_prefers_symmetric_pads(low: int, high: int, pads: list[int], extra: int) -> None:
    """ONNX has symmetric pads with an output_padding where torch would, else the pads that are
    cut.
    """
    native = conventions.get("onnx").native(one_axis(low=low, high=high))
    assert isinstance(native, dict)
    assert (native["pads"], native["output_padding"]) == (pads, [extra])


@pytest.mark.parametrize(("stride", "dilation"), [(1, 3), (3, 1), (3, 2)])
@pytest.mark.parametrize("name", ["torch", "onnx"])
def test_output_padding_stays_below_the_larger_of_stride_and_dilation(
    name: str, stride: int, dilation: int
) -> None:
    """An appended zero more than that, and neither torch nor ONNX has a spelling."""
    convention = conventions.get(name)
    most = max(stride, dilation) - 1
    assert isinstance(
        convention.native(one_axis(low=0, high=-most, stride=stride, dilation=dilation)), dict
    )
    assert isinstance(
        convention.native(one_axis(low=0, high=-most - 1, stride=stride, dilation=dilation)),
        Unrepresentable,
    )


@pytest.mark.parametrize("rank", [1, 2])
def test_tensorflow_appends_fewer_zeros_than_the_stride(rank: int) -> None:
    """The output of the largest size that its convolution brings back is the last with a
    spelling.
    """
    least, most = (
        Axis(size=3, kernel=3, stride=2, crop_low=0, crop_high=-extra) for extra in (1, 2)
    )
    assert isinstance(conventions.get("tensorflow").native(Geometry(axes=(least,) * rank)), dict)
    assert isinstance(
        conventions.get("tensorflow").native(Geometry(axes=(most,) * rank)), Unrepresentable
    )


def test_onnx_lists_all_begins_before_all_ends() -> None:
    """Pads of two axes are [begin, begin, end, end]."""
    axes = (
        Axis(size=3, kernel=5, crop_low=1, crop_high=2),
        Axis(size=3, kernel=5, crop_low=3, crop_high=4),
    )
    native = conventions.get("onnx").native(Geometry(axes=axes))
    assert isinstance(native, dict)
    assert native["pads"] == [1, 3, 2, 4]


@pytest.mark.parametrize(
    ("kernel", "stride", "low", "high", "padding", "extra"),
    [
        (3, 2, 0, 0, "valid", None),
        (3, 2, 0, 1, "same", None),
        (4, 2, 1, 1, "same", None),
        (2, 2, 0, 0, "valid", None),
        (3, 2, 0, -1, "valid", [1]),
        (3, 1, 1, 1, "same", None),
        (5, 2, 2, 2, "same", [0]),
        (4, 2, 2, 2, "same", [0]),
        (4, 2, 1, 2, "same", [1]),
        (2, 4, 0, -2, "valid", None),
    ],
)
def test_keras_prefers_valid_and_no_output_padding(
    kernel: int, stride: int, low: int, high: int, padding: str, extra: list[int] | None
) -> None:
    """Keras says valid where it fits, then same, and only then either with an output_padding below
    strides.
    """
    native = conventions.get("keras").native(
        one_axis(low=low, high=high, kernel=kernel, stride=stride)
    )
    assert isinstance(native, dict)
    assert (native["padding"], native["output_padding"]) == (padding, extra)


@pytest.mark.parametrize(
    ("low", "high", "padding"),
    [
        (0, 0, "VALID"),
        (0, -1, "VALID"),
        (0, 1, "SAME"),
        (1, 1, "SAME"),
        (1, 0, [[1, 0]] * 2),
        (2, -1, [[2, 0]] * 2),
    ],
)
def test_tensorflow_prefers_named_padding(low: int, high: int, padding: Any) -> None:
    """TensorFlow says SAME or VALID where an output_shape gives that window, else explicit pads, in
    2-D.
    """
    axis = Axis(size=3, kernel=3, stride=2, crop_low=low, crop_high=high)
    native = conventions.get("tensorflow").native(Geometry(axes=(axis, axis)))
    assert isinstance(native, dict)
    assert native["padding"] == padding
    assert native["output_shape"] == [axis.out, axis.out]


@pytest.mark.parametrize("rank", [1, 3])
def test_tensorflow_has_explicit_padding_in_2d_only(rank: int) -> None:
    """A window that neither SAME nor VALID takes has no spelling in 1-D and 3-D."""
    axis = Axis(size=3, kernel=3, stride=2, crop_low=1, crop_high=0)
    assert isinstance(
        conventions.get("tensorflow").native(Geometry(axes=(axis,) * rank)), Unrepresentable
    )
    assert isinstance(conventions.get("tensorflow").native(Geometry(axes=(axis,) * 2)), dict)


@pytest.mark.parametrize("name", ["keras", "flax"])
def test_keras_and_flax_have_no_groups(name: str) -> None:
    """Groups have no spelling where the layer has none."""
    geometry = Geometry(axes=(Axis(size=3, kernel=3),), groups=2)
    assert isinstance(conventions.get(name).native(geometry), Unrepresentable)


def test_keras_has_no_strides_with_dilation() -> None:
    """Strides and dilation both above 1 have no spelling in Keras, whichever axes they are on."""
    axes = (Axis(size=3, kernel=3, stride=2), Axis(size=3, kernel=3, dilation=2))
    assert isinstance(conventions.get("keras").native(Geometry(axes=axes)), Unrepresentable)


@pytest.mark.parametrize(
    ("convention", "key"), [("jax", "rhs_dilation"), ("flax", "kernel_dilation")]
)
@given(data=st.data())
def test_jax_and_flax_spell_every_window_of_one_group(
    convention: str, key: str, data: st.DataObject
) -> None:
    """Explicit pairs of the dilated input exist for every window of one group."""
    geometry = data.draw(GEOMETRIES.filter(lambda geometry: geometry.groups == 1))
    native = conventions.get(convention).native(geometry)
    assert isinstance(native, dict)
    assert native[key] == list(geometry.dilation)


def test_torch_three_two_one_one_is_not_keras_same() -> None:
    """Kernel 3, stride 2, padding 1, output_padding 1 cuts the start where `same` cuts the end: one
    shape, shifted by one.
    """
    torch = window("torch", {"stride": 2, "padding": 1, "output_padding": 1})
    same = window("keras", {"strides": 2, "padding": "same"})
    assert (torch, same) == ((1, 0), (0, 1))


def test_output_padding_does_not_bring_keras_to_torch() -> None:
    """Keras's `same` with output_padding 1 keeps the first element that torch's padding 1 cuts."""
    assert window("keras", {"strides": 2, "padding": "same", "output_padding": 1})[0] == 0


@pytest.mark.parametrize(("kernel", "padding"), [(4, 1), (2, 0)])
def test_even_kernels_of_torch_agree_with_same(kernel: int, padding: int) -> None:
    """4/2/1/0 and 2/2/0/0 are `same` in Keras, TensorFlow, JAX and ONNX alike."""
    torch = window("torch", {"stride": 2, "padding": padding}, kernel=kernel)
    assert window("keras", {"strides": 2, "padding": "same"}, kernel=kernel) == torch
    assert window("tensorflow", {"strides": 2, "padding": "SAME"}, kernel=kernel) == torch
    assert window("jax", {"strides": 2, "padding": "SAME"}, kernel=kernel) == torch
    assert window("onnx", {"strides": 2, "auto_pad": "SAME_UPPER"}, kernel=kernel) == torch


def test_torch_nine_four_four_three_is_valid_and_a_crop() -> None:
    """Kernel 9, stride 4, padding 4, output_padding 3 is the window of `valid` less 4 at the start
    and 1 at the end.
    """
    torch = window("torch", {"stride": 4, "padding": 4, "output_padding": 3}, kernel=9)
    low, high = window("keras", {"strides": 4, "padding": "valid"}, kernel=9)
    assert torch == (low + 4, high + 1)


@given(kernel=st.integers(1, 7), stride=st.integers(1, 5), size=st.integers(1, 6))
def test_same_takes_one_window_in_keras_tensorflow_and_jax(
    kernel: int, stride: int, size: int
) -> None:
    """`same` has size * stride elements and one start in Keras, TensorFlow, JAX and Flax, kernels
    below strides included.
    """
    same = window("keras", {"strides": stride, "padding": "same"}, size=size, kernel=kernel)
    assert size * stride == (size - 1) * stride + kernel - sum(same)
    assert window("tensorflow", {"strides": stride}, size=size, kernel=kernel) == same
    assert window("jax", {"strides": stride}, size=size, kernel=kernel) == same
    assert window("flax", {"strides": stride}, size=size, kernel=kernel) == same


@given(kernel=st.integers(1, 7), stride=st.integers(1, 5), size=st.integers(1, 6))
def test_valid_takes_one_window_in_keras_tensorflow_and_jax(
    kernel: int, stride: int, size: int
) -> None:
    """`valid` keeps everything and appends zeros where the stride exceeds the kernel, in Keras,
    TensorFlow, JAX and Flax.
    """
    expected = (0, -max(stride - kernel, 0))
    assert (
        window("keras", {"strides": stride, "padding": "valid"}, size=size, kernel=kernel)
        == expected
    )
    assert (
        window("tensorflow", {"strides": stride, "padding": "VALID"}, size=size, kernel=kernel)
        == expected
    )
    assert (
        window("jax", {"strides": stride, "padding": "VALID"}, size=size, kernel=kernel) == expected
    )
    assert (
        window("flax", {"strides": stride, "padding": "VALID"}, size=size, kernel=kernel)
        == expected
    )


@given(kernel=st.integers(1, 6), padding=st.integers(0, 5), stride=st.integers(1, 4))
def test_jax_pads_agree_with_torch_where_kernel_is_twice_the_padding_and_one(
    kernel: int, padding: int, stride: int
) -> None:
    """Number padding in JAX is torch's exactly where kernel = 2 * padding + 1, or always with
    use_consistent_padding.
    """
    torch = window("torch", {"stride": stride, "padding": padding}, kernel=kernel)
    jax = {"strides": stride, "padding": padding}
    assert (window("jax", jax, kernel=kernel) == torch) == (kernel == 2 * padding + 1)
    assert window("jax", {**jax, "use_consistent_padding": True}, kernel=kernel) == torch


def test_the_odd_element_goes_to_the_end_with_same_upper_alone() -> None:
    """Of an odd total the beginning loses the larger share with SAME_LOWER and with output_shape,
    the smaller with SAME_UPPER.
    """
    assert window("onnx", {"strides": 2, "auto_pad": "SAME_UPPER"}) == (0, 1)
    assert window("onnx", {"strides": 2, "auto_pad": "SAME_LOWER"}) == (1, 0)
    assert window("onnx", {"strides": 2, "output_shape": 8}) == (1, 0)


def test_onnx_valid_ignores_pads() -> None:
    """auto_pad VALID cuts nothing."""
    assert window("onnx", {"strides": 2, "pads": [1, 1], "auto_pad": "VALID"}) == (0, 0)


def test_torch_output_size_is_resolved_to_an_output_padding() -> None:
    """An output_size gives the window that reaches it, with the padding given."""
    assert window("torch", {"stride": 2, "padding": 1, "output_size": 8}) == (1, 0)


def test_keras_start_depends_on_output_padding() -> None:
    """With `same`, a larger output_padding moves the start as well as the end."""
    starts = [
        window("keras", {"strides": 4, "padding": "same", "output_padding": q}, kernel=7)[0]
        for q in range(4)
    ]
    assert starts == [3, 2, 2, 1]


def test_generic_arguments_are_torchs_where_padding_is_symmetric() -> None:
    """The canonical torch arguments of a generic case are the ones it was written with."""
    geometry = from_padding(
        size=[4], kernel=[3], stride=[2], padding=[(1, 1)], output_padding=[1], dilation=[1]
    )
    assert conventions.get("torch").native(geometry) == {
        "stride": [2], "padding": [1], "output_padding": [1], "dilation": [1], "groups": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "native", "expected"),
    [
        (
            "torch",
            {"stride": 2},
            {
                "stride": [2, 2],
                "padding": [0, 0],
                "output_padding": [0, 0],
                "dilation": [1, 1],
                "groups": 1,
            },
        ),
        (
            "keras",
            {"padding": "same"},
            {"strides": [1, 1], "padding": "same", "output_padding": None, "dilation_rate": [1, 1]},
        ),
        (
            "tensorflow",
            {},
            {"strides": [1, 1], "padding": "SAME", "dilations": [1, 1], "groups": 1},
        ),
        (
            "tensorflow",
            {"padding": [[0, 0], [1, 2], [3, 4], [0, 0]], "output_shape": [5, 6]},
            {
                "strides": [1, 1],
                "padding": [[1, 2], [3, 4]],
                "output_shape": [5, 6],
                "dilations": [1, 1],
                "groups": 1,
            },
        ),
        (
            "jax",
            {"padding": 1},
            {
                "strides": [1, 1],
                "padding": [[1, 1], [1, 1]],
                "rhs_dilation": [1, 1],
                "transpose_kernel": False,
                "feature_group_count": 1,
            },
        ),
        (
            "flax",
            {"padding": [[1, 0], [2, 3]]},
            {
                "strides": [1, 1],
                "padding": [[1, 0], [2, 3]],
                "kernel_dilation": [1, 1],
                "transpose_kernel": False,
            },
        ),
        (
            "onnx",
            {"pads": 1},
            {
                "strides": [1, 1],
                "dilations": [1, 1],
                "group": 1,
                "output_padding": [0, 0],
                "pads": [1, 1, 1, 1],
            },
        ),
    ],
)
def test_a_number_stands_for_every_axis_and_defaults_are_filled_in(
    name: str, native: dict[str, Any], expected: dict[str, Any]
) -> None:
    """The normal form has one value per spatial axis, the framework's defaults, and no optional key
    that was not given.
    """
    assert normal_form(name, native, 2) == expected


@pytest.mark.parametrize(
    ("name", "native", "key"),
    [
        ("torch", {"strides": 2}, "strides"),
        ("torch", {"stride": [2]}, "stride"),
        ("torch", {"stride": True}, "stride"),
        ("torch", {"stride": 1.5}, "stride"),
        ("torch", {"stride": "2"}, "stride"),
        ("torch", {"padding": "same"}, "padding"),
        ("torch", {"groups": [1]}, "groups"),
        ("torch", {"padding": None}, "padding"),
        ("keras", {"padding": "SAME"}, "padding"),
        ("keras", {"groups": 2}, "groups"),
        ("keras", {"output_padding": [1]}, "output_padding"),
        ("tensorflow", {"padding": "same"}, "padding"),
        ("tensorflow", {"padding": [[0, 0], [1, 1, 1]]}, "padding"),
        ("jax", {"padding": [[1, 1]]}, "padding"),
        ("jax", {"transpose_kernel": 1}, "transpose_kernel"),
        ("flax", {"padding": "CIRCULAR"}, "padding"),
        ("onnx", {"pads": [1, 1]}, "pads"),
        ("onnx", {"auto_pad": "SAME"}, "auto_pad"),
        ("onnx", {"kernel_shape": [3]}, "kernel_shape"),
    ],
)
def test_an_argument_of_the_wrong_form_is_refused_by_its_key(
    name: str, native: dict[str, Any], key: str
) -> None:
    """An unknown key or a value of the wrong form names its key and says what would be right."""
    with pytest.raises(ArgumentError, match=r"should be|should have") as caught:
        normal_form(name, native, 2)
    assert caught.value.key == key
    assert str(caught.value) == f"{key}: {caught.value.text}"


def test_a_convention_that_does_not_exist_is_a_key_error() -> None:
    """Only the six conventions have a module."""
    with pytest.raises(KeyError, match="caffe"):
        conventions.get("caffe")
