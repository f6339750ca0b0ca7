"""Writes what Keras computes in some hundred cases, for dl's tests to compare with.

    python -m pip install --require-hashes -r bench/peers/requirements.txt
    python dl/testdata/parity.py

    python dl/testdata/parity.py Dense Conv2D    # only cases whose names begin so

Output: parity.jsonl, a line a case: Keras's own description of the layer, loss, metric,
optimizer or schedule, and its arrays. Each case has random numbers of its own, which follow
from its name: a case more, or one that is changed, changes no other line.
"""

import base64
import itertools
import json
import os
import pathlib
import sys
import zlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(0)
cases = {}


def case(name):
    """Starts the random numbers anew for the case, before its arguments use any."""
    global rng
    seed = zlib.crc32(name.encode())
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    return name


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


def ids(n, *shape):
    return rng.integers(0, n, shape).astype("float32")


def describe(obj):
    o = keras.saving.serialize_keras_object(obj)
    return {"class_name": o["class_name"], "config": o["config"]}


def pack(a):
    """An array as its type, its shape and its bytes."""
    shape = list(np.shape(a))
    a = np.ascontiguousarray(a)  # which gives a number an axis
    if a.dtype == np.float64:
        a = a.astype("float32")
    if a.dtype == bool:
        return ["bool", shape, base64.b64encode(a.astype("uint8").tobytes()).decode()]
    return [a.dtype.name, shape, base64.b64encode(a.tobytes()).decode()]


def add(kind, name, obj, values, **more):
    key = f"{kind} {name}"
    assert key not in cases, f"two cases are called {key}"
    cases[key] = {"kind": kind, "name": name, "object": obj, **more, "arrays": {k: pack(v) for k, v in values.items()}}


def layer(name, make, *inputs, mask=None, masks=None, training=False, kwargs=None, weights=None, gradients=True, tolerance=None):
    """Output, gradients of sum(output * r) by inputs and weights, and the weights after."""
    obj = make
    xs = [tf.Variable(x) for x in inputs]
    call_kwargs = dict(kwargs or {})
    if training:
        call_kwargs["training"] = True

    def call():
        args = [tf.convert_to_tensor(x) for x in xs]
        if masks is not None:
            for a, m in zip(args, masks):
                if m is not None:
                    a._keras_mask = tf.constant(m)
        merge = isinstance(obj, (L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum, L.Concatenate, L.Dot, L.Attention, L.AdditiveAttention))
        k = dict(call_kwargs)
        if mask is not None:
            k["mask"] = tf.constant(mask)
        if isinstance(obj, L.RNN) and len(args) > 1:
            return obj(args[0], initial_state=args[1:], **k)
        y = obj(args, **k) if merge else obj(*args, **k)
        return y

    call()  # builds
    fresh = weights
    if fresh is None:
        fresh = []
        for w in obj.weights:
            v = normal(*w.shape) * 0.5
            if "variance" in w.path:
                v = np.abs(v) + 0.5
            fresh.append(v)
    if obj.weights:
        obj.set_weights(fresh)
    before = [w.numpy().copy() for w in obj.weights]
    with tf.GradientTape() as tape:
        ys = call()
        ys = tf.nest.flatten(ys)
        rs = [normal(*y.shape) for y in ys]
        total = sum(tf.reduce_sum(tf.cast(y, "float32") * r) for y, r in zip(ys, rs))
    values = {}
    for k, x in enumerate(inputs):
        values[f"x{k}"] = x
    for k, (y, r) in enumerate(zip(ys, rs)):
        values[f"y{k}"], values[f"r{k}"] = y.numpy().astype("float32"), r
    for k, w in enumerate(before):
        values[f"w{k}"] = w
    trainable = [w for w in obj.trainable_weights]
    if gradients:
        gs = tape.gradient(total, xs + [w.value for w in trainable])
        for k in range(len(xs)):
            g = gs[k]
            values[f"dx{k}"] = np.zeros_like(inputs[k]) if g is None else tf.convert_to_tensor(g).numpy()
        for k, w in enumerate(obj.weights):
            at = [j for j, t in enumerate(trainable) if t is w]
            if at:
                g = gs[len(xs) + at[0]]
                values[f"dw{k}"] = tf.convert_to_tensor(g).numpy()
    if training:
        for k, w in enumerate(obj.weights):
            values[f"after{k}"] = w.numpy()
    if mask is not None:
        values["mask0"] = mask
    for k, m in enumerate(masks or []):
        if m is not None:
            values[f"mask{k}"] = m
    more = {"training": training}
    if kwargs and kwargs.get("use_causal_mask"):
        more["causal"] = True
    if kwargs and kwargs.get("return_attention_scores"):
        more["scores"] = True
    if tolerance:
        more["tolerance"] = tolerance
    add("layer", name, describe(obj), values, **more)


