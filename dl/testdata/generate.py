"""Writes what Keras computes, for dl's tests to compare with.

    python -m pip install --require-hashes -r bench/peers/requirements.txt
    python dl/testdata/generate.py MNIST-FOLDER

MNIST-FOLDER holds train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz.
Output: cnn.npz, summary.txt, *.keras, keras.npz and versions.json, beside this file.
parity.py writes the rest.
"""

import gzip
import json
import os
import pathlib
import platform
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import layers

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(20261124)


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


def save(name, **arrays):
    np.savez_compressed(HERE / name, **{k: np.asarray(v) for k, v in arrays.items()})


def cnn(folder):
    """The document's network: logits, loss and gradients of one batch, and the
    weights after three steps of Adam on it."""

    def idx(name, offset, count):
        with gzip.open(pathlib.Path(folder) / name) as f:
            return np.frombuffer(f.read(offset + count), np.uint8, offset=offset)

    n = 32
    images = idx("train-images-idx3-ubyte.gz", 16, n * 784).reshape(n, 28, 28, 1)
    labels = idx("train-labels-idx1-ubyte.gz", 8, n)
    keras.backend.clear_session()  # names count from the beginning again
    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])
    for w in model.weights:
        if w.path.endswith("bias"):
            w.assign(normal(*w.shape) * 0.1)
    out = {"images": images, "labels": labels}
    for i, w in enumerate(model.get_weights()):
        out[f"w{i}"] = w
    x = images.astype("float32") / 255
    model.layers[-1].activation = keras.activations.linear
    out["logits"] = model(x).numpy()
    model.layers[-1].activation = keras.activations.softmax
    loss = keras.losses.SparseCategoricalCrossentropy()
    with tf.GradientTape() as tape:
        p = model(x, training=True)
        value = loss(labels, p)
    out["probabilities"], out["loss"] = p.numpy(), value.numpy().reshape(1)
    for i, g in enumerate(tape.gradient(value, [w.value for w in model.trainable_weights])):
        out[f"g{i}"] = g.numpy()
    with open(HERE / "summary.txt", "w", encoding="utf-8") as f:
        model.name = "sequential"
        lines = []
        model.summary(print_fn=lambda s, **_: lines.append(s), line_length=76)
        f.write("\n".join(lines).rstrip() + "\n")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = []
    for _ in range(3):
        history.append(model.train_on_batch(x, labels, return_dict=True)["loss"])
    out["losses"] = np.asarray(history, "float32")
    for i, w in enumerate(model.get_weights()):
        out[f"after{i}"] = w
    save("cnn.npz", **out)


def keras_files():
    """Models as Keras saves them, with inputs and what they predict."""
    out = {}

    def document():
        return keras.Sequential([
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ])

    def lstm():
        m = keras.Sequential([
            keras.Input((6,)),
            layers.Embedding(20, 8, mask_zero=True),
            layers.Bidirectional(layers.LSTM(5, return_sequences=True)),
            layers.LSTM(4),
            layers.Dense(3, activation="softmax"),
        ])
        m.compile(keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(0.01, 100)), keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(k=2)])
        return m

    def skip():
        a = keras.Input((8, 8, 3), name="image")
        x = layers.Conv2D(4, 3, padding="same", name="first")(a)
        y = layers.BatchNormalization()(x)
        y = layers.PReLU(shared_axes=[1, 2])(y)
        y = layers.SeparableConv2D(4, 3, padding="same")(y)
        x = layers.Add()([x, y])
        shared = layers.Dense(5, activation="gelu", name="shared")
        p = shared(layers.GlobalAveragePooling2D()(x))
        q = shared(layers.GlobalMaxPooling2D()(x))
        z = layers.Concatenate()([p, q])
        m = keras.Model(a, [layers.Dense(3, name="left")(z), layers.Dense(2, name="right")(p)])
        m.compile("sgd", {"left": "mse", "right": "mae"}, loss_weights={"left": 1.0, "right": 0.5})
        return m

    def nested():
        inner = keras.Sequential([keras.Input((4, 6)), layers.LayerNormalization(), layers.Dense(6)], name="inner")
        i = keras.Input((4, 6))
        core = keras.Model(i, layers.Multiply()([i, layers.Dense(6, activation="sigmoid")(i)]), name="core")
        a = keras.Input((4, 6))
        x = inner(a)
        x = core(x)
        x = layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
        x = layers.TimeDistributed(layers.Dense(2))(x)
        return keras.Model(a, core(layers.Dense(6)(layers.GRU(3, return_sequences=True)(x))))

    def table():
        n = layers.Normalization()
        n.adapt(normal(50, 4) * 3 + 1)
        return keras.Sequential([keras.Input((4,)), n, layers.Dense(3, activation="elu", kernel_regularizer="l2"), layers.LeakyReLU(), layers.Dense(1, activation="sigmoid")])

    for make in (document, lstm, skip, nested, table):
        keras.backend.clear_session()
        model, name = make(), make.__name__
        for w in model.weights:
            if name == "document" or "count" in w.path or w.path.startswith("normalization"):
                continue
            w.assign(np.abs(normal(*w.shape)) + 0.5 if "variance" in w.path else normal(*w.shape) * 0.4)
        shape = model.input_shape[1:]
        x = rng.integers(0, 20, (5, *shape)).astype("float32") if name == "lstm" else normal(3, *shape)
        if name == "lstm":
            x[0, 3:] = 0
        y = model.predict(x, verbose=0)
        out[f"{name}.x"] = x
        for k, v in enumerate(y if isinstance(y, list) else [y]):
            out[f"{name}.y{k}"] = v
        model.save(HERE / f"{name}.keras")
    save("keras.npz", **out)


def main():
    cnn(sys.argv[1])
    keras_files()
    versions = {"python": platform.python_version(), "keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__}
    (HERE / "versions.json").write_text(json.dumps(versions, indent=2) + "\n")


if __name__ == "__main__":
    main()
