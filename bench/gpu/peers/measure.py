"""What the peers have in common: the data, the configurations, the timing. Each prints what it
has found as lines of JSON, as bench/gpu/record describes them."""

import argparse
import json
import time

import numpy as np


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--data", required=True, help="the file that datasets.MNIST caches")
    p.add_argument("--configs", required=True, help="comma-separated model:batch:dtype")
    p.add_argument("--measure", type=float, default=1.5, help="seconds for each")
    p.add_argument("--variant", default="", help="eager, channels_last or compiled (PyTorch)")
    p.add_argument("--cpu", action="store_true", help="compute on the CPU")
    args = p.parse_args()
    args.configs = [(m, int(b), d) for m, b, d in (c.split(":") for c in args.configs.split(","))]
    return args


def mnist(path):
    """The 60,000 digits to train on, uint8 [n, 28, 28, 1], and their labels."""
    raw = np.fromfile(path, np.uint8)[len(b"gradbook data 1\n"):]
    n = 60000
    return raw[: n * 784].reshape(n, 28, 28, 1), raw[n * 784 : n * 785].astype("int32")


def orders(n, seed=0):
    """An order of n examples for each epoch."""
    rng = np.random.default_rng(seed)
    while True:
        yield rng.permutation(n).astype("int32")


def timed(step, wait, seconds, began):
    """Times step(), which need not wait for the device; wait() does. Returns what is known of
    the first step, since began, and of those after some that are not counted."""
    step()
    wait()
    first = time.perf_counter() - began
    start = time.perf_counter()
    for _ in range(10):
        step()
        if time.perf_counter() - start > seconds:
            break
    wait()
    n, start = 0, time.perf_counter()
    while n == 0 or time.perf_counter() - start < seconds:
        step()
        n += 1
        if n % 512 == 0:
            wait()  # none may run away from its device
    wait()
    return {"first_s": first, "step_ms": (time.perf_counter() - start) / n * 1e3, "steps": n}


def say(who, model, batch, dtype, values, note=""):
    print(json.dumps({"who": who, "model": model, "batch": batch, "dtype": dtype, "values": values, "note": note}), flush=True)


def run(who, args, measure):
    """Measures all configurations; one that fails is said to have failed."""
    for model, batch, dtype in args.configs:
        try:
            say(who, model, batch, dtype, measure(model, batch, dtype))
        except Exception as e:  # of any library
            say(who, model, batch, dtype, {}, f"{type(e).__name__}: {e}"[:400])