def dense_and_convolutions():
    for k, (units, act, bias) in enumerate(itertools.product((1, 5), (None, "relu", "tanh"), (True, False))):
        layer(case(f"Dense units={units} activation={act} bias={bias}"), L.Dense(units, activation=act, use_bias=bias), normal(4, 7))
    layer(case("Dense on (2, 3, 4)"), L.Dense(3), normal(2, 3, 4))
    layer(case("Dense on (2, 3, 2, 4)"), L.Dense(3, activation="sigmoid"), normal(2, 3, 2, 4))
    for pad, stride, dil, size in itertools.product(("valid", "same", "causal"), (1, 2), (1, 2), (2, 3)):
        if stride > 1 and dil > 1:
            continue
        layer(case(f"Conv1D {pad} size={size} strides={stride} dilation={dil}"), L.Conv1D(4, size, padding=pad, strides=stride, dilation_rate=dil), normal(2, 9, 3))
    for pad, stride, dil, size in itertools.product(("valid", "same"), (1, 2, (2, 3)), (1, 2), (1, (2, 3), 3, 4)):
        if stride != 1 and dil > 1:
            continue
        layer(case(f"Conv2D {pad} size={size} strides={stride} dilation={dil}"), L.Conv2D(4, size, padding=pad, strides=stride, dilation_rate=dil), normal(2, 9, 10, 3))
    # Of as many channels as fill vectors, for kernels.
    for pad, size, stride, dil in (("valid", 3, 1, 1), ("same", 3, 1, 1), ("same", 3, 2, 1), ("valid", (2, 4), (2, 3), 1), ("same", 5, 3, 1), ("valid", 3, 1, 2), ("same", (3, 2), 1, (2, 3)), ("valid", 1, 1, 1), ("same", 1, 2, 1), ("same", 2, 3, 1)):
        layer(case(f"Conv2D of 48 filters {pad} size={size} strides={stride} dilation={dil}"), L.Conv2D(48, size, padding=pad, strides=stride, dilation_rate=dil), normal(3, 9, 15, 16))
        layer(case(f"Conv2D of 16 filters, 3 channels {pad} size={size} strides={stride} dilation={dil}"), L.Conv2D(16, size, padding=pad, strides=stride, dilation_rate=dil), normal(1, 9, 7, 3))
    for pad, size, stride in (("causal", 3, 1), ("same", 4, 2), ("valid", 1, 1)):
        layer(case(f"Conv1D of 16 filters {pad} size={size} strides={stride}"), L.Conv1D(16, size, padding=pad, strides=stride), normal(3, 30, 32))
    for pad, stride, act, bias in itertools.product(("valid", "same"), (1, 2), ("relu", None), (True, False)):
        layer(case(f"Conv2D of 21 filters {pad} strides={stride} {act} bias={bias}"), L.Conv2D(21, 3, padding=pad, strides=stride, activation=act, use_bias=bias), normal(2, 7, 6, 18))
        layer(case(f"DepthwiseConv2D of 40 channels {pad} strides={stride} {act} bias={bias}"), L.DepthwiseConv2D(3, padding=pad, strides=stride, activation=act, use_bias=bias), normal(2, 7, 6, 40))
    for pad, groups in itertools.product(("valid", "same"), (2, 4)):
        layer(case(f"Conv2D of 16 filters in each of {groups} groups {pad}"), L.Conv2D(16 * groups, 3, groups=groups, padding=pad), normal(2, 6, 5, 12 * groups))
        layer(case(f"Conv1D of 18 filters in each of {groups} groups {pad}"), L.Conv1D(18 * groups, 3, groups=groups, padding=pad, activation="relu"), normal(2, 9, 3 * groups))
    layer(case("Conv2D of few places and many weights"), L.Conv2D(64, 3, padding="same", activation="relu"), normal(2, 4, 4, 64))
    layer(case("SeparableConv2D of 32 channels"), L.SeparableConv2D(24, 3), normal(2, 7, 6, 32))
    layer(case("DepthwiseConv1D of 40 channels"), L.DepthwiseConv1D(3, strides=2, padding="same"), normal(2, 9, 40))
    layer(case("Conv2DTranspose of 16 filters"), L.Conv2DTranspose(16, 3, strides=2, padding="same"), normal(2, 4, 5, 16))
    layer(case("Conv2D groups=2"), L.Conv2D(4, 3, groups=2), normal(2, 6, 6, 4))
    layer(case("Conv2D relu without bias"), L.Conv2D(4, 3, activation="relu", use_bias=False), normal(2, 6, 5, 1))
    for pad, stride in itertools.product(("valid", "same"), (1, 2)):
        layer(case(f"Conv3D {pad} strides={stride}"), L.Conv3D(2, (2, 3, 3), padding=pad, strides=stride), normal(1, 5, 6, 5, 2))
    for pad, stride, size in itertools.product(("valid", "same"), (1, 2, 3), (2, 3)):
        layer(case(f"Conv2DTranspose {pad} size={size} strides={stride}"), L.Conv2DTranspose(3, size, strides=stride, padding=pad), normal(2, 4, 5, 2))
        layer(case(f"Conv1DTranspose {pad} size={size} strides={stride}"), L.Conv1DTranspose(3, size, strides=stride, padding=pad), normal(2, 5, 2))
    for pad, stride in itertools.product(("valid", "same"), (1, 2)):
        layer(case(f"Conv3DTranspose {pad} strides={stride}"), L.Conv3DTranspose(2, (2, 3, 3), strides=stride, padding=pad), normal(1, 3, 4, 3, 2))
    for equation, shape, bias, x in (
        ("ab,bc->ac", 5, "c", (3, 4)), ("abc,cd->abd", (None, 5), "d", (3, 4, 2)), ("abc,cde->abde", (None, 2, 3), "de", (2, 4, 3)),
        ("...x,xy->...y", 4, "y", (2, 3, 2, 5)), ("abcd,cde->abe", (None, 5), None, (2, 3, 2, 4)), ("ab...,bc->ac...", 3, "c", (2, 4, 5)),
    ):
        layer(case(f"EinsumDense {equation} bias={bias}"), L.EinsumDense(equation, output_shape=shape, bias_axes=bias), normal(*x))
    for pad, stride, mult in itertools.product(("valid", "same"), (1, 2), (1, 2)):
        layer(case(f"DepthwiseConv2D {pad} strides={stride} multiplier={mult}"), L.DepthwiseConv2D(3, strides=stride, padding=pad, depth_multiplier=mult), normal(2, 7, 6, 3))
        layer(case(f"DepthwiseConv1D {pad} strides={stride} multiplier={mult}"), L.DepthwiseConv1D(3, strides=stride, padding=pad, depth_multiplier=mult), normal(2, 7, 3))
        layer(case(f"SeparableConv2D {pad} strides={stride} multiplier={mult}"), L.SeparableConv2D(4, 3, strides=stride, padding=pad, depth_multiplier=mult), normal(2, 7, 6, 3))
        layer(case(f"SeparableConv1D {pad} strides={stride} multiplier={mult}"), L.SeparableConv1D(4, 3, strides=stride, padding=pad, depth_multiplier=mult), normal(2, 7, 3))
    # More groups than dl gives convolutions of their own in the gradient; small and large windows.
    for pad, stride, size in itertools.product(("valid", "same"), (1, 2), (2, 3, 5)):
        layer(case(f"DepthwiseConv2D of 11 channels {pad} size={size} strides={stride}"), L.DepthwiseConv2D(size, strides=stride, padding=pad), normal(2, 7, 6, 11))
    layer(case("DepthwiseConv2D of 11 channels size=2 dilation=2"), L.DepthwiseConv2D(2, dilation_rate=2), normal(2, 7, 6, 11))
    layer(case("DepthwiseConv2D of 11 channels same size=3 dilation=2"), L.DepthwiseConv2D(3, dilation_rate=2, padding="same"), normal(2, 7, 6, 11))
    layer(case("DepthwiseConv2D of 11 channels multiplier=2"), L.DepthwiseConv2D(3, depth_multiplier=2), normal(2, 7, 6, 11))
    layer(case("SeparableConv1D of 11 channels"), L.SeparableConv1D(4, 4, strides=2, padding="same"), normal(2, 9, 11))
    for groups, size, stride in ((12, 3, 1), (12, 2, 2), (24, 4, 1)):
        layer(case(f"Conv2D size={size} strides={stride} groups={groups} of 2 channels"), L.Conv2D(24 * 24 // groups, size, strides=stride, padding="same", groups=groups), normal(1, 6, 5, groups * 2))


def pooling():
    def ties(*shape):
        return np.round(normal(*shape)).clip(0, 2)  # as after a relu: many windows hold ties

    for pad, size, stride in itertools.product(("valid", "same"), (2, 3), (None, 1, 2)):
        layer(case(f"MaxPooling1D {pad} size={size} strides={stride}"), L.MaxPooling1D(size, strides=stride, padding=pad), ties(2, 9, 3))
        layer(case(f"AveragePooling1D {pad} size={size} strides={stride}"), L.AveragePooling1D(size, strides=stride, padding=pad), normal(2, 9, 3))
    for pad, size, stride in itertools.product(("valid", "same"), (2, (3, 2)), (None, 1, (2, 3))):
        layer(case(f"MaxPooling2D {pad} size={size} strides={stride}"), L.MaxPooling2D(size, strides=stride, padding=pad), ties(2, 7, 8, 2))
        layer(case(f"AveragePooling2D {pad} size={size} strides={stride}"), L.AveragePooling2D(size, strides=stride, padding=pad), normal(2, 7, 8, 2))
    # Of as many channels as kernels are for.
    for pad, size, stride in itertools.product(("valid", "same"), (2, (3, 2)), (None, 1, (2, 3))):
        layer(case(f"MaxPooling2D of 21 channels {pad} size={size} strides={stride}"), L.MaxPooling2D(size, strides=stride, padding=pad), ties(2, 7, 8, 21))
    for pad in ("valid", "same"):
        layer(case(f"MaxPooling3D {pad}"), L.MaxPooling3D(2, padding=pad), normal(1, 5, 4, 5, 2))
        layer(case(f"AveragePooling3D {pad}"), L.AveragePooling3D(2, padding=pad), normal(1, 5, 4, 5, 2))
    for keep in (False, True):
        for n, shape in ((1, (2, 5, 3)), (2, (2, 4, 5, 3)), (3, (2, 3, 2, 4, 3))):
            for what in ("Max", "Average"):
                cls = getattr(L, f"Global{what}Pooling{n}D")
                layer(case(f"Global{what}Pooling{n}D keepdims={keep}"), cls(keepdims=keep), normal(*shape))
    layer(case("GlobalAveragePooling1D with a mask"), L.GlobalAveragePooling1D(), normal(3, 5, 2), mask=np.array([[1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [1, 0, 1, 0, 0]], bool))


def shapes():
    layer(case("Flatten"), L.Flatten(), normal(2, 3, 4, 2))
    layer(case("Reshape"), L.Reshape((4, 3)), normal(2, 12))
    layer(case("Reshape with -1"), L.Reshape((-1, 2)), normal(2, 3, 4))
    layer(case("Permute"), L.Permute((2, 1)), normal(2, 3, 4))
    layer(case("Permute of three axes"), L.Permute((3, 1, 2)), normal(2, 3, 4, 5))
    layer(case("RepeatVector"), L.RepeatVector(3), normal(2, 4))
    layer(case("ZeroPadding1D"), L.ZeroPadding1D((1, 2)), normal(2, 4, 3))
    layer(case("ZeroPadding1D of both sides"), L.ZeroPadding1D(2), normal(2, 4, 3))
    layer(case("ZeroPadding2D"), L.ZeroPadding2D(((1, 2), (0, 3))), normal(2, 4, 3, 2))
    layer(case("ZeroPadding2D symmetric"), L.ZeroPadding2D((1, 2)), normal(2, 4, 3, 2))
    layer(case("ZeroPadding3D"), L.ZeroPadding3D((1, 2, 1)), normal(1, 2, 3, 2, 2))
    layer(case("Cropping1D"), L.Cropping1D((1, 2)), normal(2, 6, 3))
    layer(case("Cropping2D"), L.Cropping2D(((1, 2), (0, 1))), normal(2, 6, 5, 2))
    layer(case("Cropping3D"), L.Cropping3D((1, 0, 1)), normal(1, 4, 3, 4, 2))
    layer(case("UpSampling1D"), L.UpSampling1D(3), normal(2, 4, 3))
    layer(case("UpSampling2D"), L.UpSampling2D((2, 3)), normal(2, 4, 3, 2))
    layer(case("UpSampling2D bilinear"), L.UpSampling2D(2, interpolation="bilinear"), normal(2, 4, 3, 2))
    layer(case("UpSampling3D"), L.UpSampling3D(2), normal(1, 2, 3, 2, 2))
    for how in ("nearest", "bilinear"):
        layer(case(f"Resizing {how} larger"), L.Resizing(7, 9, interpolation=how), normal(2, 4, 5, 3), gradients=how == "bilinear")
        layer(case(f"Resizing {how} smaller"), L.Resizing(3, 4, interpolation=how), normal(2, 6, 7, 3), gradients=how == "bilinear")
    layer(case("CenterCrop"), L.CenterCrop(3, 4), normal(2, 6, 7, 3))


def sequences():
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 1, 1, 0]], bool)
    x = lambda: normal(3, 5, 4)
    for cls, states in ((L.SimpleRNN, 1), (L.LSTM, 2), (L.GRU, 1)):
        n = cls.__name__
        for seq, back in itertools.product((False, True), (False, True)):
            layer(case(f"{n} sequences={seq} backwards={back}"), cls(3, return_sequences=seq, go_backwards=back), x())
            layer(case(f"{n} sequences={seq} backwards={back} with a mask"), cls(3, return_sequences=seq, go_backwards=back), x(), mask=mask)
        layer(case(f"{n} zero_output_for_mask"), cls(3, return_sequences=True, zero_output_for_mask=True), x(), mask=mask)
        layer(case(f"{n} return_state"), cls(3, return_sequences=True, return_state=True), x())
        layer(case(f"{n} return_state with a mask"), cls(3, return_state=True), x(), mask=mask)
        layer(case(f"{n} initial_state"), cls(3), x(), *[normal(3, 3) for _ in range(states)])
        layer(case(f"{n} without bias"), cls(3, use_bias=False), x())
        layer(case(f"{n} activation=relu"), cls(3, activation="relu"), x())
        layer(case(f"{n} of one step"), cls(3), normal(2, 1, 4))
        layer(case(f"{n} of 40 steps"), cls(2), normal(2, 40, 3))
        # Of as many units as fill vectors, for kernels.
        layer(case(f"{n} 48 units"), cls(48), normal(9, 4, 5))
        layer(case(f"{n} 48 units, one example"), cls(48), normal(1, 3, 70))
        layer(case(f"{n} 80 units, sequences, states"), cls(80, return_sequences=True, return_state=True), normal(7, 3, 17), *[normal(7, 80) for _ in range(states)])
        layer(case(f"{n} 16 units, sequences with a mask"), cls(16, return_sequences=True, return_state=True), x(), mask=mask)
        layer(case(f"{n} 16 units, backwards with a mask, initial states"), cls(16, go_backwards=True), x(), *[normal(3, 16) for _ in range(states)], mask=mask)
        layer(case(f"{n} 16 units, zero_output_for_mask"), cls(16, return_sequences=True, zero_output_for_mask=True), x(), mask=mask)
        layer(case(f"{n} 64 units, sequences, states"), cls(64, return_sequences=True, return_state=True), normal(7, 3, 17), *[normal(7, 64) for _ in range(states)])
        layer(case(f"{n} 64 units, backwards with a mask"), cls(64, go_backwards=True), x(), mask=mask)
        layer(case(f"{n} 32 units without bias, bidirectional"), L.Bidirectional(cls(32, use_bias=False)), x())
        for mode in ("concat", "sum", "mul", "ave"):
            layer(case(f"Bidirectional {n} {mode}"), L.Bidirectional(cls(3, return_sequences=True), merge_mode=mode), x())
        layer(case(f"Bidirectional {n} last"), L.Bidirectional(cls(3)), x())
        layer(case(f"Bidirectional {n} with a mask"), L.Bidirectional(cls(3, return_sequences=True)), x(), mask=mask)
    layer(case("Bidirectional LSTM return_state"), L.Bidirectional(L.LSTM(3, return_state=True)), x())
    for cell, states in ((L.SimpleRNNCell, 1), (L.LSTMCell, 2), (L.GRUCell, 1)):
        layer(case(f"RNN {cell.__name__}"), L.RNN(cell(3)), x())
        layer(case(f"RNN {cell.__name__} with a mask"), L.RNN(cell(3), return_sequences=True, go_backwards=True), x(), mask=mask)
        layer(case(f"RNN {cell.__name__} with a mask, initial states"), L.RNN(cell(3), return_sequences=True), x(), *[normal(3, 3) for _ in range(states)], mask=mask)
    cells = lambda: [L.LSTMCell(3), L.GRUCell(4, reset_after=False), L.LSTMCell(2, use_bias=False)]
    layer(case("RNN of cells"), L.RNN(cells()), x())
    layer(case("RNN of cells with a mask"), L.RNN(cells(), return_sequences=True, return_state=True), x(), mask=mask)
    layer(case("RNN zero_output_for_mask"), L.RNN(L.GRUCell(3), return_sequences=True, zero_output_for_mask=True), x(), mask=mask)
    layer(case("Bidirectional RNN of cells"), L.Bidirectional(L.RNN([L.LSTMCell(3), L.LSTMCell(2)], return_sequences=True)), x())
    layer(case("LSTM recurrent_activation=hard_sigmoid"), L.LSTM(3, recurrent_activation="hard_sigmoid"), x())
    layer(case("GRU recurrent_activation=hard_sigmoid"), L.GRU(3, recurrent_activation="hard_sigmoid"), x())
    layer(case("GRU reset_after=False"), L.GRU(3, reset_after=False), x())
    layer(case("GRU reset_after=False with a mask"), L.GRU(3, reset_after=False, return_sequences=True), x(), mask=mask)
    layer(case("TimeDistributed Dense"), L.TimeDistributed(L.Dense(3, activation="relu")), x())
    layer(case("TimeDistributed Conv2D"), L.TimeDistributed(L.Conv2D(2, 2)), normal(2, 3, 4, 4, 2))
    layer(case("Embedding"), L.Embedding(7, 3), ids(7, 4, 5))
    layer(case("Embedding of one number"), L.Embedding(7, 3), ids(7, 4))
    layer(case("Embedding mask_zero"), L.Embedding(7, 3, mask_zero=True), ids(7, 4, 5))
    layer(case("Masking"), L.Masking(0.0), np.where(mask[..., None], x(), 0).astype("float32"))
    for heads, value_dim, bias in itertools.product((1, 2), (None, 5), (True, False)):
        layer(case(f"MultiHeadAttention heads={heads} value_dim={value_dim} bias={bias}"), L.MultiHeadAttention(heads, 3, value_dim=value_dim, use_bias=bias), normal(2, 4, 6), normal(2, 5, 6))
    layer(case("MultiHeadAttention with a key"), L.MultiHeadAttention(2, 3), normal(2, 4, 6), normal(2, 5, 3), normal(2, 5, 4))
    layer(case("MultiHeadAttention output_shape"), L.MultiHeadAttention(2, 3, output_shape=4), normal(2, 4, 6), normal(2, 5, 6))
    layer(case("MultiHeadAttention causal"), L.MultiHeadAttention(2, 3), normal(2, 5, 6), normal(2, 5, 6), kwargs={"use_causal_mask": True})
    layer(case("MultiHeadAttention scores"), L.MultiHeadAttention(2, 3), normal(2, 4, 6), normal(2, 5, 6), kwargs={"return_attention_scores": True})
    layer(case("MultiHeadAttention masked values"), L.MultiHeadAttention(2, 3), normal(3, 4, 6), normal(3, 5, 6), masks=[None, mask])
    for scale, mode in itertools.product((True, False), ("dot", "concat")):
        layer(case(f"Attention scale={scale} mode={mode}"), L.Attention(use_scale=scale, score_mode=mode), normal(2, 4, 6), normal(2, 5, 6))
    layer(case("Attention with a key, scores"), L.Attention(), normal(2, 4, 6), normal(2, 5, 3), normal(2, 5, 6), kwargs={"return_attention_scores": True})
    layer(case("Attention causal"), L.Attention(), normal(2, 5, 6), normal(2, 5, 6), kwargs={"use_causal_mask": True})
    layer(case("Attention masked values"), L.Attention(), normal(3, 4, 6), normal(3, 5, 6), masks=[None, mask])
    for scale in (True, False):
        layer(case(f"AdditiveAttention scale={scale}"), L.AdditiveAttention(use_scale=scale), normal(2, 4, 6), normal(2, 5, 6))
    layer(case("AdditiveAttention causal"), L.AdditiveAttention(), normal(2, 5, 6), normal(2, 5, 6), kwargs={"use_causal_mask": True})
    for bias, window, gate in itertools.product((True, False), (None, 2), (True, False)):
        layer(case(f"GroupQueryAttention bias={bias} window={window} gate={gate}"), L.GroupQueryAttention(3, 4, 2, use_bias=bias, sliding_window=window, use_gate=gate), normal(2, 4, 6), normal(2, 4, 6))
    layer(case("GroupQueryAttention causal, scores"), L.GroupQueryAttention(3, 4, 2), normal(2, 5, 6), normal(2, 5, 6), kwargs={"use_causal_mask": True, "return_attention_scores": True})
    layer(case("GroupQueryAttention masked values"), L.GroupQueryAttention(3, 2, 1), normal(3, 4, 6), normal(3, 5, 6), masks=[None, mask])
    for n, cls in ((1, L.ConvLSTM1D), (2, L.ConvLSTM2D), (3, L.ConvLSTM3D)):
        images = normal(3, 5, *(5, 4, 3)[:n], 2)
        layer(case(f"ConvLSTM{n}D"), cls(3, 2), images)
        layer(case(f"ConvLSTM{n}D sequences, states"), cls(3, 2, padding="same", return_sequences=True, return_state=True), images)
        layer(case(f"ConvLSTM{n}D with a mask"), cls(2, 2, return_sequences=True), images, mask=mask)
    images = normal(2, 3, 6, 5, 2)
    layer(case("ConvLSTM2D strides=2"), L.ConvLSTM2D(3, (2, 3), strides=2, go_backwards=True), images)
    layer(case("ConvLSTM2D dilation_rate=2"), L.ConvLSTM2D(3, 2, dilation_rate=2, use_bias=False, recurrent_activation="hard_sigmoid", activation="relu"), images)


