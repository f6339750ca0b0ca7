"""Writes what Keras computes, for dl's tests to compare with.

    python -m pip install --require-hashes -r bench/peers/requirements.txt
    python dl/testdata/generate.py MNIST-FOLDER

MNIST-FOLDER holds train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz.
Output: layers.npz, losses.npz, optimizers.npz, cnn.npz, summary.txt and
versions.json, beside this file.
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


# Each layer's output, and the gradients of the sum of its output times r.
LAYERS = {
    "dense": (layers.Dense(5), (4, 7)),
    "dense_relu": (layers.Dense(5, activation="relu"), (4, 7)),
    "dense_3d": (layers.Dense(3, activation="tanh"), (2, 4, 6)),
    "dense_nobias": (layers.Dense(2, use_bias=False), (3, 4)),
    "conv2d": (layers.Conv2D(4, (3, 3)), (2, 8, 7, 3)),
    "conv2d_same": (layers.Conv2D(4, (3, 2), padding="same", activation="relu"), (2, 8, 7, 3)),
    "conv2d_strides": (layers.Conv2D(4, (3, 3), strides=(2, 3)), (2, 9, 10, 3)),
    "conv2d_same_strides": (layers.Conv2D(4, (3, 3), strides=2, padding="same"), (2, 8, 7, 3)),
    "conv2d_dilation": (layers.Conv2D(4, (3, 3), dilation_rate=2), (2, 9, 8, 3)),
    "conv2d_groups": (layers.Conv2D(4, (3, 3), groups=2), (2, 6, 6, 4)),
    "max_pooling2d": (layers.MaxPooling2D((2, 2)), (2, 6, 8, 3)),
    "max_pooling2d_odd": (layers.MaxPooling2D((2, 2)), (2, 7, 5, 3)),
    "max_pooling2d_3x2": (layers.MaxPooling2D((3, 2)), (2, 7, 8, 2)),
    "max_pooling2d_same": (layers.MaxPooling2D((2, 2), padding="same"), (2, 7, 5, 3)),
    "max_pooling2d_overlap": (layers.MaxPooling2D((3, 3), strides=2), (2, 7, 7, 2)),
    "average_pooling2d": (layers.AveragePooling2D((2, 2)), (2, 6, 8, 3)),
    "average_pooling2d_odd": (layers.AveragePooling2D((2, 3)), (2, 7, 8, 3)),
    "average_pooling2d_same": (layers.AveragePooling2D((2, 2), padding="same"), (2, 7, 5, 3)),
    "average_pooling2d_overlap": (layers.AveragePooling2D((3, 3), strides=2), (2, 7, 7, 2)),
    "flatten": (layers.Flatten(), (2, 3, 4, 2)),
    "dropout": (layers.Dropout(0.5), (3, 4)),
    "activation": (layers.Activation("sigmoid"), (3, 4)),
}
ACTIVATIONS = (
    "linear relu relu6 leaky_relu elu selu gelu silu sigmoid hard_sigmoid tanh softplus "
    "softsign exponential mish softmax log_softmax"
).split()


def layer_cases():
    out = {}

    def record(name, fn, weights, x):
        x = tf.Variable(x)
        with tf.GradientTape() as tape:
            y = fn(x)
            r = normal(*y.shape)
            total = tf.reduce_sum(y * r)
        gradients = tape.gradient(total, [x] + [w.value for w in weights])
        out[f"{name}.x"], out[f"{name}.y"], out[f"{name}.r"] = x.numpy(), y.numpy(), r
        out[f"{name}.dx"] = gradients[0].numpy()
        for i, w in enumerate(weights):
            out[f"{name}.w{i}"], out[f"{name}.dw{i}"] = w.numpy(), gradients[i + 1].numpy()

    for name, (layer, shape) in LAYERS.items():
        layer.build(shape)
        layer.set_weights([normal(*w.shape) for w in layer.weights])
        x = normal(*shape)
        if name.startswith("max"):
            x = np.round(x).clip(0, 2)  # as after a relu: many windows hold ties
        record(name, lambda v, f=layer: f(v, training=False) if name == "dropout" else f(v), layer.trainable_weights, x)
    for name in ACTIVATIONS:
        x = np.concatenate([normal(4, 6) * 3, [[0, 8, -8, 30, -30, 1]]]).astype("float32")
        if name == "exponential":
            x = x.clip(-8, 8)
        # gelu: Keras's default is the exact form; relu6 saturates.
        fn = keras.activations.get(name)
        record("activation_" + name, fn, [], x)
    save("layers.npz", **out)


def loss_cases():
    out = {}
    n, classes = 6, 5
    logits = normal(n, classes) * 2
    probabilities = keras.activations.softmax(logits).numpy()
    sparse = rng.integers(0, classes, n).astype("int32")
    onehot = np.eye(classes, dtype="float32")[sparse]
    binary = rng.integers(0, 2, (n, 3)).astype("float32")
    z = normal(n, 3) * 2
    L = keras.losses
    cases = {
        "sparse": (L.SparseCategoricalCrossentropy(), sparse, probabilities),
        "sparse_logits": (L.SparseCategoricalCrossentropy(from_logits=True), sparse, logits),
        "categorical": (L.CategoricalCrossentropy(), onehot, probabilities),
        "categorical_logits": (L.CategoricalCrossentropy(from_logits=True), onehot, logits),
        "categorical_smooth": (L.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), onehot, logits),
        "binary": (L.BinaryCrossentropy(), binary, keras.activations.sigmoid(z).numpy()),
        "binary_logits": (L.BinaryCrossentropy(from_logits=True), binary, z),
        "binary_smooth": (L.BinaryCrossentropy(from_logits=True, label_smoothing=0.2), binary, z),
        "mse": (L.MeanSquaredError(), normal(n, 3), z),
    }
    for name, (loss, labels, output) in cases.items():
        output = tf.Variable(output)
        with tf.GradientTape() as tape:
            value = loss(labels, output)
        out[f"{name}.labels"], out[f"{name}.output"] = labels, output.numpy()
        out[f"{name}.loss"], out[f"{name}.gradient"] = value.numpy().reshape(1), tape.gradient(value, output).numpy()
    M = keras.metrics
    for name, metric, labels, output in [
        ("sparse_categorical_accuracy", M.SparseCategoricalAccuracy(), sparse, probabilities),
        ("categorical_accuracy", M.CategoricalAccuracy(), onehot, probabilities),
        ("binary_accuracy", M.BinaryAccuracy(), binary, keras.activations.sigmoid(z).numpy()),
        ("mean_absolute_error", M.MeanAbsoluteError(), binary, z),
        ("mean_squared_error", M.MeanSquaredError(), binary, z),
    ]:
        metric.update_state(labels, output)
        out[f"metric_{name}.labels"], out[f"metric_{name}.output"] = labels, output
        out[f"metric_{name}.value"] = np.asarray(metric.result()).reshape(1).astype("float32")
    save("losses.npz", **out)


def optimizer_cases():
    out = {}
    start = normal(3, 4)
    gradients = [normal(3, 4) * s for s in (1, 0.1, 5, 0.01, 1)]
    O = keras.optimizers
    out["start"], out["gradients"] = start, np.stack(gradients)
    for name, optimizer in {
        "sgd": O.SGD(),
        "sgd_momentum": O.SGD(0.1, momentum=0.9),
        "sgd_nesterov": O.SGD(0.1, momentum=0.9, nesterov=True),
        "adam": O.Adam(),
        "adam_betas": O.Adam(0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-3),
    }.items():
        w = keras.Variable(start)
        optimizer.build([w])
        steps = []
        for g in gradients:
            optimizer.apply([tf.constant(g)], [w])
            steps.append(w.numpy().copy())
        out[name] = np.stack(steps)
    save("optimizers.npz", **out)


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


def main():
    layer_cases()
    loss_cases()
    optimizer_cases()
    cnn(sys.argv[1])
    versions = {"python": platform.python_version(), "keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__}
    (HERE / "versions.json").write_text(json.dumps(versions, indent=2) + "\n")


if __name__ == "__main__":
    main()
