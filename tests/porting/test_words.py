"""The porter reads what people have in hand: normalised layers, arithmetic, printed modules and
nodes, layers of other versions, and layers themselves.
"""

from __future__ import annotations

import time
from random import Random
from typing import Any

import pytest

from conformance.errors import PortError
from conformance.porting import Port, calls, port

TORCH_EXPORTED = """\
class GraphModule(torch.nn.Module):
    def forward(self, p_0_weight: "f32[4, 3, 4, 4]", p_0_bias: "f32[3]", input: "f32[1, 4, 5, 7]"):
        input_1 = input

        # File: conv.py:1198 in forward, code: return F.conv_transpose2d(
        convolution: "f32[1, 3, 11, 15]" = torch.ops.aten.convolution.default(input_1, p_0_weight, \
p_0_bias, [2, 2], [1, 1], [1, 1], True, [1, 1], 1);  input_1 = p_0_weight = p_0_bias = None
        return (convolution,)
"""
TORCH_PRINTED = """\
(up): ParametrizedConvTranspose1d(
  512, 256, kernel_size=(16,), stride=(8,), padding=(4,)
  (parametrizations): ModuleDict(
    (weight): ParametrizationList(
      (0): _WeightNorm()
    )
  )
)"""
LINEN_PRINTED = """\
ConvTranspose(
    # attributes
    features = 4
    kernel_size = (3, 3)
    strides = (2, 2)
    padding = 'SAME'
    dtype = None
    kernel_init = init
    transpose_kernel = False
)"""
NNX_PRINTED = """\
ConvTranspose( # Param: 111 (444 B)
  kernel_size=(3, 3),
  in_features=4,
  out_features=3,
  strides=2,
  promote_dtype=<function promote_dtype at 0x7ff4d1b819e0>,
  kernel=Param( # 108 (432 B)
    value=Array(shape=(3, 3, 4, 3), dtype=dtype('float32'))
  )
)"""
EXPORTER = """\
graph(%x : Float(1, 4, 8, 8, strides=[256, 64, 8, 1], requires_grad=0, device=cpu),
      %0.weight : Float(4, 3, 4, 4, strides=[48, 16, 4, 1], requires_grad=1, device=cpu)):
  %y : Float(1, 3, 17, 17, strides=[867, 289, 17, 1]) = onnx::ConvTranspose[dilations=[1, 1], \
group=1, kernel_shape=[4, 4], output_padding=[1, 1], pads=[1, 1, 1, 1], strides=[2, 2], \
onnx_name="/0/ConvTranspose"](%x, %0.weight, %0.bias), scope: torch.nn.ConvTranspose2d::0
"""
IR_PRINTED = """\
graph(
    name=main_graph,
    inputs=(
        %"input"<FLOAT,[1,4,8,8]>
    ),
    initializers=(
        %"0.weight"<FLOAT,[4,3,4,4]>{TorchTensor(...)},
    ),
) {
    0 |  # node_convolution
         %"convolution"<FLOAT,[1,3,16,16]> \u2b05\ufe0f ::ConvTranspose(%"input", \
%"0.weight"{...}) {group=1, auto_pad='NOTSET', strides=(2, 2), pads=(1, 1, 1, 1), \
kernel_shape=(4, 4)}
}"""


def read(framework: str, text: str) -> tuple[Any, ...]:
    """What a call comes to: rank, kernel, channels, groups, bias and the crops of an 8 wide
    input.
    """
    other = "torch" if framework != "torch" else "keras"
    one = port(text, source=framework, target=other, prove=False)
    layer = calls.read(text, framework)
    crops = [(axis.crop_low, axis.crop_high) for axis in one.geometry.axes]
    return layer.kernel, layer.c_in, layer.c_out, layer.groups, layer.bias, crops


