"""Runs ONNX files with onnxruntime: each FOLDER/NAME.onnx on the inputs of NAME.json,
{"inputs": [{"shape": [...], "values": [...]}]}; the outputs go into NAME.out.json."""

import json
import pathlib
import sys

import numpy as np
import onnxruntime as ort

for file in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    described = json.loads(file.with_suffix(".json").read_text())
    try:
        session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        inputs = {}
        for given, x in zip(session.get_inputs(), described["inputs"]):
            kind = {"tensor(float)": "float32", "tensor(int64)": "int64"}[given.type]
            inputs[given.name] = np.array(x["values"], kind).reshape(x["shape"])
        outputs = session.run(None, inputs)
        out = {"outputs": [{"shape": list(y.shape), "values": y.astype("float64").ravel().tolist()} for y in outputs]}
    except Exception as e:
        out = {"error": str(e)}
    file.with_suffix(".out.json").write_text(json.dumps(out))
