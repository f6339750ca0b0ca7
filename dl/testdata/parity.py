"""Writes what Keras computes in some hundred cases, for dl's tests to compare with.

    python -m pip install --require-hashes -r bench/peers/requirements.txt
    python dl/testdata/parity.py

Output: parity.json, which describes the cases, each with Keras's own description of
the layer, loss, metric, optimizer or schedule, and parity.npz, their arrays.
"""

import itertools
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(20261124)
cases, arrays = [], {}


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


def ids(n, *shape):
    return rng.integers(0, n, shape).astype("float32")


def describe(obj):
    o = keras.saving.serialize_keras_object(obj)
    return {"class_name": o["class_name"], "config": o["config"]}


def add(kind, name, obj, values, **more):
    i = len(cases)
    cases.append({"kind": kind, "name": name, "object": obj, **more})
    for key, value in values.items():
        arrays[f"{i}.{key}"] = np.asarray(value)


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
        merge = isinstance(obj, (L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum, L.Concatenate, L.Dot))
        k = dict(call_kwargs)
        if mask is not None:
            k["mask"] = tf.constant(mask)
        if isinstance(obj, (L.SimpleRNN, L.LSTM, L.GRU)) and len(args) > 1:
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
        ys = list(ys) if isinstance(ys, (list, tuple)) else [ys]
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
        layer(f"Dense units={units} activation={act} bias={bias}", L.Dense(units, activation=act, use_bias=bias), normal(4, 7))
    layer("Dense on (2, 3, 4)", L.Dense(3), normal(2, 3, 4))
    layer("Dense on (2, 3, 2, 4)", L.Dense(3, activation="sigmoid"), normal(2, 3, 2, 4))
    for pad, stride, dil, size in itertools.product(("valid", "same", "causal"), (1, 2), (1, 2), (2, 3)):
        if stride > 1 and dil > 1:
            continue
        layer(f"Conv1D {pad} size={size} strides={stride} dilation={dil}", L.Conv1D(4, size, padding=pad, strides=stride, dilation_rate=dil), normal(2, 9, 3))
    for pad, stride, dil, size in itertools.product(("valid", "same"), (1, 2, (2, 3)), (1, 2), (1, (2, 3), 3, 4)):
        if stride != 1 and dil > 1:
            continue
        layer(f"Conv2D {pad} size={size} strides={stride} dilation={dil}", L.Conv2D(4, size, padding=pad, strides=stride, dilation_rate=dil), normal(2, 9, 10, 3))
    layer("Conv2D groups=2", L.Conv2D(4, 3, groups=2), normal(2, 6, 6, 4))
    layer("Conv2D relu without bias", L.Conv2D(4, 3, activation="relu", use_bias=False), normal(2, 6, 5, 1))
    for pad, stride in itertools.product(("valid", "same"), (1, 2)):
        layer(f"Conv3D {pad} strides={stride}", L.Conv3D(2, (2, 3, 3), padding=pad, strides=stride), normal(1, 5, 6, 5, 2))
    for pad, stride, size in itertools.product(("valid", "same"), (1, 2, 3), (2, 3)):
        layer(f"Conv2DTranspose {pad} size={size} strides={stride}", L.Conv2DTranspose(3, size, strides=stride, padding=pad), normal(2, 4, 5, 2))
        layer(f"Conv1DTranspose {pad} size={size} strides={stride}", L.Conv1DTranspose(3, size, strides=stride, padding=pad), normal(2, 5, 2))
    for pad, stride, mult in itertools.product(("valid", "same"), (1, 2), (1, 2)):
        layer(f"DepthwiseConv2D {pad} strides={stride} multiplier={mult}", L.DepthwiseConv2D(3, strides=stride, padding=pad, depth_multiplier=mult), normal(2, 7, 6, 3))
        layer(f"SeparableConv2D {pad} strides={stride} multiplier={mult}", L.SeparableConv2D(4, 3, strides=stride, padding=pad, depth_multiplier=mult), normal(2, 7, 6, 3))
        layer(f"SeparableConv1D {pad} strides={stride} multiplier={mult}", L.SeparableConv1D(4, 3, strides=stride, padding=pad, depth_multiplier=mult), normal(2, 7, 3))


