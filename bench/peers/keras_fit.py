"""The document's program, and others, in Keras, on the backend that KERAS_BACKEND names."""

import time

import keras
from common import arguments, mnist, report
from keras import layers

args = arguments()
images, labels = mnist(args.data)

STACKS = {
    "cnn": lambda: [
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
    ],
    "mlp": lambda: [layers.Flatten(), layers.Dense(512, activation="relu"), layers.Dense(512, activation="relu")],
    "simple_rnn": lambda: [layers.Reshape((28, 28)), layers.SimpleRNN(128)],
    "lstm": lambda: [layers.Reshape((28, 28)), layers.LSTM(128)],
    "gru": lambda: [layers.Reshape((28, 28)), layers.GRU(128)],
}
model = keras.Sequential([keras.Input((28, 28, 1)), *STACKS[args.model](), layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])


class Timer(keras.callbacks.Callback):
    def __init__(self):
        self.first = self.last = self.epoch = None
        self.steps = []

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if self.first is None:
            self.first = now
        else:
            self.steps.append(now - self.last)
        self.last = now

    def on_epoch_end(self, epoch, logs=None):
        self.epoch = time.perf_counter() - self.began


warm = Timer()
began = time.perf_counter()
n = 100 * args.batch
model.fit(images[:n], labels[:n], batch_size=args.batch, epochs=1, verbose=0, callbacks=[warm])
timer = Timer()
model.fit(images, labels, batch_size=args.batch, epochs=1, verbose=0, callbacks=[timer])
report(warm.first - began, timer.steps, timer.epoch, lambda n: model.predict(images[:n], batch_size=1000, verbose=0) if n > 1 else model(images[:1]))