def ported(text: Any, source: str | None = "torch", target: str = "keras") -> Port:
    return port(text, source=source, target=target, prove=False)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        (
            "weight_norm(nn.ConvTranspose1d(512, 256, 16, 8, padding=4))",
            'Conv1DTranspose(256, 16, strides=8, padding="same")',
        ),
        (
            "nn.utils.parametrizations.spectral_norm(nn.ConvTranspose2d(64, 32, 4, 2, 1))(x)",
            'Conv2DTranspose(32, 4, strides=2, padding="same")',
        ),
        (
            "weight_norm(module=nn.ConvTranspose1d(4, 2, 4), name='weight')",
            'Conv1DTranspose(2, 4, strides=1, padding="valid")',
        ),
        (
            "WNConvTranspose1d(512, 256, kernel_size=16, stride=8, padding=4)",
            'Conv1DTranspose(256, 16, strides=8, padding="same")',
        ),
        (TORCH_PRINTED, 'Conv1DTranspose(256, 16, strides=8, padding="same")'),
    ],
)
def test_a_layer_in_a_normalisation_is_ported_and_its_weights_are_the_effective_ones(
    text: str, call: str
) -> None:
    """The answer is that of the layer inside, and a note says which weights are to be converted."""
    answer = ported(text)
    assert answer.target_call == f"keras.layers.{call}"
    assert sum("effective" in note for note in answer.notes) == 1


@pytest.mark.parametrize(
    ("text", "call"),
    [
        (
            "nn.ConvTranspose2d(64 * 8, 64 * 4, 4, 2, 1, bias=False)",
            'Conv2DTranspose(256, 4, strides=2, padding="same", use_bias=False)',
        ),
        (
            "ConvTranspose1d(512, 256, 16, 8, padding=(16 - 8) // 2)",
            'Conv1DTranspose(256, 16, strides=8, padding="same")',
        ),
        (
            "nn.ConvTranspose1d(512, 256, kernel_size=2 * 3, stride=3, padding=math.ceil(3 / 2),"
            " output_padding=3 % 2)",
            'Conv1DTranspose(256, 6, strides=3, padding="valid")',
        ),
        (
            "k, u = 16, 8\nself.up = ConvTranspose1d(2 ** 9, 256, k, u, padding=(k - u) // 2)",
            'Conv1DTranspose(256, 16, strides=8, padding="same")',
        ),
        ("nn.ConvTranspose2d(4, 2, (3,) * 2)", 'Conv2DTranspose(2, 3, strides=1, padding="valid")'),
        (
            "nn.ConvTranspose2d(4, 2, int(9 / 3), -(-2))",
            'Conv2DTranspose(2, 3, strides=2, padding="valid")',
        ),
    ],
)
def test_arithmetic_is_worked_out_as_python_would(text: str, call: str) -> None:
    """Sums, quotients and ceilings of literals, and of names that the text gives a number."""
    assert ported(text).target_call == f"keras.layers.{call}"


def test_a_name_for_channels_passes_through_and_one_for_the_window_does_not() -> None:
    """The window does not depend on channels; the code has a number, and a note says which."""
    answer = ported("nn.ConvTranspose2d(nz, ngf * 8, 4, 1, 0, bias=use_bias)")
    assert answer.target_call.startswith("keras.layers.Conv2DTranspose(ngf * 8, 4,")
    assert "ngf" not in answer.code
    assert [word for word in ("nz", "ngf * 8", "use_bias") if word in " ".join(answer.notes)] == [
        "nz",
        "ngf * 8",
        "use_bias",
    ]
    with pytest.raises(PortError, match="stride is u, should be a literal"):
        ported("nn.ConvTranspose2d(nz, ngf * 8, 4, u)")


@pytest.mark.parametrize(
    ("source", "text", "owner"),
    [
        ("torch", "eqx.nn.ConvTranspose2d(32, 64, 4, 2, 1)", "Equinox"),
        ("torch", "mlx.nn.ConvTranspose2d(32, 64, 4, 2, 1)", "MLX"),
        ("keras", "paddle.nn.Conv2DTranspose(64, 32, 3)", "Paddle"),
        ("keras", "nn.Conv2DTranspose(64, 32, 3)", "Paddle"),
        ("torch", "mindspore.nn.Conv2dTranspose(3, 4, 5)", "MindSpore"),
        ("keras", "hk.Conv2DTranspose(64, 3, 2)", "Haiku"),
        ("torch", "jt.nn.ConvTranspose(3, 4, 5)", "Jittor"),
        ("torch", "keras.layers.Conv2DTranspose(3, 4)", "keras"),
        ("jax", "keras.ops.conv_transpose(x, (3, 3, 4, 4), 2)", "keras"),
        ("torch", "weight_norm(eqx.nn.ConvTranspose2d(32, 64, 4, 2, 1))", "Equinox"),
    ],
)
def test_a_prefix_of_another_library_is_refused_in_a_sentence(
    source: str, text: str, owner: str
) -> None:
    """Equinox' third to sixth arguments are not torch's, nor is anything of Paddle Keras'."""
    with pytest.raises(PortError, match=f"{owner}'s|{owner} in nn|not Keras'") as caught:
        ported(text, source, "onnx")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("prefix", ["", "nn.", "torch.nn.", "self.layers.", "my.module."])
