"""Runs ONNX files in onnxruntime, for bench/onnx. Argument: a JSON list of {"path", "threads",
"inputs": [{"name", "type", "shape"}]}. Prints JSON: for each the first run with loading in
seconds, and the median of the others in milliseconds."""

import json
import statistics
import sys
import time

import numpy as np
import onnxruntime


def numbers(kind, shape):
    n = int(np.prod(shape))
    i = np.arange(n)
    return (i % 17 / 17 if kind == "float32" else i % 257).astype(kind).reshape(shape)


onnxruntime.set_default_logger_severity(3)  # it warns of what a file has for nothing
results = []
for case in json.loads(sys.argv[1]):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = case["threads"]
    begin = time.perf_counter()
    session = onnxruntime.InferenceSession(case["path"], options, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]  # for those that have none
    feed = {i["name"] or name: numbers(i["type"], i["shape"]) for i, name in zip(case["inputs"], names)}
    session.run(None, feed)
    first, times = time.perf_counter() - begin, []
    while sum(times) < 1 or len(times) < 5:
        begin = time.perf_counter()
        session.run(None, feed)
        times.append(time.perf_counter() - begin)
    results.append({"first": first, "ms": statistics.median(times) * 1e3})
print(json.dumps(results))
