"""Models that Keras saved in the middle of a training, and what their weights are when it
goes on: python resume.py, or python resume.py NAME... for some of them, with
bench/peers/requirements.txt."""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from keras import layers
from keras import optimizers as O

HERE = pathlib.Path(__file__).parent / "resume"
rng = np.random.default_rng(5)


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


def network():
    """Layers of layers, one that is frozen, a running mean, and one that is used twice."""
    x = keras.Input((6, 4))
    inner = keras.Sequential([keras.Input((6, 4)), layers.Conv1D(4, 3, padding="same", activation="tanh"), layers.BatchNormalization()])
    frozen = layers.Dense(4, name="frozen")
    frozen.trainable = False
    h = frozen(inner(inner(x)))
    h = layers.MultiHeadAttention(2, 3, use_bias=False)(h, h)  # the key's bias has no gradient, only noise
    h = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(h)
    h = layers.GRU(3)(h)
    return keras.Model(x, layers.Dense(2)(h))


def normalized():
    """A kernel that is divided at each step, and cells of which one reads the other's output."""
    x = keras.Input((6, 4))
    h = layers.SpectralNormalization(layers.Conv1D(4, 3, activation="tanh"))(x)
    h = layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)])(h)
    return keras.Model(x, layers.SpectralNormalization(layers.Dense(2), power_iterations=2)(h))


CASES = {
    "adam": lambda: O.Adam(0.01),
    "amsgrad": lambda: O.Adam(0.01, amsgrad=True),
    "adamw": lambda: O.AdamW(0.01, weight_decay=0.02),
    "adamax": lambda: O.Adamax(0.01),
    "nadam": lambda: O.Nadam(0.01),
    "sgd": lambda: O.SGD(0.05),
    "momentum": lambda: O.SGD(0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda: O.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: O.Adagrad(0.1),
    "adadelta": lambda: O.Adadelta(1.0),
    "lion": lambda: O.Lion(0.003),
    "scheduled": lambda: O.Adam(O.schedules.ExponentialDecay(0.02, 3, 0.7)),
    "accumulated": lambda: O.SGD(0.05, momentum=0.9, gradient_accumulation_steps=2),
    "averaged": lambda: O.Adam(0.02, use_ema=True, ema_momentum=0.9),
    "slower": lambda: O.Adam(0.02),
    "normalized": lambda: O.Adam(0.02),
}


def main():
    HERE.mkdir(exist_ok=True)
    x, y = normal(24, 6, 4), normal(24, 2)
    wanted = sys.argv[1:]
    out = dict(np.load(HERE / "after.npz")) if wanted else {"x": x, "y": y}
    for name, make in CASES.items():
        if wanted and name not in wanted:
            continue
        keras.backend.clear_session()
        keras.utils.set_random_seed(3)
        m = normalized() if name == "normalized" else network()
        m.compile(make(), "mean_squared_error")
        slower = [keras.callbacks.LearningRateScheduler(lambda epoch: 0.001)] if name == "slower" else []
        m.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0, callbacks=slower)
        m.save(HERE / f"{name}.keras")
        m.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
        for i, w in enumerate(m.get_weights()):
            out[f"{name}.{i}"] = w
    np.savez_compressed(HERE / "after.npz", **out)
    (HERE / "versions.json").write_text(json.dumps({"keras": keras.__version__, "numpy": np.__version__}) + "\n")


if __name__ == "__main__":
    main()