def normalization():
    for n in (1, 3):
        layer(case(f"SpectralNormalization Dense power_iterations={n}"), L.SpectralNormalization(L.Dense(4), power_iterations=n), normal(6, 5), training=True)
    layer(case("SpectralNormalization Conv2D"), L.SpectralNormalization(L.Conv2D(3, 2)), normal(2, 4, 5, 2), training=True)
    layer(case("SpectralNormalization Embedding"), L.SpectralNormalization(L.Embedding(7, 3)), ids(7, 4, 5), training=True)
    layer(case("SpectralNormalization outside training"), L.SpectralNormalization(L.Dense(4)), normal(6, 5))
    for training in (False, True):
        layer(case(f"BatchNormalization training={training}"), L.BatchNormalization(), normal(6, 4), training=training)
        layer(case(f"BatchNormalization of images training={training}"), L.BatchNormalization(), normal(3, 4, 5, 2), training=training)
        layer(case(f"BatchNormalization without scale training={training}"), L.BatchNormalization(scale=False, momentum=0.9, epsilon=0.01), normal(6, 4), training=training)
        layer(case(f"BatchNormalization without center training={training}"), L.BatchNormalization(center=False), normal(6, 4), training=training)
        layer(case(f"BatchNormalization axis=1 training={training}"), L.BatchNormalization(axis=1), normal(3, 4, 5), training=training)
    mask = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0]], bool)
    for scale, center in itertools.product((True, False), (True, False)):
        layer(case(f"BatchNormalization of 21 channels scale={scale} center={center}"), L.BatchNormalization(scale=scale, center=center), 3 * normal(3, 4, 5, 21) + 2, training=True)
    layer(case("BatchNormalization with a mask"), L.BatchNormalization(), normal(3, 3, 4), mask=mask, training=True)
    layer(case("LayerNormalization"), L.LayerNormalization(), normal(3, 5))
    layer(case("LayerNormalization of sequences"), L.LayerNormalization(epsilon=1e-5), normal(2, 3, 5))
    layer(case("LayerNormalization of two axes"), L.LayerNormalization(axis=[1, 2]), normal(2, 3, 4, 2))
    layer(case("LayerNormalization without scale"), L.LayerNormalization(scale=False), normal(3, 5))
    layer(case("LayerNormalization without center"), L.LayerNormalization(center=False), normal(3, 5))
    layer(case("RMSNormalization"), L.RMSNormalization(), normal(3, 5))
    layer(case("UnitNormalization"), L.UnitNormalization(), normal(3, 5))
    for groups in (1, 2, 4, -1):
        layer(case(f"GroupNormalization groups={groups}"), L.GroupNormalization(groups), normal(2, 3, 4, 8))
    layer(case("GroupNormalization of vectors"), L.GroupNormalization(2, scale=False), normal(3, 6))


