"""Models of one operator each, in ways in which readers of ONNX went wrong."""

import numpy as np
from onnx import TensorProto as T
from onnx import helper as H
from onnx import numpy_helper as NH

rng = np.random.default_rng(5)
made = []


def f(name, v):
    return NH.from_array(np.array(v, np.float32), name)


def i64(name, v):
    return NH.from_array(np.array(v, np.int64), name)


def case(name, nodes, shape, ini=(), opset=13, x=None, it=T.FLOAT, n=5):
    graph = H.make_graph(
        nodes, "g", [H.make_tensor_value_info("x", it, ["N"] + shape)], [H.make_tensor_value_info("y", T.FLOAT, None)], list(ini)
    )
    model = H.make_model(graph, opset_imports=[H.make_opsetid("", opset)])
    model.ir_version = 8
    if x is None:
        x = rng.standard_normal([n] + shape).astype(np.float32)
    made.append((name, model, x))


def models():
    return made


N = H.make_node
for op in ("Softmax", "LogSoftmax"):
    for ax in (1, 2, 3):
        case(f"{op} opset12 axis{ax} 4D", [N(op, ["x"], ["y"], axis=ax)], [3, 4, 5], opset=12)
    case(f"{op} opset12 default 3D", [N(op, ["x"], ["y"])], [4, 5], opset=12)
for mode, ct, nm in [
    ("nearest", "asymmetric", "floor"),
    ("nearest", "half_pixel", "round_prefer_floor"),
    ("linear", "half_pixel", None),
    ("linear", "pytorch_half_pixel", None),
    ("linear", "align_corners", None),
    ("linear", "asymmetric", None),
    ("cubic", "half_pixel", None),
]:
    for sc in ([1, 1, 2, 2], [1, 1, 1.5, 1.5], [1, 1, 0.5, 0.5], [1, 1, 3, 3]):
        a = dict(mode=mode, coordinate_transformation_mode=ct)
        if nm:
            a["nearest_mode"] = nm
        case(f"Resize {mode} {ct} {nm} x{sc[2]}", [N("Resize", ["x", "", "s"], ["y"], **a)], [2, 6, 6], [f("s", sc)])
case("Pad value input", [N("Pad", ["x", "p", "v"], ["y"])], [3], [i64("p", [0, 1, 0, 1]), f("v", -1.5)])
case("Pad neg", [N("Pad", ["x", "p"], ["y"])], [4], [i64("p", [0, -1, 0, 0])])
case("Pad opset2 value attr", [N("Pad", ["x"], ["y"], pads=[0, 1, 0, 1], value=2.0)], [3], opset=10)
w = lambda *s: (rng.standard_normal(s) * 0.4).astype(np.float32)