def pooling():
    def ties(*shape):
        return np.round(normal(*shape)).clip(0, 2)  # as after a relu: many windows hold ties

    for pad, size, stride in itertools.product(("valid", "same"), (2, 3), (None, 1, 2)):
        layer(f"MaxPooling1D {pad} size={size} strides={stride}", L.MaxPooling1D(size, strides=stride, padding=pad), ties(2, 9, 3))
        layer(f"AveragePooling1D {pad} size={size} strides={stride}", L.AveragePooling1D(size, strides=stride, padding=pad), normal(2, 9, 3))
    for pad, size, stride in itertools.product(("valid", "same"), (2, (3, 2)), (None, 1, (2, 3))):
        layer(f"MaxPooling2D {pad} size={size} strides={stride}", L.MaxPooling2D(size, strides=stride, padding=pad), ties(2, 7, 8, 2))
        layer(f"AveragePooling2D {pad} size={size} strides={stride}", L.AveragePooling2D(size, strides=stride, padding=pad), normal(2, 7, 8, 2))
    for pad in ("valid", "same"):
        layer(f"MaxPooling3D {pad}", L.MaxPooling3D(2, padding=pad), normal(1, 5, 4, 5, 2))
        layer(f"AveragePooling3D {pad}", L.AveragePooling3D(2, padding=pad), normal(1, 5, 4, 5, 2))
    for keep in (False, True):
        for n, shape in ((1, (2, 5, 3)), (2, (2, 4, 5, 3)), (3, (2, 3, 2, 4, 3))):
            for what in ("Max", "Average"):
                cls = getattr(L, f"Global{what}Pooling{n}D")
                layer(f"Global{what}Pooling{n}D keepdims={keep}", cls(keepdims=keep), normal(*shape))
    layer("GlobalAveragePooling1D with a mask", L.GlobalAveragePooling1D(), normal(3, 5, 2), mask=np.array([[1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [1, 0, 1, 0, 0]], bool))


def shapes():
    layer("Flatten", L.Flatten(), normal(2, 3, 4, 2))
    layer("Reshape", L.Reshape((4, 3)), normal(2, 12))
    layer("Reshape with -1", L.Reshape((-1, 2)), normal(2, 3, 4))
    layer("Permute", L.Permute((2, 1)), normal(2, 3, 4))
    layer("Permute of three axes", L.Permute((3, 1, 2)), normal(2, 3, 4, 5))
    layer("RepeatVector", L.RepeatVector(3), normal(2, 4))
    layer("ZeroPadding1D", L.ZeroPadding1D((1, 2)), normal(2, 4, 3))
    layer("ZeroPadding1D of both sides", L.ZeroPadding1D(2), normal(2, 4, 3))
    layer("ZeroPadding2D", L.ZeroPadding2D(((1, 2), (0, 3))), normal(2, 4, 3, 2))
    layer("ZeroPadding2D symmetric", L.ZeroPadding2D((1, 2)), normal(2, 4, 3, 2))
    layer("ZeroPadding3D", L.ZeroPadding3D((1, 2, 1)), normal(1, 2, 3, 2, 2))
    layer("Cropping1D", L.Cropping1D((1, 2)), normal(2, 6, 3))
    layer("Cropping2D", L.Cropping2D(((1, 2), (0, 1))), normal(2, 6, 5, 2))
    layer("Cropping3D", L.Cropping3D((1, 0, 1)), normal(1, 4, 3, 4, 2))
    layer("UpSampling1D", L.UpSampling1D(3), normal(2, 4, 3))
    layer("UpSampling2D", L.UpSampling2D((2, 3)), normal(2, 4, 3, 2))
    layer("UpSampling2D bilinear", L.UpSampling2D(2, interpolation="bilinear"), normal(2, 4, 3, 2))
    layer("UpSampling3D", L.UpSampling3D(2), normal(1, 2, 3, 2, 2))
    for how in ("nearest", "bilinear"):
        layer(f"Resizing {how} larger", L.Resizing(7, 9, interpolation=how), normal(2, 4, 5, 3), gradients=how == "bilinear")
        layer(f"Resizing {how} smaller", L.Resizing(3, 4, interpolation=how), normal(2, 6, 7, 3), gradients=how == "bilinear")
    layer("CenterCrop", L.CenterCrop(3, 4), normal(2, 6, 7, 3))


def sequences():
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 1, 1, 0]], bool)
    x = lambda: normal(3, 5, 4)
    for cls, states in ((L.SimpleRNN, 1), (L.LSTM, 2), (L.GRU, 1)):
        n = cls.__name__
        for seq, back in itertools.product((False, True), (False, True)):
            layer(f"{n} sequences={seq} backwards={back}", cls(3, return_sequences=seq, go_backwards=back), x())
            layer(f"{n} sequences={seq} backwards={back} with a mask", cls(3, return_sequences=seq, go_backwards=back), x(), mask=mask)
        layer(f"{n} zero_output_for_mask", cls(3, return_sequences=True, zero_output_for_mask=True), x(), mask=mask)
        layer(f"{n} return_state", cls(3, return_sequences=True, return_state=True), x())
        layer(f"{n} return_state with a mask", cls(3, return_state=True), x(), mask=mask)
        layer(f"{n} initial_state", cls(3), x(), *[normal(3, 3) for _ in range(states)])
        layer(f"{n} without bias", cls(3, use_bias=False), x())
        layer(f"{n} activation=relu", cls(3, activation="relu"), x())
        layer(f"{n} of one step", cls(3), normal(2, 1, 4))
        layer(f"{n} of 40 steps", cls(2), normal(2, 40, 3))
        for mode in ("concat", "sum", "mul", "ave"):
            layer(f"Bidirectional {n} {mode}", L.Bidirectional(cls(3, return_sequences=True), merge_mode=mode), x())
        layer(f"Bidirectional {n} last", L.Bidirectional(cls(3)), x())
        layer(f"Bidirectional {n} with a mask", L.Bidirectional(cls(3, return_sequences=True)), x(), mask=mask)
    layer("Bidirectional LSTM return_state", L.Bidirectional(L.LSTM(3, return_state=True)), x())
    layer("LSTM recurrent_activation=hard_sigmoid", L.LSTM(3, recurrent_activation="hard_sigmoid"), x())
    layer("GRU recurrent_activation=hard_sigmoid", L.GRU(3, recurrent_activation="hard_sigmoid"), x())
    layer("GRU reset_after=False", L.GRU(3, reset_after=False), x())
    layer("GRU reset_after=False with a mask", L.GRU(3, reset_after=False, return_sequences=True), x(), mask=mask)
    layer("TimeDistributed Dense", L.TimeDistributed(L.Dense(3, activation="relu")), x())
    layer("TimeDistributed Conv2D", L.TimeDistributed(L.Conv2D(2, 2)), normal(2, 3, 4, 4, 2))
    layer("Embedding", L.Embedding(7, 3), ids(7, 4, 5))
    layer("Embedding of one number", L.Embedding(7, 3), ids(7, 4))
    layer("Embedding mask_zero", L.Embedding(7, 3, mask_zero=True), ids(7, 4, 5))
    layer("Masking", L.Masking(0.0), np.where(mask[..., None], x(), 0).astype("float32"))
    for heads, value_dim, bias in itertools.product((1, 2), (None, 5), (True, False)):
        layer(f"MultiHeadAttention heads={heads} value_dim={value_dim} bias={bias}", L.MultiHeadAttention(heads, 3, value_dim=value_dim, use_bias=bias), normal(2, 4, 6), normal(2, 5, 6))
    layer("MultiHeadAttention with a key", L.MultiHeadAttention(2, 3), normal(2, 4, 6), normal(2, 5, 3), normal(2, 5, 4))
    layer("MultiHeadAttention output_shape", L.MultiHeadAttention(2, 3, output_shape=4), normal(2, 4, 6), normal(2, 5, 6))
    layer("MultiHeadAttention causal", L.MultiHeadAttention(2, 3), normal(2, 5, 6), normal(2, 5, 6), kwargs={"use_causal_mask": True})
    layer("MultiHeadAttention scores", L.MultiHeadAttention(2, 3), normal(2, 4, 6), normal(2, 5, 6), kwargs={"return_attention_scores": True})
    layer("MultiHeadAttention masked values", L.MultiHeadAttention(2, 3), normal(3, 4, 6), normal(3, 5, 6), masks=[None, mask])