def merging():
    for cls in (L.Add, L.Multiply, L.Average, L.Maximum, L.Minimum):
        layer(case(f"{cls.__name__} of two"), cls(), normal(2, 3, 4), normal(2, 3, 4))
        layer(case(f"{cls.__name__} of three"), cls(), normal(2, 4), normal(2, 4), normal(2, 4))
    layer(case("Add stretches axes of 1"), L.Add(), normal(2, 3, 4), normal(2, 1, 4))
    layer(case("Subtract"), L.Subtract(), normal(2, 3, 4), normal(2, 3, 4))
    for axis in (-1, 1, 2):
        layer(case(f"Concatenate axis={axis}"), L.Concatenate(axis=axis), normal(2, 3, 4), normal(2, 3, 4))
    layer(case("Concatenate of different sizes"), L.Concatenate(), normal(2, 3), normal(2, 5), normal(2, 1))
    layer(case("Dot of vectors"), L.Dot(axes=1), normal(3, 4), normal(3, 4))
    layer(case("Dot of sequences"), L.Dot(axes=(2, 2)), normal(3, 4, 5), normal(3, 6, 5))
    layer(case("Dot normalized"), L.Dot(axes=-1, normalize=True), normal(3, 4), normal(3, 4))


def elementwise():
    x = lambda: (normal(3, 4, 5) * 2).astype("float32")
    layer(case("ReLU"), L.ReLU(), x())
    layer(case("ReLU max_value=1"), L.ReLU(max_value=1.0), x())
    layer(case("ReLU slope and threshold"), L.ReLU(negative_slope=0.1, threshold=0.5), x())
    layer(case("LeakyReLU"), L.LeakyReLU(), x())
    layer(case("LeakyReLU slope=0.1"), L.LeakyReLU(negative_slope=0.1), x())
    layer(case("ELU"), L.ELU(), x())
    layer(case("ELU alpha=0.5"), L.ELU(alpha=0.5), x())
    layer(case("PReLU"), L.PReLU(), x())
    layer(case("PReLU shared_axes"), L.PReLU(shared_axes=[1]), x())
    layer(case("Softmax"), L.Softmax(), x())
    layer(case("Softmax axis=1"), L.Softmax(axis=1), x())
    layer(case("Rescaling"), L.Rescaling(0.5, offset=1.0), x())
    layer(case("Normalization"), L.Normalization(mean=[1.0, 2.0, 3.0, 4.0, 5.0], variance=[1.0, 4.0, 9.0, 0.5, 0.0]), x())
    layer(case("Normalization of one number"), L.Normalization(axis=None, mean=1.5, variance=4.0), x())
    layer(case("Normalization invert"), L.Normalization(axis=-1, mean=[1.0, 2.0, 3.0, 4.0, 5.0], variance=[1.0, 4.0, 9.0, 0.5, 2.0], invert=True), x())
    for cls, rate in ((L.Dropout, 0.5), (L.GaussianDropout, 0.5), (L.AlphaDropout, 0.5), (L.GaussianNoise, 0.5), (L.SpatialDropout1D, 0.5)):
        layer(case(f"{cls.__name__} outside training"), cls(rate), x())
    layer(case("Dropout noise_shape outside training"), L.Dropout(0.3, noise_shape=(None, 1, 4)), normal(2, 3, 4))
    layer(case("SpatialDropout2D outside training"), L.SpatialDropout2D(0.3), normal(2, 3, 4, 2))
    layer(case("SpatialDropout3D outside training"), L.SpatialDropout3D(0.3), normal(2, 2, 3, 4, 2))
    layer(case("ActivityRegularization"), L.ActivityRegularization(l1=0.1, l2=0.2), x())
    for mode in ("multi_hot", "count", "one_hot"):
        layer(case(f"CategoryEncoding {mode}"), L.CategoryEncoding(6, output_mode=mode), ids(6, 4, 1 if mode == "one_hot" else 3), gradients=False)
    layer(case("Discretization"), L.Discretization(bin_boundaries=[-1.0, 0.0, 0.5, 2.0]), x(), gradients=False)
    for name in ("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomContrast", "RandomBrightness"):
        args = {"RandomFlip": (), "RandomTranslation": (0.1, 0.2)}.get(name, (0.2,))
        layer(case(f"{name} outside training"), getattr(L, name)(*args), normal(2, 5, 4, 3), gradients=False, kwargs={"training": False})
    for name in ("linear relu relu6 leaky_relu elu selu gelu silu sigmoid hard_sigmoid tanh softplus softsign exponential mish softmax log_softmax celu hard_silu hard_tanh hard_shrink soft_shrink tanh_shrink log_sigmoid squareplus sparse_sigmoid sparse_plus sparsemax").split():
        v = np.concatenate([normal(4, 6) * 3, [[0, 8, -8, 30, -30, 1]]]).astype("float32")
        if name == "exponential":
            v = v.clip(-8, 8)
        if name == "celu":
            v[v == 0] = 0.5  # where Keras takes the slopes of both sides together
        layer(case(f"Activation {name}"), L.Activation(name), v)