def test_a_prefix_of_ones_own_is_none_of_another_library(prefix: str) -> None:
    """What stands before a name is the importing program's matter."""
    assert ported(f"{prefix}ConvTranspose2d(4, 2, 3)").kernel == (4, 2, 3, 3)


@pytest.mark.parametrize(
    ("framework", "text", "expected"),
    [
        (
            "flax",
            'nn.ConvTranspose(features=64, kernel_size=(4, 4), strides=(2, 2), padding="SAME",'
            " transpose_kernel=True)",
            ((4, 4), None, 64, 1, True, [(1, 1)] * 2),
        ),
        ("flax", "nn.ConvTranspose(64, 4, (2,), 'VALID')", ((4,), None, 64, 1, True, [(0, 0)])),
        ("flax", LINEN_PRINTED, ((3, 3), None, 4, 1, True, [(0, 1)] * 2)),
        ("flax", NNX_PRINTED, ((3, 3), 4, 3, 1, True, [(0, 1)] * 2)),
        (
            "tensorflow",
            'tf.layers.conv2d_transpose(x, 64, 5, strides=2, padding="same")',
            ((5, 5), None, 64, 1, True, [(1, 2)] * 2),
        ),
        (
            "keras",
            'tf.layers.conv2d_transpose(x, 64, 5, strides=2, padding="same")',
            ((5, 5), None, 64, 1, True, [(1, 2)] * 2),
        ),
        (
            "tensorflow",
            "tf.compat.v1.layers.Conv3DTranspose(8, 5, 2, 'same', 'channels_last', None, False)",
            ((5, 5, 5), None, 8, 1, False, [(1, 2)] * 3),
        ),
        (
            "tensorflow",
            "slim.conv2d_transpose(net, 64, [4, 4], stride=2)",
            ((4, 4), None, 64, 1, True, [(1, 1)] * 2),
        ),
        (
            "tensorflow",
            "tf.contrib.layers.conv2d_transpose(x, 64, 4, 2, 'VALID', normalizer_fn=bn)",
            ((4, 4), None, 64, 1, False, [(0, 0)] * 2),
        ),
        (
            "tensorflow",
            "tf.nn.conv2d_transpose(value=x, filter=(4, 4, 3, 8), strides=[1, 2, 2, 1])",
            ((4, 4), 8, 3, 1, False, [(1, 1)] * 2),
        ),
        (
            "torch",
            "aten.convolution(x, (4, 3, 4, 4), None, [2, 2], [1, 1], [1, 1], transposed=True,"
            " output_padding=[0, 0], groups=2)",
            ((4, 4), 4, 6, 2, False, [(1, 1)] * 2),
        ),
        ("torch", TORCH_EXPORTED, ((4, 4), 4, 3, 1, True, [(1, 0)] * 2)),
        (
            "torch",
            "%c : [num_users=1] = call_function[target=torch.ops.aten.convolution.default](args = "
            "(%x, (4, 3, 4, 4), %b, [2, 2], [1, 1], [1, 1], True, [1, 1], 1), kwargs = {})",
            ((4, 4), 4, 3, 1, True, [(1, 0)] * 2),
        ),
        (
            "torch",
            "torch.ops.aten.conv_transpose2d.input(x, (4, 3, 4, 4), b, [2, 2], [1, 1], [1, 1])",
            ((4, 4), 4, 3, 1, True, [(1, 0)] * 2),
        ),
        (
            "torch",
            "LazyConvTranspose2d(0, 6, kernel_size=(3, 3), stride=(1, 1))",
            ((3, 3), None, 6, 1, True, [(0, 0)] * 2),
        ),
        ("onnx", EXPORTER, ((4, 4), 4, 3, 1, True, [(1, 0)] * 2)),
        ("onnx", IR_PRINTED, ((4, 4), 4, 3, 1, False, [(1, 1)] * 2)),
        (
            "onnx",
            "%y = ConvTranspose[group = 1, kernel_shape = [3, 3], pads = [1, 1, 1, 1]](%x, %w)",
            ((3, 3), None, None, 1, False, [(1, 1)] * 2),
        ),
        (
            "onnx",
            '[up] y = ConvTranspose <auto_pad: string = "SAME_LOWER", kernel_shape: ints = [3, 3],'
            " strides: ints = [2, 2]> (x, w, b)",
            ((3, 3), None, None, 1, True, [(1, 0)] * 2),
        ),
        (
            "onnx",
            "ConvTranspose\ndilations 1, 1\ngroup 1\nkernel_shape 4, 4\npads 1, 1, 1, 1\n"
            "strides 2, 2",
            ((4, 4), None, None, 1, True, [(1, 1)] * 2),
        ),
        (
            "onnx",
            'node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], kernel_shape=[3])',
            ((3,), None, None, 1, False, [(0, 0)]),
        ),
    ],
)
def test_what_people_have_in_hand_is_read_as_its_framework_means_it(
    framework: str, text: str, expected: Any
) -> None:
    """Linen, TensorFlow 1, aten, and what frameworks and exporters print."""
    assert read(framework, text) == expected


