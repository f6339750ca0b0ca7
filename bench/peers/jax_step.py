"""The document's network in plain JAX, with optax's Adam, one jitted step."""

import functools

import jax
import jax.numpy as jnp
import optax
from common import arguments, mnist, train

args = arguments()
images, labels = mnist(args.data)
images, labels = jnp.asarray(images), jnp.asarray(labels)


def glorot(key, shape):
    window = 1
    for d in shape[:-2]:
        window *= d
    limit = (6 / (window * (shape[-2] + shape[-1]))) ** 0.5
    return jax.random.uniform(key, shape, minval=-limit, maxval=limit)


shapes = [(3, 3, 1, 32), (3, 3, 32, 64), (3, 3, 64, 64), (576, 64), (64, 10)]
keys = jax.random.split(jax.random.key(0), len(shapes))
params = [(glorot(k, s), jnp.zeros(s[-1])) for k, s in zip(keys, shapes)]
optimizer = optax.adam(1e-3, eps=1e-7)
state = optimizer.init(params)


def conv(x, w, b):
    y = jax.lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return jax.nn.relu(y + b)


def pool(x):
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def loss(params, x, y):
    x = pool(conv(x, *params[0]))
    x = pool(conv(x, *params[1]))
    x = conv(x, *params[2]).reshape(x.shape[0], -1)
    x = jax.nn.relu(x @ params[3][0] + params[3][1])
    logits = x @ params[4][0] + params[4][1]
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


@functools.partial(jax.jit, donate_argnums=(0, 1))
def step(params, state, images, labels, index):
    value, gradients = jax.value_and_grad(loss)(params, images[index], labels[index])
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state, value


def once(index):
    global params, state
    params, state, value = step(params, state, images, labels, index)
    value.block_until_ready()


train(once, len(labels), args.batch)