def affine():
    """The transformation that the random layers for images do, given the numbers."""
    x = normal(2, 6, 7, 2)
    for fill, how in itertools.product(("reflect", "constant", "nearest", "wrap"), ("bilinear", "nearest")):
        transform = np.array([[0.9, 0.2, 0.33, -0.1, 1.1, -0.74, 0, 0], [1.2, -0.3, 1.43, 0.2, 0.8, 2.63, 0, 0]], "float32")
        y = keras.ops.image.affine_transform(x, transform, interpolation=how, fill_mode=fill, fill_value=0.5)
        add("affine", f"affine {fill} {how}", {"class_name": fill, "config": {"interpolation": how}}, {"x0": x, "x1": transform[:, :6], "y0": y})


def losses_and_metrics():
    n, classes = 6, 5
    logits = normal(n, classes) * 2
    p = keras.activations.softmax(logits).numpy()
    sparse = rng.integers(0, classes, n).astype("int32")
    onehot = np.eye(classes, dtype="float32")[sparse]
    soft = keras.activations.softmax(normal(n, classes)).numpy()
    binary = rng.integers(0, 2, (n, 3)).astype("float32")
    z = normal(n, 3) * 2
    s = keras.activations.sigmoid(z).numpy()
    real, positive = normal(n, 3), np.abs(normal(n, 3)) + 0.1
    seq, seq_labels = keras.activations.softmax(normal(3, 4, classes)).numpy(), rng.integers(0, classes, (3, 4)).astype("int32")
    K = keras.losses

    def loss(name, fn, labels, output, described=None):
        output = tf.Variable(output)
        with tf.GradientTape() as tape:
            value = fn(labels, output)
        add("loss", name, described or describe(fn), {"labels": labels, "output": output.numpy(), "loss": value.numpy().reshape(1), "gradient": tape.gradient(value, output).numpy()})

    loss(case("SparseCategoricalCrossentropy"), K.SparseCategoricalCrossentropy(), sparse, p)
    loss(case("SparseCategoricalCrossentropy from_logits"), K.SparseCategoricalCrossentropy(from_logits=True), sparse, logits)
    loss(case("SparseCategoricalCrossentropy of sequences"), K.SparseCategoricalCrossentropy(), seq_labels, seq)
    for smooth, from_logits in itertools.product((0.0, 0.1), (False, True)):
        loss(case(f"CategoricalCrossentropy smoothing={smooth} from_logits={from_logits}"), K.CategoricalCrossentropy(from_logits=from_logits, label_smoothing=smooth), onehot, logits if from_logits else p)
        loss(case(f"BinaryCrossentropy smoothing={smooth} from_logits={from_logits}"), K.BinaryCrossentropy(from_logits=from_logits, label_smoothing=smooth), binary, z if from_logits else s)
        loss(case(f"CategoricalFocalCrossentropy smoothing={smooth} from_logits={from_logits}"), K.CategoricalFocalCrossentropy(from_logits=from_logits, label_smoothing=smooth), onehot, logits if from_logits else p)
        loss(case(f"BinaryFocalCrossentropy smoothing={smooth} from_logits={from_logits}"), K.BinaryFocalCrossentropy(from_logits=from_logits, label_smoothing=smooth, apply_class_balancing=smooth > 0), binary, z if from_logits else s)
    for fn in (K.MeanSquaredError(), K.MeanAbsoluteError(), K.MeanAbsolutePercentageError(), K.Huber(), K.LogCosh(), K.CosineSimilarity(), K.Hinge(), K.SquaredHinge()):
        loss(case(f"{type(fn).__name__} {getattr(fn, '_fn_kwargs', '') or ''}".strip()), fn, binary if "Hinge" in type(fn).__name__ else real, z)
    loss(case("MeanSquaredLogarithmicError"), K.MeanSquaredLogarithmicError(), np.abs(real), positive)
    loss(case("Poisson"), K.Poisson(), np.round(np.abs(real) * 2), positive)
    loss(case("KLDivergence"), K.KLDivergence(), soft, p)
    loss(case("CategoricalHinge"), K.CategoricalHinge(), onehot, logits)
    loss(case("Dice"), K.Dice(), binary, s)
    # Keras 3.15 leaves the arguments of these two out of their configuration.
    loss(case("Huber delta=0.5"), K.Huber(delta=0.5), real, z, {"class_name": "Huber", "config": {"delta": 0.5}})
    loss(case("Tversky alpha=0.3 beta=0.7"), K.Tversky(alpha=0.3, beta=0.7), binary, s, {"class_name": "Tversky", "config": {"alpha": 0.3, "beta": 0.7}})
    spelled = np.array([[3, 1, 1, 0], [2, 0, 0, 0], [1, 2, 3, 1], [4, 4, 0, 0], [0, 0, 0, 0]], "float32")
    loss(case("CTC"), K.CTC(), spelled, 2 * normal(5, 9, 5))
    loss(case("CTC of few steps"), K.CTC(), spelled, normal(5, 4, 5))
    loss(case("CTC of one label"), K.CTC(), spelled[1:2, :1], normal(1, 1, 5))
    loss(case("MeanSquaredError of images"), K.MeanSquaredError(), normal(2, 3, 4, 2), normal(2, 3, 4, 2))
    M = keras.metrics

    def metric(name, m, labels, output, weights=None, described=None):
        half = len(labels) // 2  # in two batches, as in training
        for part in (slice(0, half), slice(half, None)):
            m.update_state(labels[part], output[part], sample_weight=None if weights is None else weights[part])
        values = {"labels": labels, "output": output, "value": np.asarray(m.result()).reshape(1).astype("float32")}
        if weights is not None:
            values["weights"] = weights
        add("metric", name + (" weighted" if weights is not None else ""), described or describe(m), values)

    w = np.abs(normal(n)).astype("float32")
    for weights in (None, w):
        metric(case("SparseCategoricalAccuracy"), M.SparseCategoricalAccuracy(), sparse, p, weights)
        metric(case("CategoricalAccuracy"), M.CategoricalAccuracy(), onehot, p, weights)
        metric(case("BinaryAccuracy"), M.BinaryAccuracy(), binary, s, weights)
        metric(case("BinaryAccuracy threshold=0.7"), M.BinaryAccuracy(threshold=0.7), binary, s, weights)
        metric(case("TopKCategoricalAccuracy k=2"), M.TopKCategoricalAccuracy(k=2), onehot, p, weights)
        metric(case("SparseTopKCategoricalAccuracy k=3"), M.SparseTopKCategoricalAccuracy(k=3), sparse, p, weights)
        for cls in (M.Precision, M.Recall, M.TruePositives, M.FalsePositives, M.TrueNegatives, M.FalseNegatives):
            metric(case(cls.__name__), cls(), binary, s, None if weights is None else np.repeat(w[:, None], 3, 1))
        for curve in ("ROC", "PR"):
            metric(case(f"AUC {curve}"), M.AUC(curve=curve), binary[:, :1], s[:, :1], weights)
            metric(case(f"AUC {curve} 20 thresholds"), M.AUC(curve=curve, num_thresholds=20), binary[:, :1], s[:, :1], weights)
        for average in ("micro", "macro", "weighted"):
            metric(case(f"F1Score {average}"), M.F1Score(average=average), onehot, p, weights)
            metric(case(f"FBetaScore {average} threshold"), M.FBetaScore(average=average, beta=2.0, threshold=0.25), onehot, p, weights)
        for cls in (M.MeanSquaredError, M.MeanAbsoluteError, M.MeanAbsolutePercentageError, M.RootMeanSquaredError, M.LogCoshError, M.CosineSimilarity, M.R2Score):
            metric(case(cls.__name__), cls(), real, z, weights)
        metric(case("MeanSquaredLogarithmicError"), M.MeanSquaredLogarithmicError(), np.abs(real), positive, weights)
        metric(case("Poisson"), M.Poisson(), np.round(np.abs(real)), positive, weights)
        metric(case("KLDivergence"), M.KLDivergence(), soft, p, weights)
        metric(case("Hinge"), M.Hinge(), binary, z, weights)
        metric(case("SquaredHinge"), M.SquaredHinge(), binary, z, weights)
        metric(case("CategoricalHinge"), M.CategoricalHinge(), onehot, logits, weights)
        metric(case("BinaryCrossentropy"), M.BinaryCrossentropy(), binary, s, weights)
        metric(case("CategoricalCrossentropy"), M.CategoricalCrossentropy(), onehot, p, weights)
        metric(case("SparseCategoricalCrossentropy"), M.SparseCategoricalCrossentropy(), sparse, p, weights)
    metric(case("Precision threshold=0.3"), M.Precision(thresholds=0.3), binary, s)
    iou = M.MeanIoU(num_classes=classes, sparse_y_pred=False)
    metric(case("MeanIoU"), iou, seq_labels, seq, described={"class_name": "MeanIoU", "config": {"num_classes": classes}})


