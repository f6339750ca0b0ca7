"""The networks in plain JAX with optax's Adam: one jitted step that writes over its state and
finds its batch in the digits on the device."""

import functools
import os
import time

from measure import arguments, mnist, orders, run, timed

args = arguments()
os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
os.environ["JAX_PLATFORMS"] = "cpu" if args.cpu else "cuda"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402

pixels, digits = mnist(args.data)
pixels, digits = jax.device_put(pixels), jax.device_put(digits)
optimizer = optax.adam(1e-3, eps=1e-7)


def glorot(key, *shape):
    window = 1
    for d in shape[:-2]:
        window *= d
    limit = (6 / (window * (shape[-2] + shape[-1]))) ** 0.5
    return jax.random.uniform(key, shape, minval=-limit, maxval=limit)


def dense_params(key, n, m):
    return {"w": glorot(key, n, m), "b": jnp.zeros(m)}


def dense(p, x):
    return x @ p["w"].astype(x.dtype) + p["b"].astype(x.dtype)


def cnn_params(key):
    k = jax.random.split(key, 5)
    shapes = [(3, 3, 1, 32), (3, 3, 32, 64), (3, 3, 64, 64)]
    convs = [{"w": glorot(k[i], *s), "b": jnp.zeros(s[-1])} for i, s in enumerate(shapes)]
    return {"convs": convs, "dense": dense_params(k[3], 576, 64), "out": dense_params(k[4], 64, 10)}


def conv(p, x):
    y = jax.lax.conv_general_dilated(x, p["w"].astype(x.dtype), (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return jax.nn.relu(y + p["b"].astype(x.dtype))


def pool(x):
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def cnn(p, x):
    x = pool(conv(p["convs"][0], x))
    x = pool(conv(p["convs"][1], x))
    x = conv(p["convs"][2], x).reshape(x.shape[0], -1)
    return dense(p["out"], jax.nn.relu(dense(p["dense"], x)))


def lstm_params(key):
    k = jax.random.split(key, 3)
    bias = jnp.concatenate([jnp.zeros(128), jnp.ones(128), jnp.zeros(256)])
    return {"w": glorot(k[0], 28, 512), "u": glorot(k[1], 128, 512), "b": bias, "out": dense_params(k[2], 128, 10)}


def lstm(p, x):
    x = x.reshape(-1, 28, 28)
    inputs = (x @ p["w"].astype(x.dtype) + p["b"].astype(x.dtype)).transpose(1, 0, 2)
    u = p["u"].astype(x.dtype)

    def cell(state, row):
        h, c = state
        i, f, g, o = jnp.split(row + h @ u, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zero = jnp.zeros((x.shape[0], 128), x.dtype)
    (h, _), _ = jax.lax.scan(cell, (zero, zero), inputs)
    return dense(p["out"], h)


def transformer_params(key):
    keys = iter(jax.random.split(key, 20))
    block = lambda: {  # noqa: E731
        **{name: dense_params(next(keys), 128, 128) for name in ("q", "k", "v", "o")},
        "wide": dense_params(next(keys), 128, 512), "narrow": dense_params(next(keys), 512, 128),
        "norms": [{"g": jnp.ones(128), "b": jnp.zeros(128)} for _ in range(2)],
    }
    return {"in": dense_params(next(keys), 28, 128), "blocks": [block(), block()], "out": dense_params(next(keys), 128, 10)}


def norm(p, x):
    y = x.astype(jnp.float32)
    y = (y - y.mean(-1, keepdims=True)) * jax.lax.rsqrt(y.var(-1, keepdims=True) + 1e-3)
    return (y * p["g"] + p["b"]).astype(x.dtype)


def transformer(p, x):
    x = dense(p["in"], x.reshape(-1, 28, 28))
    n = x.shape[0]
    for b in p["blocks"]:
        q, k, v = (dense(b[name], x).reshape(n, 28, 4, 32) for name in "qkv")
        attended = jax.nn.dot_product_attention(q, k, v).reshape(n, 28, 128)
        x = norm(b["norms"][0], x + dense(b["o"], attended))
        x = norm(b["norms"][1], x + dense(b["narrow"], jax.nn.relu(dense(b["wide"], x))))
    return dense(p["out"], x.mean(1))


NETWORKS = {"cnn": (cnn_params, cnn), "lstm": (lstm_params, lstm), "transformer": (transformer_params, transformer)}


def measure(model, batch, dtype):
    init, forward = NETWORKS[model]
    kind = jnp.bfloat16 if dtype == "bfloat16" else jnp.float32
    precision = "highest" if dtype == "float32" else "default"

    def read(pixels, index):
        return pixels[index].astype(kind) / 255

    def loss(params, x, y):
        logits = forward(params, x).astype(jnp.float32)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    # The digits are arguments: what a function finds outside becomes part of the program.
    @functools.partial(jax.jit, donate_argnums=0)
    def step(carried, order, pixels, digits):
        params, state, at, total = carried
        index = jax.lax.dynamic_slice(order, (at,), (batch,))
        value, gradients = jax.value_and_grad(loss)(params, read(pixels, index), digits[index])
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, at + batch, total + value

    with jax.default_matmul_precision(precision):
        params = init(jax.random.key(0))
        all_orders = orders(len(digits))
        now = {"carried": (params, optimizer.init(params), jnp.int32(0), jnp.float32(0)), "left": 0}
        jax.block_until_ready(now)

        def once():
            if now["left"] == 0:
                now["order"], now["left"] = jax.device_put(next(all_orders)), len(digits) // batch
                params, state, _, total = now["carried"]
                now["carried"] = (params, state, jnp.int32(0), total)
            now["carried"] = step(now["carried"], now["order"], pixels, digits)
            now["left"] -= 1

        def wait():
            now["carried"][3].block_until_ready()

        values = timed(once, wait, args.measure, time.perf_counter())
        if model == "cnn":
            values["predict_per_s"] = predict(forward, now["carried"][0], read)
        return values


def predict(forward, params, read):
    @jax.jit
    def probabilities(params, at, pixels):
        return jax.nn.softmax(forward(params, read(pixels, at + jnp.arange(1000))).astype(jnp.float32))

    probabilities(params, 0, pixels).block_until_ready()
    n, start = 0, time.perf_counter()
    while n == 0 or time.perf_counter() - start < args.measure:
        jax.device_get([probabilities(params, at, pixels) for at in range(0, 10000, 1000)])
        n += 10000
    return n / (time.perf_counter() - start)


run("jax", args, measure)
