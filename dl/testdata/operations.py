"""Writes models whose files have functions of keras.ops, masks that are given, and layers of
all kinds, for dl's tests to read.

    python dl/testdata/operations.py
    python dl/testdata/operations.py NAME...    # only models of these names

Output: operations/NAME.keras and operations.npz, with NAME.x0, … and NAME.y for each.
"""

import os
import pathlib
import sys
import zlib

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np
from keras import layers as L
from keras import ops

HERE = pathlib.Path(__file__).parent
wanted = sys.argv[1:]
arrays = dict(np.load(HERE / "operations.npz")) if wanted else {}


def save(name, build):
    if wanted and name not in wanted:
        return
    seed = zlib.crc32(name.encode())
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model, shapes = build()
    xs = [rng.normal(size=s).astype("float32") if isinstance(s, tuple) else s for s in shapes]
    model.save(HERE / "operations" / f"{name}.keras")
    arrays.update({f"{name}.x{i}": x for i, x in enumerate(xs)})
    arrays[f"{name}.y"] = np.asarray(model.predict(xs[0] if len(xs) == 1 else xs, verbose=0), "float32")


def of(f, *shape):
    """A model of a function of one input."""

    def build():
        x = L.Input(shape)
        return keras.Model(x, f(x)), [(4, *shape)]

    return build


ids = np.array([[3, 1, 0, 0], [2, 2, 5, 0], [1, 4, 2, 3]], "float32")


def masked(layer):
    def build():
        x = L.Input((4,))
        return keras.Model(x, layer(L.Embedding(7, 6, mask_zero=True)(x))), [ids]

    return build


def given_mask():
    x, m = L.Input((4, 6)), L.Input((4,))
    return keras.Model([x, m], L.LSTM(3)(x, mask=ops.greater(m, 0))), [(3, 4, 6), ids]


def attention_mask():
    x, m = L.Input((4, 6)), L.Input((4, 4))
    y = L.MultiHeadAttention(2, 3)(x, x, attention_mask=m)
    return keras.Model([x, m], y), [(3, 4, 6), np.tril(np.ones((3, 4, 4), "float32"))]


def applied_twice():
    i = L.Input((6,))
    tower = keras.Model(i, L.Dense(3, activation="tanh")(i))
    x = L.Input((6,))
    return keras.Model(x, L.Add()([tower(x), tower(L.Rescaling(2.0)(x))])), [(4, 6)]


def channels_first():
    x = L.Input((3, 9, 8))
    y = L.Conv2D(4, 3, strides=2, padding="same", data_format="channels_first")(x)
    y = L.BatchNormalization(axis=1)(y)
    y = L.DepthwiseConv2D(2, data_format="channels_first")(L.ReLU()(y))
    y = L.UpSampling2D(2, data_format="channels_first")(L.ZeroPadding2D(1, data_format="channels_first")(y))
    z = L.GlobalAveragePooling2D(data_format="channels_first", keepdims=True)(L.SpatialDropout2D(0.2, data_format="channels_first")(y))
    y = L.MaxPooling2D(2, data_format="channels_first")(y * z)
    y = L.Flatten(data_format="channels_first")(y)
    return keras.Model(x, L.Dense(3)(y)), [(4, 3, 9, 8)]


def channels_first_of_other_ranks():
    x, v = L.Input((2, 3, 5, 6)), L.Input((2, 4, 5, 6))
    y = L.ConvLSTM2D(6, 3, data_format="channels_first", return_sequences=True)(x)
    y = L.TimeDistributed(L.GlobalMaxPooling2D(data_format="channels_first"))(y)
    z = L.Conv1D(3, 2, data_format="channels_first")(L.AveragePooling1D(2, data_format="channels_first")(y))
    w = L.GlobalMaxPooling3D(data_format="channels_first")(L.Conv3D(3, 2, data_format="channels_first")(v))
    return keras.Model([x, v], L.GlobalAveragePooling1D(data_format="channels_first")(z) + w), [(3, 2, 3, 5, 6), (3, 2, 4, 5, 6)]


def cells():
    x = L.Input((6, 3))
    y = L.RNN([L.LSTMCell(4), L.GRUCell(3), L.LSTMCell(5)], return_sequences=True)(x)
    y = L.Bidirectional(L.RNN(L.StackedRNNCells([L.SimpleRNNCell(2), L.StackedRNNCells([L.GRUCell(2), L.GRUCell(3)])])))(y)
    return keras.Model(x, y), [(4, 6, 3)]