def optimizers_and_schedules():
    steps, start = 20, [normal(3, 4), normal(5)]
    gradients = [[normal(*w.shape) * 10.0 ** rng.uniform(-2, 1) for _ in range(steps)] for w in start]
    O, S = keras.optimizers, keras.optimizers.schedules
    table = {
        "SGD": O.SGD(), "SGD momentum": O.SGD(0.1, momentum=0.9), "SGD nesterov": O.SGD(0.1, momentum=0.9, nesterov=True),
        "Adam": O.Adam(), "Adam betas": O.Adam(0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-3), "Adam amsgrad": O.Adam(amsgrad=True),
        "AdamW": O.AdamW(), "AdamW weight_decay=0.1": O.AdamW(0.01, weight_decay=0.1), "Adamax": O.Adamax(0.01), "Nadam": O.Nadam(0.01),
        "RMSprop": O.RMSprop(), "RMSprop momentum": O.RMSprop(0.01, momentum=0.9), "RMSprop centered": O.RMSprop(0.01, centered=True),
        "RMSprop centered momentum": O.RMSprop(0.01, momentum=0.5, centered=True),
        "Adagrad": O.Adagrad(0.1), "Adagrad initial": O.Adagrad(0.1, initial_accumulator_value=0.5), "Adadelta": O.Adadelta(1.0), "Lion": O.Lion(), "Lion betas": O.Lion(0.01, beta_1=0.8, beta_2=0.95),
        "SGD clipnorm": O.SGD(0.1, clipnorm=0.5), "SGD clipvalue": O.SGD(0.1, clipvalue=0.5), "SGD global_clipnorm": O.SGD(0.1, global_clipnorm=1.0),
        "Adam clipnorm": O.Adam(0.01, clipnorm=0.1), "SGD weight_decay": O.SGD(0.1, weight_decay=0.01),
        "SGD accumulation": O.SGD(0.1, momentum=0.9, gradient_accumulation_steps=4), "Adam accumulation": O.Adam(0.01, gradient_accumulation_steps=3),
        "Adam exponential": O.Adam(S.ExponentialDecay(0.01, 5, 0.5)), "SGD cosine": O.SGD(S.CosineDecay(0.0, 15, warmup_target=0.1, warmup_steps=5)),
    }
    for name, o in table.items():
        ws = [keras.Variable(w) for w in start]
        o.build(ws)
        for k in range(steps):
            o.apply([tf.constant(g[k].astype("float32")) for g in gradients], ws)
        values = {}
        for i, w in enumerate(ws):
            values[f"start{i}"], values[f"gradients{i}"], values[f"end{i}"] = start[i], np.stack(gradients[i]).astype("float32"), w.numpy()
        add("optimizer", name, describe(o), values)
    schedules = {
        "ExponentialDecay": S.ExponentialDecay(0.1, 10, 0.9), "ExponentialDecay staircase": S.ExponentialDecay(0.1, 10, 0.9, staircase=True),
        "InverseTimeDecay": S.InverseTimeDecay(0.1, 10, 0.5), "InverseTimeDecay staircase": S.InverseTimeDecay(0.1, 10, 0.5, staircase=True),
        "PiecewiseConstantDecay": S.PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1]),
        "PolynomialDecay": S.PolynomialDecay(0.1, 30, 0.01, power=2.0), "PolynomialDecay cycle": S.PolynomialDecay(0.1, 10, 0.01, cycle=True), "PolynomialDecay defaults": S.PolynomialDecay(0.1, 30),
        "CosineDecay": S.CosineDecay(0.1, 30), "CosineDecay alpha": S.CosineDecay(0.1, 30, alpha=0.2), "CosineDecay warm-up": S.CosineDecay(0.01, 30, warmup_target=0.1, warmup_steps=10),
        "CosineDecayRestarts": S.CosineDecayRestarts(0.1, 10), "CosineDecayRestarts t_mul=1": S.CosineDecayRestarts(0.1, 10, t_mul=1.0, m_mul=0.5, alpha=0.1), "CosineDecayRestarts t_mul=3": S.CosineDecayRestarts(0.1, 5, t_mul=3.0, m_mul=0.9),
    }
    for name, s in schedules.items():
        add("schedule", name, describe(s), {"rates": np.asarray([float(s(k)) for k in range(50)], "float32")})


