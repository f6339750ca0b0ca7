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


def fits():
    """Models as Keras saves them before training, what it trains them on, and what
    comes of it: the logs of each epoch and the weights at the end."""
    out, described = {}, {}
    O, K, M = keras.optimizers, keras.losses, keras.metrics
    x, onehot = normal(20, 4), np.eye(3, dtype="float32")[rng.integers(0, 3, 20)]
    sparse, real = onehot.argmax(1).astype("int32"), normal(20, 2)
    tokens = rng.integers(1, 12, (20, 5)).astype("float32")
    tokens[::3, 3:] = 0
    weights = np.abs(normal(20))

    def plain(*stack, optimizer="adam", loss=None, **kw):
        m = keras.Sequential([keras.Input((4,)), *stack])
        m.compile(optimizer, loss or K.SparseCategoricalCrossentropy(), **kw)
        return m

    def two():
        a = keras.Input((4,), name="a")
        h = layers.Dense(6, activation="tanh", kernel_regularizer="l2")(a)
        m = keras.Model(a, [layers.Dense(3, activation="softmax", name="kind")(h), layers.Dense(2, name="size")(h)])
        m.compile(O.SGD(0.1, momentum=0.9), {"kind": K.SparseCategoricalCrossentropy(), "size": K.MeanSquaredError()}, loss_weights={"kind": 1.0, "size": 0.3}, metrics={"kind": [M.SparseCategoricalAccuracy()], "size": [M.MeanAbsoluteError()]})
        return m

    def masked():
        m = keras.Sequential([keras.Input((5,)), layers.Embedding(12, 4, mask_zero=True), layers.LSTM(3, return_sequences=True), layers.Dense(2)])
        m.compile(O.SGD(0.5), K.MeanSquaredError(), metrics=[M.MeanAbsoluteError()])
        return m

    def frozen():
        m = plain(layers.Dense(5, activation="relu"), layers.BatchNormalization(), layers.Dense(3, activation="softmax"))
        m.layers[0].trainable = m.layers[1].trainable = False
        m.compile(O.Adam(0.01), K.SparseCategoricalCrossentropy())
        return m

    softmax = lambda: layers.Dense(3, activation="softmax")
    cases = {
        "statistics": (lambda: plain(layers.Dense(8, activation="relu"), layers.BatchNormalization(), softmax(), optimizer=O.Adam(0.01), metrics=[M.SparseCategoricalAccuracy()]), x, [sparse], {}),
        "example_weights": (lambda: plain(layers.Dense(8, activation="tanh"), softmax(), optimizer=O.SGD(0.1), metrics=[M.SparseCategoricalAccuracy()], weighted_metrics=[M.SparseCategoricalCrossentropy(name="sparse_categorical_crossentropy")]), x, [sparse], {"sample_weight": weights}),
        "class_weights": (lambda: plain(layers.Dense(8, activation="tanh"), softmax(), optimizer=O.RMSprop(0.01)), x, [sparse], {"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}}),
        "class_weights_onehot": (lambda: plain(softmax(), optimizer=O.SGD(0.1), loss=K.CategoricalCrossentropy()), x, [onehot], {"class_weight": {0: 2.0, 1: 0.1, 2: 0.5}}),
        "two_outputs": (two, x, [sparse, real], {}),
        "masked": (masked, tokens, [normal(20, 5, 2)], {}),
        "frozen": (frozen, x, [sparse], {}),
        "constrained": (lambda: plain(layers.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02), bias_regularizer="l1", activity_regularizer=keras.regularizers.L2(0.01), kernel_constraint=keras.constraints.MaxNorm(1.0)), layers.Dense(2, bias_constraint="non_neg"), optimizer=O.Adam(0.01), loss=K.Huber()), x, [real], {}),
        "clipped": (lambda: plain(layers.Dense(8, activation="gelu"), layers.Dense(2), optimizer=O.AdamW(0.01, global_clipnorm=0.5), loss=K.MeanSquaredError()), x, [real], {}),
        "accumulated": (lambda: plain(layers.Dense(8, activation="elu"), layers.Dense(2), optimizer=O.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2), loss=K.MeanSquaredError()), x, [real], {}),
        "scheduled": (lambda: plain(layers.Dense(8, activation="silu"), softmax(), optimizer=O.Nadam(O.schedules.CosineDecay(0.0, 10, warmup_target=0.05, warmup_steps=3))), x, [sparse], {}),
        "averaged": (lambda: plain(layers.Dense(8, activation="tanh"), softmax(), optimizer=O.Adam(0.05, use_ema=True, ema_momentum=0.9)), x, [sparse], {}),
        "binary": (lambda: plain(layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid"), optimizer=O.Lion(0.01), loss=K.BinaryCrossentropy(), metrics=[M.Precision(name="precision"), M.Recall(name="recall"), M.AUC(name="auc")]), x, [(sparse == 1).astype("float32")], {}),
        "gated": (lambda: (lambda m: (m.compile(O.Adam(0.01), K.SparseCategoricalCrossentropy()), m)[1])(keras.Sequential([keras.Input((4,)), layers.Reshape((2, 2)), layers.GRU(4, return_sequences=True), layers.SimpleRNN(4), softmax()])), x, [sparse], {}),
        "attentive": (lambda: (lambda m: (m.compile(O.Adagrad(0.1), K.SparseCategoricalCrossentropy()), m)[1])(keras.Sequential([keras.Input((4,)), layers.Reshape((2, 2)), layers.Conv1D(4, 2, padding="same"), layers.LayerNormalization(), layers.GlobalAveragePooling1D(), softmax()])), x, [sparse], {}),
    }
    for name, (make, inputs, labels, kw) in cases.items():
        keras.backend.clear_session()
        keras.utils.set_random_seed(3)
        model = make()
        model.save(HERE / f"fit_{name}.keras")
        y = labels[0] if len(labels) == 1 else labels
        h = model.fit(inputs, y, batch_size=8, epochs=3, shuffle=False, verbose=0, **kw)
        out[f"{name}.x"] = inputs
        for k, v in enumerate(labels):
            out[f"{name}.y{k}"] = v
        if "sample_weight" in kw:
            out[f"{name}.weights"] = kw["sample_weight"]
        for k, w in enumerate(model.get_weights()):
            out[f"{name}.after{k}"] = w
        described[name] = {"labels": len(labels), "class_weight": kw.get("class_weight", {}), "history": {k: [float(f"{x:.7g}") for x in v] for k, v in h.history.items()}}
    save("fits.npz", **out)
    (HERE / "fits.json").write_text(json.dumps(described, indent=1) + "\n")


def main():
    cnn(sys.argv[1])
    keras_files()
    fits()
    versions = {"python": platform.python_version(), "keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__}
    (HERE / "versions.json").write_text(json.dumps(versions, indent=2) + "\n")


if __name__ == "__main__":
    main()