def normalization():
    for training in (False, True):
        layer(f"BatchNormalization training={training}", L.BatchNormalization(), normal(6, 4), training=training)
        layer(f"BatchNormalization of images training={training}", L.BatchNormalization(), normal(3, 4, 5, 2), training=training)
        layer(f"BatchNormalization without scale training={training}", L.BatchNormalization(scale=False, momentum=0.9, epsilon=0.01), normal(6, 4), training=training)
        layer(f"BatchNormalization without center training={training}", L.BatchNormalization(center=False), normal(6, 4), training=training)
        layer(f"BatchNormalization axis=1 training={training}", L.BatchNormalization(axis=1), normal(3, 4, 5), training=training)
    mask = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0]], bool)
    layer("BatchNormalization with a mask", L.BatchNormalization(), normal(3, 3, 4), mask=mask, training=True)
    layer("LayerNormalization", L.LayerNormalization(), normal(3, 5))
    layer("LayerNormalization of sequences", L.LayerNormalization(epsilon=1e-5), normal(2, 3, 5))
    layer("LayerNormalization of two axes", L.LayerNormalization(axis=[1, 2]), normal(2, 3, 4, 2))
    layer("LayerNormalization without scale", L.LayerNormalization(scale=False), normal(3, 5))
    layer("LayerNormalization without center", L.LayerNormalization(center=False), normal(3, 5))
    layer("RMSNormalization", L.RMSNormalization(), normal(3, 5))
    layer("UnitNormalization", L.UnitNormalization(), normal(3, 5))
    for groups in (1, 2, 4, -1):
        layer(f"GroupNormalization groups={groups}", L.GroupNormalization(groups), normal(2, 3, 4, 8))
    layer("GroupNormalization of vectors", L.GroupNormalization(2, scale=False), normal(3, 6))