def first_split(x):
    a, b = ops.split(x, 2, axis=1)
    return a - 2 * b


os.makedirs(HERE / "operations", exist_ok=True)
for name, build in {
    "scaled": of(lambda x: L.Dense(4)(x) * 2.0 + 1.0, 6),
    "reversed": of(lambda x: 1 - 3 / (x * x + 1), 6),
    "array": of(lambda x: x + np.arange(6, dtype="float32"), 6),
    "item": of(lambda x: x[:, 0] + x[:, -1, :] + x[..., 2:4, :][:, 0], 5, 3),
    "split": of(first_split, 6, 3),
    "reduced": of(lambda x: ops.mean(x, axis=(1, 2)) + ops.max(ops.sum(x, axis=1, keepdims=True), axis=(1, 2)), 4, 5, 3),
    "shaped": of(lambda x: ops.reshape(ops.transpose(ops.concatenate([x, ops.flip(x, axis=1)], axis=-1), (0, 2, 1)), (-1, 24)), 4, 3),
    "chosen": of(lambda x: ops.where(x > 0, ops.sqrt(ops.abs(x)), 0.0) + ops.clip(x, -1, 0.5), 6),
    "gelus": of(lambda x: ops.gelu(x) + ops.gelu(x, approximate=False) + ops.leaky_relu(x, 0.3), 6),
    "products": of(lambda x: ops.einsum("abc,adc->abd", ops.matmul(x, ops.transpose(x, (0, 2, 1))), x @ ops.transpose(x, (0, 2, 1))), 4, 3),
    "tiled": of(lambda x: ops.pad(ops.tile(ops.repeat(x, 2, axis=1), (1, 1, 2)), ((0, 0), (1, 0), (0, 2))), 3, 2),
    "masked_lstm": masked(lambda x: L.LSTM(3)(x)),
    "masked_average": masked(lambda x: L.GlobalAveragePooling1D()(x)),
    "masked_attention": masked(lambda x: L.MultiHeadAttention(2, 3)(x, x)),
    "masked_dot": masked(lambda x: L.Attention(use_scale=True)([x, x])),
    "given_mask": given_mask,
    "attention_mask": attention_mask,
    "additive": of(lambda x: L.AdditiveAttention()([x, x]), 4, 3),
    "grouped": of(lambda x: L.GroupQueryAttention(4, 4, 2, use_gate=True)(x, x, use_causal_mask=True), 4, 6),
    "einsum": of(lambda x: L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de")(x), 4, 3),
    "depthwise": of(lambda x: L.DepthwiseConv1D(3, depth_multiplier=2)(x), 8, 3),
    "transposed": of(lambda x: L.Conv3DTranspose(2, 3, strides=2)(x), 3, 3, 3, 2),
    "noise": of(lambda x: L.Dropout(0.3, noise_shape=(None, 1, 1))(x), 4, 3),
    "applied_twice": applied_twice,
    "channels_first": channels_first,
    "channels_first_of_other_ranks": channels_first_of_other_ranks,
    "cells": cells,
    "spectral": of(lambda x: L.SpectralNormalization(L.Dense(2))(L.Flatten()(L.SpectralNormalization(L.Conv2D(4, 3), power_iterations=2)(x))), 6, 5, 2),
    "open_axes": of(lambda x: L.GlobalAveragePooling2D()(L.Conv2D(4, 3)(x)), 8, 9, 3),
}.items():
    if name == "open_axes":

        def build():
            x = L.Input((None, None, 3), name="image")
            return keras.Model(x, L.GlobalAveragePooling2D()(L.Conv2D(4, 3)(x))), [(2, 8, 9, 3)]

    save(name, build)


def quantized():
    m = keras.Sequential([L.Input((6,)), L.Dense(8), L.Dense(2)])
    m.quantize("int8")
    return m, [(4, 6)]


save("int8", quantized)
np.savez_compressed(HERE / "operations.npz", **arrays)

if not wanted or "grouped" in wanted:  # the weights of a model alone, as save_weights writes them
    keras.saving.load_model(HERE / "operations" / "grouped.keras").save_weights(HERE / "operations" / "grouped.weights.h5")
