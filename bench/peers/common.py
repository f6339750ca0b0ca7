"""What the peers have in common: the data, the arguments, the result."""

import argparse
import json
import resource
import statistics
import time

import numpy as np


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--data", required=True, help="the file that datasets.MNIST caches")
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--model", default="cnn", choices=["cnn", "mlp", "simple_rnn", "lstm", "gru", "resnet18", "mobilenetv2", "encoder", "gpt"])
    p.add_argument("--steps", type=int, default=0, help="how many steps are measured; 0 is an epoch")
    p.add_argument("--channels-last", action="store_true")
    p.add_argument("--compile", action="store_true")
    return p.parse_args()


def mnist(path, test=False):
    """The 60,000 digits to train on, or the 10,000 to test with, float32 in [0, 1], and their labels."""
    raw = np.fromfile(path, np.uint8)[len(b"gradbook data 1\n"):]
    at, n = (60000 * 785, 10000) if test else (0, 60000)
    images = raw[at : at + n * 784].reshape(n, 28, 28, 1).astype("float32") / 255
    return images, raw[at + n * 784 : at + n * 785].astype("int32")


def tokens(images):
    """What the GPT reads of images, and what it is to say: 128 pixels, and those that follow them."""
    pixels = (images.reshape(len(images), -1)[:, 200:329] * 255).round().astype("int32")
    return pixels[:, :-1], pixels[:, 1:]


# How many steps a network has before so many are measured that are no epoch.
WARM_UP = 5


def train(step, n, batch, predict=None, steps=0):
    """Times step(indices), which must return when the step is done: an epoch of
    it after a warm-up, or so many steps, in an order of its own for each. predict(n)
    predicts n images."""
    warm_up = WARM_UP if steps else 100
    most = steps * batch if steps else n - n % batch
    rng = np.random.default_rng(0)
    began = time.perf_counter()
    order = rng.permutation(n)
    first = None
    for i in range(warm_up):
        step(order[i * batch : (i + 1) * batch])
        first = first or time.perf_counter() - began
    order = rng.permutation(n)
    all = []
    began = last = time.perf_counter()
    for i in range(0, most, batch):
        step(order[i : i + batch])
        now = time.perf_counter()
        all.append(now - last)
        last = now
    report(first, all, time.perf_counter() - began, predict, steps)


def timed(f, times):
    all = []
    for _ in range(times + 1):
        began = time.perf_counter()
        f()
        all.append(time.perf_counter() - began)
    return statistics.median(all[1:]) * 1e3


def report(first, steps, epoch, predict=None, short=0):
    one = timed(lambda: predict(1), 20 if short else 200) if predict else 0
    many = timed(lambda: predict(100 if short else 10000), 5) if predict else 0
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"first": first, "step": statistics.median(steps) * 1e3, "epoch": epoch, "memory": memory, "one": one, "many": many}))