def test_a_node_that_protobuf_prints_is_read() -> None:
    """`print(node)`, and ONNX' own two printers, of one node."""
    helper = pytest.importorskip("onnx.helper")
    printer = pytest.importorskip("onnx.printer")
    attributes = {"strides": [2, 3], "pads": [0, 1, 1, 1], "kernel_shape": [3, 5], "group": 2}
    node = helper.make_node("ConvTranspose", ["x", "w", "b"], ["y"], name="up", **attributes)
    windows = [
        [
            (axis.crop_low, axis.crop_high, axis.stride)
            for axis in ported(text, "onnx").geometry.axes
        ]
        for text in (str(node), helper.printable_node(node), printer.to_text(node))
    ]
    assert windows == [[(0, 1, 2), (1, 1, 3)]] * 3


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of torch.export, about itself
def test_what_torch_prints_and_exports_is_the_layer_itself() -> None:
    """The object, its print, and the print of its export come to one window."""
    torch = pytest.importorskip("torch")
    layer = torch.nn.ConvTranspose2d(4, 6, (3, 4), 2, 1, output_padding=1, groups=2)
    program = torch.export.export(layer, (torch.ones(1, 4, 8, 8),))
    texts = [repr(layer), str(program), str(program.run_decompositions())]
    answers = [ported(layer, None), *(ported(text) for text in texts)]
    assert len({(one.geometry, one.kernel) for one in answers}) == 1


def test_layers_of_every_framework_are_ported_themselves() -> None:
    """Layers of torch, Keras, nnx and Linen, and torch's with normalised weights."""
    torch = pytest.importorskip("torch")
    keras = pytest.importorskip("keras")
    nnx = pytest.importorskip("flax.nnx")
    linen = pytest.importorskip("flax.linen")
    normalised = torch.nn.utils.parametrizations.weight_norm(torch.nn.ConvTranspose1d(4, 2, 16, 8))
    built = keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")
    built.build((None, None, None, 5))
    answers = [
        ported(layer, None, "onnx")
        for layer in (
            torch.nn.ConvTranspose2d(4, 2, 3, stride=2, bias=False),
            normalised,
            built,
            nnx.ConvTranspose(4, 2, (3, 3), strides=2, rngs=nnx.Rngs(0)),
            linen.ConvTranspose(4, (3, 3)),
        )
    ]
    assert [one.source for one in answers] == ["torch", "torch", "keras", "flax", "flax"]
    assert [one.kernel[:2] for one in answers] == [(4, 2), (4, 2), (5, 4), (4, 2), (2, 4)]
    assert any("weight_norm" in note for note in answers[1].notes)
    assert any("relu" in note for note in answers[2].notes)
    for wrong in (torch.nn.Conv2d(1, 1, 1), 3):
        with pytest.raises(PortError, match="should be a transposed convolution of"):
            ported(wrong, None, "onnx")