def merging():
    for cls in (L.Add, L.Multiply, L.Average, L.Maximum, L.Minimum):
        layer(f"{cls.__name__} of two", cls(), normal(2, 3, 4), normal(2, 3, 4))
        layer(f"{cls.__name__} of three", cls(), normal(2, 4), normal(2, 4), normal(2, 4))
    layer("Add stretches axes of 1", L.Add(), normal(2, 3, 4), normal(2, 1, 4))
    layer("Subtract", L.Subtract(), normal(2, 3, 4), normal(2, 3, 4))
    for axis in (-1, 1, 2):
        layer(f"Concatenate axis={axis}", L.Concatenate(axis=axis), normal(2, 3, 4), normal(2, 3, 4))
    layer("Concatenate of different sizes", L.Concatenate(), normal(2, 3), normal(2, 5), normal(2, 1))
    layer("Dot of vectors", L.Dot(axes=1), normal(3, 4), normal(3, 4))
    layer("Dot of sequences", L.Dot(axes=(2, 2)), normal(3, 4, 5), normal(3, 6, 5))
    layer("Dot normalized", L.Dot(axes=-1, normalize=True), normal(3, 4), normal(3, 4))


def elementwise():
    x = lambda: (normal(3, 4, 5) * 2).astype("float32")
    layer("ReLU", L.ReLU(), x())
    layer("ReLU max_value=1", L.ReLU(max_value=1.0), x())
    layer("ReLU slope and threshold", L.ReLU(negative_slope=0.1, threshold=0.5), x())
    layer("LeakyReLU", L.LeakyReLU(), x())
    layer("LeakyReLU slope=0.1", L.LeakyReLU(negative_slope=0.1), x())
    layer("ELU", L.ELU(), x())
    layer("ELU alpha=0.5", L.ELU(alpha=0.5), x())
    layer("PReLU", L.PReLU(), x())
    layer("PReLU shared_axes", L.PReLU(shared_axes=[1]), x())
    layer("Softmax", L.Softmax(), x())
    layer("Softmax axis=1", L.Softmax(axis=1), x())
    layer("Rescaling", L.Rescaling(0.5, offset=1.0), x())
    layer("Normalization", L.Normalization(mean=[1.0, 2.0, 3.0, 4.0, 5.0], variance=[1.0, 4.0, 9.0, 0.5, 0.0]), x())
    layer("Normalization of one number", L.Normalization(axis=None, mean=1.5, variance=4.0), x())
    layer("Normalization invert", L.Normalization(axis=-1, mean=[1.0, 2.0, 3.0, 4.0, 5.0], variance=[1.0, 4.0, 9.0, 0.5, 2.0], invert=True), x())
    for cls, rate in ((L.Dropout, 0.5), (L.GaussianDropout, 0.5), (L.AlphaDropout, 0.5), (L.GaussianNoise, 0.5), (L.SpatialDropout1D, 0.5)):
        layer(f"{cls.__name__} outside training", cls(rate), x())
    layer("SpatialDropout2D outside training", L.SpatialDropout2D(0.3), normal(2, 3, 4, 2))
    layer("SpatialDropout3D outside training", L.SpatialDropout3D(0.3), normal(2, 2, 3, 4, 2))
    layer("ActivityRegularization", L.ActivityRegularization(l1=0.1, l2=0.2), x())
    for mode in ("multi_hot", "count", "one_hot"):
        layer(f"CategoryEncoding {mode}", L.CategoryEncoding(6, output_mode=mode), ids(6, 4, 1 if mode == "one_hot" else 3), gradients=False)
    layer("Discretization", L.Discretization(bin_boundaries=[-1.0, 0.0, 0.5, 2.0]), x(), gradients=False)
    for name in ("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomContrast", "RandomBrightness"):
        args = {"RandomFlip": (), "RandomTranslation": (0.1, 0.2)}.get(name, (0.2,))
        layer(f"{name} outside training", getattr(L, name)(*args), normal(2, 5, 4, 3), gradients=False, kwargs={"training": False})
    for name in ("linear relu relu6 leaky_relu elu selu gelu silu sigmoid hard_sigmoid tanh softplus softsign exponential mish softmax log_softmax").split():
        v = np.concatenate([normal(4, 6) * 3, [[0, 8, -8, 30, -30, 1]]]).astype("float32")
        if name == "exponential":
            v = v.clip(-8, 8)
        layer(f"Activation {name}", L.Activation(name), v)


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

    loss("SparseCategoricalCrossentropy", K.SparseCategoricalCrossentropy(), sparse, p)
    loss("SparseCategoricalCrossentropy from_logits", K.SparseCategoricalCrossentropy(from_logits=True), sparse, logits)
    loss("SparseCategoricalCrossentropy of sequences", K.SparseCategoricalCrossentropy(), seq_labels, seq)
    for smooth, from_logits in itertools.product((0.0, 0.1), (False, True)):
        loss(f"CategoricalCrossentropy smoothing={smooth} from_logits={from_logits}", K.CategoricalCrossentropy(from_logits=from_logits, label_smoothing=smooth), onehot, logits if from_logits else p)
        loss(f"BinaryCrossentropy smoothing={smooth} from_logits={from_logits}", K.BinaryCrossentropy(from_logits=from_logits, label_smoothing=smooth), binary, z if from_logits else s)
        loss(f"CategoricalFocalCrossentropy smoothing={smooth} from_logits={from_logits}", K.CategoricalFocalCrossentropy(from_logits=from_logits, label_smoothing=smooth), onehot, logits if from_logits else p)
        loss(f"BinaryFocalCrossentropy smoothing={smooth} from_logits={from_logits}", K.BinaryFocalCrossentropy(from_logits=from_logits, label_smoothing=smooth, apply_class_balancing=smooth > 0), binary, z if from_logits else s)
    for fn in (K.MeanSquaredError(), K.MeanAbsoluteError(), K.MeanAbsolutePercentageError(), K.Huber(), K.LogCosh(), K.CosineSimilarity(), K.Hinge(), K.SquaredHinge()):
        loss(f"{type(fn).__name__} {getattr(fn, '_fn_kwargs', '') or ''}".strip(), fn, binary if "Hinge" in type(fn).__name__ else real, z)
    loss("MeanSquaredLogarithmicError", K.MeanSquaredLogarithmicError(), np.abs(real), positive)
    loss("Poisson", K.Poisson(), np.round(np.abs(real) * 2), positive)
    loss("KLDivergence", K.KLDivergence(), soft, p)
    loss("CategoricalHinge", K.CategoricalHinge(), onehot, logits)
    loss("Dice", K.Dice(), binary, s)
    # Keras 3.15 leaves the arguments of these two out of their configuration.
    loss("Huber delta=0.5", K.Huber(delta=0.5), real, z, {"class_name": "Huber", "config": {"delta": 0.5}})
    loss("Tversky alpha=0.3 beta=0.7", K.Tversky(alpha=0.3, beta=0.7), binary, s, {"class_name": "Tversky", "config": {"alpha": 0.3, "beta": 0.7}})
    loss("MeanSquaredError of images", K.MeanSquaredError(), normal(2, 3, 4, 2), normal(2, 3, 4, 2))
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
        metric("SparseCategoricalAccuracy", M.SparseCategoricalAccuracy(), sparse, p, weights)
        metric("CategoricalAccuracy", M.CategoricalAccuracy(), onehot, p, weights)
        metric("BinaryAccuracy", M.BinaryAccuracy(), binary, s, weights)
        metric("BinaryAccuracy threshold=0.7", M.BinaryAccuracy(threshold=0.7), binary, s, weights)
        metric("TopKCategoricalAccuracy k=2", M.TopKCategoricalAccuracy(k=2), onehot, p, weights)
        metric("SparseTopKCategoricalAccuracy k=3", M.SparseTopKCategoricalAccuracy(k=3), sparse, p, weights)
        for cls in (M.Precision, M.Recall, M.TruePositives, M.FalsePositives, M.TrueNegatives, M.FalseNegatives):
            metric(cls.__name__, cls(), binary, s, None if weights is None else np.repeat(w[:, None], 3, 1))
        metric("Precision threshold=0.3", M.Precision(thresholds=0.3), binary, s)
        for curve in ("ROC", "PR"):
            metric(f"AUC {curve}", M.AUC(curve=curve), binary[:, :1], s[:, :1], weights)
            metric(f"AUC {curve} 20 thresholds", M.AUC(curve=curve, num_thresholds=20), binary[:, :1], s[:, :1], weights)
        for average in ("micro", "macro", "weighted"):
            metric(f"F1Score {average}", M.F1Score(average=average), onehot, p, weights)
            metric(f"FBetaScore {average} threshold", M.FBetaScore(average=average, beta=2.0, threshold=0.25), onehot, p, weights)
        for cls in (M.MeanSquaredError, M.MeanAbsoluteError, M.MeanAbsolutePercentageError, M.RootMeanSquaredError, M.LogCoshError, M.CosineSimilarity, M.R2Score):
            metric(cls.__name__, cls(), real, z, weights)
        metric("MeanSquaredLogarithmicError", M.MeanSquaredLogarithmicError(), np.abs(real), positive, weights)
        metric("Poisson", M.Poisson(), np.round(np.abs(real)), positive, weights)
        metric("KLDivergence", M.KLDivergence(), soft, p, weights)
        metric("Hinge", M.Hinge(), binary, z, weights)
        metric("SquaredHinge", M.SquaredHinge(), binary, z, weights)
        metric("CategoricalHinge", M.CategoricalHinge(), onehot, logits, weights)
        metric("BinaryCrossentropy", M.BinaryCrossentropy(), binary, s, weights)
        metric("CategoricalCrossentropy", M.CategoricalCrossentropy(), onehot, p, weights)
        metric("SparseCategoricalCrossentropy", M.SparseCategoricalCrossentropy(), sparse, p, weights)
    iou = M.MeanIoU(num_classes=classes, sparse_y_pred=False)
    metric("MeanIoU", iou, seq_labels, seq, described={"class_name": "MeanIoU", "config": {"num_classes": classes}})


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


def main():
    for part in (dense_and_convolutions, pooling, shapes, sequences, normalization, merging, elementwise, affine, losses_and_metrics, optimizers_and_schedules, regularization):
        part()
    (HERE / "parity.json").write_text(json.dumps({"keras": keras.__version__, "tensorflow": tf.__version__, "cases": cases}, indent=1) + "\n")
    np.savez_compressed(HERE / "parity.npz", **arrays)
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
