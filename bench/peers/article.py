"""The article's program as it stands, in Keras, with three seeds: what the notebook on
convolution sets beside its own numbers.

    .gradbook/peers/bin/python bench/peers/article.py --data FILE    # the file that datasets.MNIST caches
"""

import keras
from common import arguments, mnist
from keras import layers, models

data = arguments().data
train_images, train_labels = mnist(data)
test_images, test_labels = mnist(data, test=True)

for seed in range(3):
    keras.utils.set_random_seed(seed)
    model = models.Sequential([
        layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train_images, train_labels, epochs=5, verbose=0)
    loss, accuracy = model.evaluate(test_images, test_labels, verbose=0)
    print(f"Keras {keras.__version__}, {keras.backend.backend()}, seed {seed}: {model.count_params()} parameters, test loss {loss:.4f}, test accuracy {accuracy:.4f}", flush=True)