@pytest.mark.parametrize(
    "text",
    [
        "ConvTranspose2d(" + "(" * 3000 + "1",
        "ConvTranspose2d(1, 1, " + "-" * 3000 + "1)",
        "ConvTranspose2d(1, 1, " + "1+" * 3000 + "1)",
        "ConvTranspose2d(1, 1, 3, device=" + "1+" * 3000 + "1)",
        "ConvTranspose2d(1, 1, 3, bias=0x" + "f" * 5000 + ")",
        "ConvTranspose2d(1, 1, 3, stride=2**2**2**2**2)",
        "ConvTranspose2d(1, 1, 3, stride=9**62)",
        "ConvTranspose2d(1, 1, 3, stride=1 // 0)",
        "ConvTranspose2d(1, 1, [1] * 10**9)",
        "ConvTranspose2d(10**12, 1, 3)",
        "ConvTranspose2d(1, 1000000000000, 3)",
        "ConvTranspose2d(1, 1, 3, stride=math.ceil(1e999))",
        "ConvTranspose2d(1, 1, 3, stride=open('x'))",
        "a" * 200_000,
    ],
    ids=lambda text: text[:40],
)
def test_a_hostile_call_is_one_sentence_at_once(text: str) -> None:
    """Depth, length and numbers are bounded, and nothing is called."""
    start = time.process_time()
    with pytest.raises(PortError) as caught:
        ported(text)
    assert time.process_time() - start < 1
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "text",
    [
        '{"kernel_shape": [3, ' + "9" * 5000 + "]}",
        "%y = ConvTranspose[kernel_shape=[" + "9" * 5000 + "]](%x, %w)",
        "%y = ConvTranspose[kernel_shape=[3, 3](%x, %w)",
        "%y = ConvTranspose[kernel_shape=[3, 3], what ever](%x, %w)",
        "a = ConvTranspose <kernel_shape = [3]> (x, w)\n"
        "b = ConvTranspose <kernel_shape = [3]> (a, w)",
    ],
    ids=lambda text: text[:40],
)
def test_a_hostile_node_is_one_sentence(text: str) -> None:
    """The same of nodes that are printed."""
    with pytest.raises(PortError) as caught:
        ported(text, "onnx")
    assert "\n" not in str(caught.value)


PIECES = [
    *"()[]{}<>,.:=%*'\"\\ \n019-+;#",
    "**",
    "1e9",
    "None",
    "(1,)",
    "0x1",
    "k",
    "1" * 20,
    "...",
]


@pytest.mark.parametrize(
    ("framework", "text"),
    [
        ("torch", TORCH_EXPORTED),
        ("torch", TORCH_PRINTED),
        ("torch", "k, u = 16, 8\nweight_norm(nn.ConvTranspose1d(64 * 8, c, k, u, (k - u) // 2))"),
        ("flax", NNX_PRINTED),
        ("onnx", EXPORTER),
        ("onnx", IR_PRINTED),
    ],
)
def test_a_text_with_letters_changed_is_read_or_refused_in_a_sentence(
    framework: str, text: str
) -> None:
    """500 texts, each with up to six pieces put in, left out or doubled."""
    random = Random(f"{framework} {text}")
    refusals = []
    for _ in range(500):
        letters = [*text]
        for _ in range(random.randint(1, 6)):
            place = random.randrange(len(letters) + 1)
            kind = random.random()
            if kind < 0.4:
                letters[place : place + random.randint(0, 3)] = [random.choice(PIECES)]
            elif kind < 0.7:
                del letters[place : place + random.randint(1, 6)]
            else:
                start = random.randrange(len(letters) + 1)
                letters[place:place] = letters[start : start + random.randint(1, 20)]
        try:
            ported("".join(letters), framework, "onnx" if framework != "onnx" else "torch")
        except PortError as error:
            refusals.append(str(error))
    assert 0 < len(refusals) < 500
    assert not any("\n" in refusal for refusal in refusals)


def test_linen_and_the_layers_of_tensorflow_1_are_proved() -> None:
    """Linen is run itself; tf.layers is Keras' layer by another name."""
    for package in ("torch", "flax", "keras"):
        pytest.importorskip(package)
    for text, source in (
        ("nn.ConvTranspose(3, (4, 4), (2, 2), transpose_kernel=True)", "flax"),
        ("nn.ConvTranspose(3, (3,), (2,), 'VALID', use_bias=False)", "flax"),
        ("tf.layers.conv2d_transpose(x, 3, 5, strides=2, padding='same')", "tensorflow"),
    ):
        proof = port(text, source=source, target="torch").proof
        assert proof is not None
        assert proof.agrees
        assert not any("oracle" in word for word in proof.by)
