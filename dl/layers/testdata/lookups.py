"""Writes what Keras's lookups and hashes make of categories: python lookups.py, with
bench/peers/requirements.txt. Output: lookups.json."""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
from keras import layers as L

WORDS = [["red", "green", "red", ""], ["blue", "grün", "red", "green"], ["", "", "cyan", "blue"]]
NEW = [["green", "pink", "", "red"], ["grün", "黒", "blue", "cyan"]]
NUMBERS = [[7, -3, 7, 0], [10**12, 5, 7, -3], [0, 0, 8, 10**12]]
MORE = [[-3, 99, 0, 7], [5, -17, 10**12, 8]]
ONE = lambda rows: [[v] for row in rows for v in row]


def lookups():
    for mode in ("int", "multi_hot", "count", "tf_idf", "one_hot"):
        for mask in (False, True):
            for oov in (1, 3):
                for most in (None, 6):
                    yield {"output_mode": mode, "num_oov_indices": oov, "max_tokens": most, "mask": mask}
    yield {"output_mode": "count", "max_tokens": 9, "pad_to_max_tokens": True, "mask": True}
    yield {"output_mode": "tf_idf", "max_tokens": 9, "pad_to_max_tokens": True, "mask": False}


cases = []
for config in lookups():
    config = dict(config)
    mask = config.pop("mask")
    for cls, rows, new, token in ((L.StringLookup, WORDS, NEW, ""), (L.IntegerLookup, NUMBERS, MORE, 0)):
        config["mask_token"] = token if mask else None
        layer = cls(**config)
        layer.adapt(np.array(rows))
        given = ONE(new) if config["output_mode"] == "one_hot" else new
        out = np.asarray(layer(np.array(given)), "float64").reshape(len(given), -1)
        case = {"class": cls.__name__, "config": dict(config), "rows": rows, "new": given, "out": out.tolist()}
        if config["output_mode"] == "int":
            back = cls(vocabulary=layer.get_vocabulary(), invert=True, mask_token=config["mask_token"], num_oov_indices=config["num_oov_indices"])
            inverse = back(np.array(out, "int64")).numpy()
            case["inverse"] = [[v.decode() if isinstance(v, bytes) else int(v) for v in row] for row in inverse]
        cases.append(case)
for mode in ("int", "one_hot", "multi_hot", "count"):
    for salt in (None, 1337, [5, 99]):
        for mask in (False, True):
            for cls, rows, token in (("strings", WORDS + NEW, ""), ("integers", NUMBERS + MORE, 0)):
                config = {"num_bins": 7, "salt": salt, "mask_value": token if mask else None, "output_mode": mode}
                given = ONE(rows) if mode == "one_hot" else rows
                out = np.asarray(L.Hashing(**config)(np.array(given)), "float64").reshape(len(given), -1)
                cases.append({"class": "Hashing", "config": config, "rows": [], "new": given, "out": out.tolist()})
text = ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases)
path = pathlib.Path(__file__).parent / "lookups.json"
path.write_text(f'{{"keras": "{keras.__version__}", "cases": [\n{text}\n]}}\n')
print(len(cases), "cases")
