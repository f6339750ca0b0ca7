"""The networks of bench/networks in Keras, for MNIST's images."""

import keras
from keras import layers


def _cnn(x):
    for filters, pooled in ((32, True), (64, True), (64, False)):
        x = layers.Conv2D(filters, (3, 3), activation="relu")(x)
        if pooled:
            x = layers.MaxPooling2D((2, 2))(x)
    return layers.Dense(64, activation="relu")(layers.Flatten()(x))


def _mlp(x):
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dense(512, activation="relu")(x)
    return x


def _rows(layer):
    return lambda x: layer(128)(layers.Reshape((28, 28))(x))


def _normalized(x, layer, activation=None):
    x = layers.BatchNormalization()(layer(x))
    return layers.Activation(activation)(x) if activation else x


def _convolution(filters, size, stride):
    return layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)


def _resnet18(x):
    x = layers.ZeroPadding2D(2)(x)
    x = _normalized(x, _convolution(64, 3, 1), "relu")
    for i, filters in enumerate((64, 128, 256, 512)):
        for block in range(2):
            stride, short = 1, x
            if i > 0 and block == 0:
                stride = 2
                short = _normalized(x, _convolution(filters, 1, 2))
            y = _normalized(x, _convolution(filters, 3, stride), "relu")
            y = _normalized(y, _convolution(filters, 3, 1))
            x = layers.Activation("relu")(layers.Add()([y, short]))
    return layers.GlobalAveragePooling2D()(x)


def _mobilenetv2(x):
    x = layers.ZeroPadding2D(6)(layers.UpSampling2D(3)(x))
    x = _normalized(x, _convolution(32, 3, 2), "relu6")
    channels = 32
    for expand, filters, times, first in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(times):
            stride = first if i == 0 else 1
            y = x
            if expand > 1:
                y = _normalized(y, _convolution(expand * channels, 1, 1), "relu6")
            y = _normalized(y, layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False), "relu6")
            y = _normalized(y, _convolution(filters, 1, 1))
            if stride == 1 and channels == filters:
                y = layers.Add()([x, y])
            x, channels = y, filters
    return layers.GlobalAveragePooling2D()(_normalized(x, _convolution(1280, 1, 1), "relu6"))


def _encoders(x, n, heads, features, **attention):
    for _ in range(n):
        attended = layers.MultiHeadAttention(heads, features // heads)(x, x, **attention)
        x = layers.LayerNormalization()(layers.Add()([x, attended]))
        wide = layers.Dense(features)(layers.Dense(4 * features, activation="relu")(x))
        x = layers.LayerNormalization()(layers.Add()([x, wide]))
    return x


def _encoder(x):
    x = layers.Reshape((128, 7))(layers.ZeroPadding1D(56)(layers.Reshape((784, 1))(x)))
    return layers.GlobalAveragePooling1D()(_encoders(layers.Dense(256)(x), 4, 8, 256))


class _Positions(layers.Layer):
    def build(self, shape):
        self.embeddings = self.add_weight(shape=shape[1:], initializer=keras.initializers.RandomNormal(stddev=0.02))

    def call(self, x):
        return x + self.embeddings


def _gpt(x, n=4, heads=8, features=256):
    x = _Positions()(layers.Embedding(256, features)(x))
    for _ in range(n):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(heads, features // heads)(y, y, use_causal_mask=True)])
        y = layers.Dense(4 * features, activation="gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(features)(y)])
    return layers.LayerNormalization()(x)


_BODIES = {
    "cnn": _cnn,
    "mlp": _mlp,
    "simple_rnn": _rows(layers.SimpleRNN),
    "lstm": _rows(layers.LSTM),
    "gru": _rows(layers.GRU),
    "resnet18": _resnet18,
    "mobilenetv2": _mobilenetv2,
    "encoder": _encoder,
    "gpt": _gpt,
}


def network(name):
    if name == "gpt":
        x = keras.Input((128,), dtype="int32")
        return keras.Model(x, layers.Dense(256, activation="softmax")(_gpt(x)))
    x = keras.Input((28, 28, 1))
    return keras.Model(x, layers.Dense(10, activation="softmax")(_BODIES[name](x)))