def regularization():
    R, C = keras.regularizers, keras.constraints
    w = normal(4, 5)
    for name, r in {"L1": R.L1(), "L1 0.1": R.L1(0.1), "L2": R.L2(), "L1L2": R.L1L2(0.1, 0.2), "OrthogonalRegularizer": R.OrthogonalRegularizer(), "OrthogonalRegularizer columns": R.OrthogonalRegularizer(0.1, mode="columns")}.items():
        v = tf.Variable(w)
        with tf.GradientTape() as tape:
            cost = r(v)
        add("regularizer", name, describe(r), {"x0": w, "y0": np.asarray(cost).reshape(1), "dx0": tape.gradient(cost, v).numpy()})
    for name, c in {"MaxNorm": C.MaxNorm(), "MaxNorm 0.5 axis=1": C.MaxNorm(0.5, axis=1), "NonNeg": C.NonNeg(), "UnitNorm": C.UnitNorm(), "MinMaxNorm": C.MinMaxNorm(0.5, 1.0, rate=0.7)}.items():
        add("constraint", name, describe(c), {"x0": w, "y0": np.asarray(c(tf.constant(w)))})


def operations():
    """dl's package ops: an operation by name, with its settings, and keras.ops' own."""
    O = keras.ops

    def op(name, fn, *inputs, op=None, ints=None, numbers=None, text=None, gradients=True, nodes=False):
        xs = [tf.Variable(x) for x in inputs]
        with tf.GradientTape() as tape:
            y = fn(*[tf.convert_to_tensor(x) for x in xs])
            r = normal(*y.shape)
            total = tf.reduce_sum(tf.cast(y, "float32") * r)
        values = {f"x{k}": x for k, x in enumerate(inputs)}
        values["y0"], values["r0"] = np.asarray(tf.cast(y, "float32")), r
        if gradients:
            for k, (g, x) in enumerate(zip(tape.gradient(total, xs), inputs)):
                values[f"dx{k}"] = np.zeros_like(x) if g is None else tf.convert_to_tensor(g).numpy()
        config = {"op": op or name.split()[0]}
        for key, v in {"ints": ints, "numbers": numbers, "text": text}.items():
            if v is not None:
                config[key] = v
        # Of symbols, all inputs have one batch; of nodes, that need not be.
        add("operation" if nodes else "layer", "ops." + name, {"class_name": "Operation", "config": config}, values)

    x = lambda: normal(3, 4)
    away = lambda: np.sign(x()) * (np.abs(x()) + 0.3)  # from 0, and from halves
    for name in ("negative", "absolute", "square", "exp", "expm1", "sin", "cos", "tanh", "sinh", "cosh", "erf", "relu", "relu6", "sigmoid", "hard_sigmoid", "softplus", "softsign", "silu", "elu", "selu"):
        op(case(name), getattr(O, name), away().astype("float32"))
    op(case("gelu"), lambda v: O.gelu(v, approximate=False), x())
    op(case("mish"), keras.activations.mish, x())
    op(case("tan"), O.tan, x() * 0.3)
    for name in ("sqrt", "rsqrt", "log", "log1p", "reciprocal"):
        op(case(name), getattr(O, name), np.abs(x()) + 0.5)
    for name in ("sign", "floor", "ceil", "round"):
        op(case(name), getattr(O, name), x() * 3, gradients=False)
    for name in ("add", "subtract", "multiply", "maximum", "minimum"):
        op(case(name), getattr(O, name), x(), x())
        op(case(name + " of a row"), getattr(O, name), x(), normal(1, 4))
        op(case(name + " of another rank"), getattr(O, name), normal(2, 3, 4), normal(3, 4), nodes=True)
        op(case(name + " 0.5"), lambda v: getattr(O, name)(v, 0.5), x(), numbers=[0.5])
    op(case("divide"), O.divide, x(), np.abs(x()) + 0.5)
    op(case("power"), O.power, np.abs(x()) + 0.5, x())
    op(case("power 3"), lambda v: O.power(v, 3.0), x(), numbers=[3.0])
    op(case("floor_divide"), O.floor_divide, x() * 5, np.abs(x()) + 0.5, gradients=False)
    op(case("mod"), O.mod, x() * 5, away().astype("float32"), gradients=False)
    op(case("clip"), lambda v: O.clip(v, -0.5, 0.7), x(), numbers=[-0.5, 0.7])
    for name in ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"):
        op(case(name), getattr(O, name), np.round(x()), np.round(x()), gradients=False)
    for name in ("logical_and", "logical_or", "logical_xor"):
        op(case(name), lambda a, b: getattr(O, name)(a > 0, b > 0), np.round(x()).clip(0, 1), np.round(x()).clip(0, 1), gradients=False)
    op(case("logical_not"), lambda a: O.logical_not(a > 0), np.round(x()).clip(0, 1), gradients=False)
    odd = np.array([[1, np.nan, np.inf, -np.inf]], "float32")
    op(case("isnan"), O.isnan, odd, gradients=False)
    op(case("isfinite"), O.isfinite, odd, gradients=False)
    op(case("where"), lambda c, a, b: O.where(c > 0, a, b), np.round(x()).clip(0, 1), x(), x(), gradients=False)
    for name in ("sum", "mean", "prod", "max", "min", "var", "std", "logsumexp", "norm"):
        op(case(name + " of the last axis"), lambda v: getattr(O, name)(v, axis=-1), x(), ints=[-1])
        op(case(name + " of two axes"), lambda v: getattr(O, name)(v, axis=(1, 2)), normal(2, 3, 4), ints=[1, 2], gradients=name not in ("prod",))
    for name in ("any", "all"):
        op(case(name), lambda v: getattr(O, name)(v > 0, axis=1), np.round(x()).clip(0, 1), ints=[1], gradients=False)
    op(case("argmax"), lambda v: O.argmax(v, axis=1), x(), ints=[1], gradients=False)
    op(case("argmin"), lambda v: O.argmin(v, axis=-1), x(), ints=[-1], gradients=False)
    op(case("cumsum"), lambda v: O.cumsum(v, axis=1), x(), ints=[1])
    op(case("reshape"), lambda v: O.reshape(v, (-1, 2, 2)), x(), ints=[-1, 2, 2])
    op(case("transpose"), lambda v: O.transpose(v, (0, 2, 1)), normal(2, 3, 4), ints=[0, 2, 1])
    op(case("swapaxes"), lambda v: O.swapaxes(v, 1, 2), normal(2, 3, 4), ints=[1, 2])
    op(case("moveaxis"), lambda v: O.moveaxis(v, 1, 3), normal(2, 3, 4, 2), ints=[1, 3])
    op(case("expand_dims"), lambda v: O.expand_dims(v, 1), x(), ints=[1])
    op(case("squeeze"), lambda v: O.squeeze(v, 1), normal(3, 1, 4), ints=[1])
    op(case("broadcast_to"), lambda v: O.broadcast_to(v, (3, 5, 4)), normal(3, 1, 4), ints=[-1, 5, 4])
    op(case("concatenate"), lambda a, b: O.concatenate([a, b], axis=1), x(), normal(3, 2), ints=[1])
    op(case("stack"), lambda a, b: O.stack([a, b], axis=1), x(), x(), ints=[1])
    op(case("flip"), lambda v: O.flip(v, axis=1), x(), ints=[1])
    op(case("repeat"), lambda v: O.repeat(v, 3, axis=1), x(), ints=[3, 1])
    op(case("tile"), lambda v: O.tile(v, (1, 3)), x(), ints=[3, 1])
    op(case("pad"), lambda v: O.pad(v, ((0, 0), (1, 2)), constant_values=0.5), x(), ints=[1, 1, 2], numbers=[0.5])
    op(case("slice"), lambda v: v[:, 1:3], x(), ints=[1, 1, 3])
    op(case("take"), lambda v, i: O.take(v, O.cast(i, "int32"), axis=1), x(), ids(4, 5), ints=[1], gradients=False, nodes=True)
    op(case("cast"), lambda v: O.cast(v, "int32"), x() * 5, text="int32", gradients=False)
    op(case("matmul"), O.matmul, normal(2, 3, 4), normal(2, 4, 5))
    op(case("matmul of a matrix"), O.matmul, normal(3, 4), normal(4, 2), nodes=True)
    op(case("einsum"), lambda a, b: O.einsum("bij,bjk->bik", a, b), normal(2, 3, 4), normal(2, 4, 5), text="bij,bjk->bik")
    op(case("normalize"), lambda v: O.normalize(v, axis=-1), x(), ints=[-1])
    op(case("tril"), O.tril, normal(2, 3, 4))
    op(case("triu"), O.triu, normal(2, 3, 4))
    op(case("leaky_relu"), lambda v: O.leaky_relu(v, negative_slope=0.1), away().astype("float32"), numbers=[0.1])
    op(case("softmax"), lambda v: O.softmax(v, axis=1), normal(2, 3, 4), ints=[1])
    op(case("log_softmax"), lambda v: O.log_softmax(v, axis=-1), x(), ints=[-1])
    op(case("one_hot"), lambda v: O.one_hot(O.cast(v, "int32"), 4), ids(4, 3, 2), ints=[4], gradients=False)
    op(case("stop_gradient"), O.stop_gradient, x())
    for how in ("nearest", "bilinear"):
        op(case("resize " + how), lambda v: O.image.resize(v, (7, 9), interpolation=how), normal(2, 4, 5, 3), ints=[7, 9], text=how, gradients=how == "bilinear")
    op(case("rgb_to_grayscale"), O.image.rgb_to_grayscale, np.abs(normal(2, 3, 4, 3)), gradients=False)
    op(case("crop_images"), lambda v: O.image.crop_images(v, top_cropping=1, left_cropping=2, target_height=2, target_width=3), normal(2, 5, 6, 2), ints=[1, 2, 2, 3])
    op(case("pad_images"), lambda v: O.image.pad_images(v, top_padding=1, left_padding=2, bottom_padding=0, right_padding=1), normal(2, 3, 4, 2), ints=[1, 2, 0, 1])


def main():
    for part in (dense_and_convolutions, pooling, shapes, sequences, normalization, merging, elementwise, affine, losses_and_metrics, optimizers_and_schedules, regularization, operations):
        case(part.__name__)
        part()
    path = HERE / "parity.jsonl"
    rows = {}
    if len(sys.argv) > 1:  # the others stay
        for line in path.read_text().splitlines()[1:]:
            row = json.loads(line)
            rows[f"{row['kind']} {row['name']}"] = line
    for key, c in cases.items():
        if len(sys.argv) == 1 or c["name"].startswith(tuple(sys.argv[1:])):
            rows[key] = json.dumps(c)
    head = json.dumps({"keras": keras.__version__, "tensorflow": tf.__version__})
    path.write_text("\n".join([head] + [rows[k] for k in cases if k in rows]) + "\n")
    print(len(rows), "cases")


if __name__ == "__main__":
    main()
