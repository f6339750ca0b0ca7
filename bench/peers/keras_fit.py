"""The document's program, and others, in Keras, on the backend that KERAS_BACKEND names."""

import time

import keras
from common import WARM_UP, arguments, mnist, report, tokens
from keras_networks import network

args = arguments()
images, labels = mnist(args.data)
if args.model == "gpt":
    images, labels = tokens(images)

model = network(args.model)
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
n = (WARM_UP if args.steps else 100) * args.batch
model.fit(images[:n], labels[:n], batch_size=args.batch, epochs=1, verbose=0, callbacks=[warm])
timer = Timer()
if args.steps:
    images, labels = images[: args.steps * args.batch], labels[: args.steps * args.batch]
model.fit(images, labels, batch_size=args.batch, epochs=1, verbose=0, callbacks=[timer])
report(warm.first - began, timer.steps, timer.epoch, lambda n: model.predict(images[:n], batch_size=1000, verbose=0) if n > 1 else model(images[:1]), args.steps)