def rnn(op, g, extra=(), nm="", **a):
    ini = [f("W", w(1, 4 * g, 3)), f("R", w(1, 4 * g, 4)), f("B", w(1, 8 * g))]
    case(
        f"{op} {nm}",
        [
            N("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
            N(op, ["t", "W", "R", "B"] + list(extra), ["", "h"], hidden_size=4, **a),
            N("Squeeze", ["h", "ax"], ["y"]),
        ],
        [6, 3],
        ini + [i64("ax", [0]), f("P", w(1, 12)), NH.from_array(np.array([6, 3, 1, 2, 6], np.int32), "sl")],
    )


rnn("LSTM", 4)
rnn("GRU", 3)
rnn("RNN", 1)
rnn("GRU", 3, nm="lbr", linear_before_reset=1)
rnn("LSTM", 4, nm="clip", clip=0.2)
rnn("GRU", 3, nm="clip", clip=0.2)
rnn("RNN", 1, nm="clip", clip=0.2)
rnn("LSTM", 4, ["", "", "", "P"], nm="peephole")
rnn("LSTM", 4, nm="input_forget", input_forget=1)
rnn("LSTM", 4, ["sl"], nm="sequence_lens")
rnn("GRU", 3, ["sl"], nm="sequence_lens")
rnn("RNN", 1, nm="acts relu", activations=["Relu"])
rnn("LSTM", 4, nm="acts HardSigmoid", activations=["HardSigmoid", "Tanh", "Tanh"])
rnn("RNN", 1, nm="leaky alpha", activations=["LeakyRelu"], activation_alpha=[0.3])
rnn("LSTM", 4, nm="reverse", direction="reverse")
W4 = f("w", w(4, 2, 3, 3))
case("Conv auto_pad SAME_LOWER s2", [N("Conv", ["x", "w"], ["y"], auto_pad="SAME_LOWER", strides=[2, 2])], [2, 7, 7], [W4])
case("Conv asym pads", [N("Conv", ["x", "w"], ["y"], pads=[0, 1, 2, 1], strides=[2, 1])], [2, 7, 7], [W4])
case("Conv dil", [N("Conv", ["x", "w"], ["y"], dilations=[2, 2])], [2, 7, 7], [W4])
case("Conv strides+dilations", [N("Conv", ["x", "w"], ["y"], dilations=[2, 2], strides=[2, 2])], [2, 9, 9], [W4])
case("Conv depthwise", [N("Conv", ["x", "w"], ["y"], group=4)], [4, 7, 7], [f("w", w(8, 1, 3, 3))])
case(
    "ConvT pads outpad",
    [N("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])],
    [4, 5, 5],
    [f("w", w(4, 3, 3, 3))],
)
case(
    "ConvT output_shape", [N("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], output_shape=[10, 10])], [4, 5, 5], [f("w", w(4, 3, 3, 3))]
)
case("ConvT dil", [N("ConvTranspose", ["x", "w"], ["y"], dilations=[2, 2])], [4, 5, 5], [f("w", w(4, 3, 3, 3))])
case("AvgPool pads", [N("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])], [2, 7, 7])
case(
    "AvgPool pads incl",
    [N("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2], count_include_pad=1)],
    [2, 7, 7],
)
case("MaxPool pads neg", [N("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])], [2, 7, 7])
case("Selu attrs", [N("Selu", ["x"], ["y"], alpha=2.0, gamma=3.0)], [4])
case("PRelu C opset6-like", [N("PRelu", ["x", "a"], ["y"])], [3, 4, 4], [f("a", w(3, 1, 1))])
case("Clip int?", [N("Clip", ["x", "", "b"], ["y"])], [4], [f("b", 0.3)])
case(
    "Cast trunc",
    [N("Cast", ["x"], ["c"], to=T.INT64), N("Cast", ["c"], ["y"], to=T.FLOAT)],
    [6],
    x=(rng.standard_normal((5, 6)) * 3).astype(np.float32),
)
case(
    "Cast uint8 wrap",
    [N("Cast", ["x"], ["c"], to=T.UINT8), N("Cast", ["c"], ["y"], to=T.FLOAT)],
    [4],
    x=np.array([[1.5, 200, 3, 255]] * 5, np.float32),
)
case(
    "Cast f16 round",
    [N("Cast", ["x"], ["c"], to=T.FLOAT16), N("Cast", ["c"], ["y"], to=T.FLOAT)],
    [4],
    x=np.array([[70000, 1e-9, 1.0001, 3]] * 5, np.float32),
)
case("Cast bool mul", [N("Greater", ["x", "z"], ["b"]), N("Cast", ["b"], ["c"], to=T.FLOAT), N("Mul", ["c", "x"], ["y"])], [4], [f("z", 0)])
case(
    "Div int neg",
    [N("Cast", ["x"], ["c"], to=T.INT64), N("Div", ["c", "d"], ["e"]), N("Cast", ["e"], ["y"], to=T.FLOAT)],
    [4],
    [i64("d", [3])],
    x=np.array([[-7, 7, -8, 8]] * 5, np.float32),
)
case("Gemm alpha beta transA? ", [N("Gemm", ["x", "w", "c"], ["y"], alpha=0.5, beta=2.0, transB=1)], [4], [f("w", w(3, 4)), f("c", w(3))])
case("Gemm scalar c", [N("Gemm", ["x", "w", "c"], ["y"])], [4], [f("w", w(4, 3)), f("c", w(1))])
case(
    "BN opset9",
    [N("BatchNormalization", ["x", "a", "b", "m", "v"], ["y"], epsilon=0.1)],
    [3, 4],
    [f("a", w(3)), f("b", w(3)), f("m", w(3)), f("v", np.abs(w(3)))],
    opset=9,
)
case("LayerNorm axis1", [N("LayerNormalization", ["x", "a", "b"], ["y"], axis=1)], [3, 4], [f("a", w(3, 4)), f("b", w(3, 4))], opset=17)
case("InstanceNorm", [N("InstanceNormalization", ["x", "a", "b"], ["y"])], [3, 4, 4], [f("a", w(3)), f("b", w(3))])
case("Gelu tanh", [N("Gelu", ["x"], ["y"], approximate="tanh")], [4], opset=20)
case("Mean bcast", [N("Mean", ["x", "a"], ["y"])], [4], [f("a", w(4))])
case("Max bcast", [N("Max", ["x", "a"], ["y"])], [3, 4], [f("a", w(3, 1))])
case("Split uneven", [N("Split", ["x"], ["y", "z"], axis=1, num_outputs=2)], [5], opset=18)
case(
    "Slice neg step", [N("Slice", ["x", "a", "b", "c", "d"], ["y"])], [6], [i64("a", [-1]), i64("b", [-100]), i64("c", [1]), i64("d", [-2])]
)
case("Slice end max", [N("Slice", ["x", "a", "b", "c"], ["y"])], [6], [i64("a", [2]), i64("b", [2**63 - 1]), i64("c", [1])])
case("Gather axis1 2D", [N("Gather", ["x", "a"], ["y"], axis=1)], [6, 2], [i64("a", [[0, -1], [3, 2]])])
case("Reshape 0 -1", [N("Reshape", ["x", "s"], ["y"])], [4, 6], [i64("s", [0, -1, 3])])
case("Flatten axis2", [N("Flatten", ["x"], ["y"], axis=1)], [4, 6])
case("ReduceMean opset18 axes", [N("ReduceMean", ["x", "a"], ["y"], keepdims=0)], [4, 6], [i64("a", [-1])], opset=18)
case("Pow neg base", [N("Pow", ["x", "e"], ["y"])], [4], [f("e", 2)])
case("HardSigmoid", [N("HardSigmoid", ["x"], ["y"], alpha=0.1666667, beta=0.5)], [4])
case("Dropout train", [N("Dropout", ["x", "r", "t"], ["y"])], [400], [f("r", 0.5), NH.from_array(np.array(False), "t")])
case("ids int64", [N("Gather", ["w", "x"], ["y"])], [3], [f("w", w(10, 4))], x=rng.integers(0, 10, (5, 3)).astype(np.int64), it=T.INT64)
case("Where bcast", [N("Less", ["x", "z"], ["b"]), N("Where", ["b", "k", "x"], ["y"])], [4], [f("z", 0), f("k", -9)])
case("Expand 2", [N("Unsqueeze", ["x", "a"], ["u"]), N("Expand", ["u", "s"], ["y"])], [4], [i64("a", [1]), i64("s", [1, 3, 1])])
case("Sign Mod", [N("Sign", ["x"], ["y"])], [4])
case("Softplus", [N("Softplus", ["x"], ["y"])], [4], x=np.array([[100, -100, 0, 1]] * 5, np.float32))
case("Asinh far", [N("Asinh", ["x"], ["y"])], [4], x=np.array([[1e20, 1e-5, -3, 2e4]] * 5, np.float32))
case("Acosh far", [N("Acosh", ["x"], ["y"])], [4], x=np.array([[1e20, 1.0001, 3, 2e4]] * 5, np.float32))
case("Sinh near", [N("Sinh", ["x"], ["y"])], [4], x=np.array([[1e-8, 1e-3, -3, 20]] * 5, np.float32))
case("Det pivots", [N("Det", ["x"], ["y"])], [3, 3], x=np.array([[[1e-4, 2e-4, 3e-4], [1e4, 1e4, 2e4], [1, 2, 4]]] * 5, np.float32))
half = lambda *inner: [N("Cast", ["x"], ["h"], to=T.FLOAT16), *inner, N("Cast", ["r"], ["y"], to=T.FLOAT)]
case("GlobalAveragePool half", half(N("GlobalAveragePool", ["h"], ["r"])), [1, 256, 256], x=np.full((1, 1, 256, 256), 2, np.float32))
case("ReduceL2 half", half(N("ReduceL2", ["h"], ["r"], axes=[1], keepdims=0)), [4], x=np.full((2, 4), 300, np.float32))
case("Resize opset10 nearest x.6", [N("Resize", ["x", "s"], ["y"], mode="nearest")], [1, 2, 4], [f("s", [1, 1, 1, 0.6])], opset=10)
case("Resize x.7", [N("Resize", ["x", "", "s"], ["y"], mode="linear")], [1, 10, 10], [f("s", [1, 1, 0.7, 0.7])])
case("Upsample opset9 x1.3", [N("Upsample", ["x", "s"], ["y"], mode="nearest")], [1, 10, 10], [f("s", [1, 1, 1.3, 1.3])], opset=9)
rnn("LSTM", 4, nm="alpha of the second", activations=["Sigmoid", "LeakyRelu", "Tanh"], activation_alpha=[0.5])
case("Max with no numbers", [N("Sqrt", ["x"], ["n"]), N("Neg", ["x"], ["m"]), N("Sqrt", ["m"], ["k"]), N("Max", ["n", "k"], ["y"])], [4])
case(
    "Expand of a scalar's shape",
    [
        N("ReduceSum", ["x"], ["s"], keepdims=0), N("Shape", ["s"], ["d"]), N("Equal", ["d", "none"], ["e"]), N("Where", ["e", "one", "d"], ["w"]),
        N("Expand", ["s", "w"], ["t"]), N("Add", ["x", "t"], ["y"]),
    ],
    [4],
    [i64("none", -1), i64("one", 1)],
)
