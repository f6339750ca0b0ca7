"""Writes what ONNX files are tested with as folders, one for each case.

    python suite.py backend|operators|files FOLDER

backend: ONNX's own backend tests. operators: models of one operator each, and what
onnxruntime computes. files: ONNX's light zoo and the models of three packages, and what
onnxruntime computes.

A case is model.onnx, in_K.pb and out_K.pb (TensorProto) and case.json.
"""

import glob
import json
import os
import sys
import warnings

warnings.simplefilter("ignore")

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, numpy_helper


def write(folder, model, ins, outs, rtol=1e-3, atol=1e-7):
    """model is a ModelProto or a path; ins and outs are by name, None for what is no tensor."""
    os.makedirs(folder)
    if isinstance(model, str):
        with open(model, "rb") as f:
            data = f.read()
        model = onnx.load(model)
    else:
        data = model.SerializeToString()
    with open(os.path.join(folder, "model.onnx"), "wb") as f:
        f.write(data)
    kinds, fed = set(), True
    for v in list(model.graph.input) + list(model.graph.output):
        which = v.type.WhichOneof("value")
        tensor = which == "tensor_type"
        kinds.add(TensorProto.DataType.Name(v.type.tensor_type.elem_type) if tensor else which)
    for prefix, values in (("in", ins), ("out", outs)):
        for i, (name, v) in enumerate(values):
            if v is None or isinstance(v, (list, dict)):
                fed = False
                continue
            t = v if isinstance(v, TensorProto) else numpy_helper.from_array(np.asarray(v), name)
            with open(os.path.join(folder, f"{prefix}_{i}.pb"), "wb") as f:
                f.write(t.SerializeToString())
    described = {
        "kinds": sorted(k for k in kinds if k),
        "rtol": rtol,
        "atol": atol,
        "fed": fed,
        "ops": sorted({n.op_type for n in model.graph.node}),
        "opset": max([o.version for o in model.opset_import if o.domain in ("", "ai.onnx")] or [0]),
    }
    with open(os.path.join(folder, "case.json"), "w") as f:
        json.dump(described, f)


def named(protos, values):
    return [(p.name, v) for p, v in zip(protos, values)]


def backend(to):
    import onnx.backend.test.loader as loader
    from onnx.backend.test.case.node import collect_testcases

    for c in collect_testcases(None):
        ins, outs = c.data_sets[0]
        graph = c.model.graph
        write(os.path.join(to, "node", c.name), c.model, named(graph.input, ins), named(graph.output, outs), c.rtol, c.atol)
    for kind in ("simple", "pytorch-converted", "pytorch-operator"):
        for c in loader.load_model_tests(kind=kind):
            model = onnx.load(os.path.join(c.model_dir, "model.onnx"))
            data = os.path.join(c.model_dir, "test_data_set_0")

            def read(prefix, infos):
                values = []
                for i, info in enumerate(infos):
                    path = os.path.join(data, f"{prefix}_{i}.pb")
                    if not os.path.exists(path) or info.type.WhichOneof("value") != "tensor_type":
                        values.append((info.name, None))
                        continue
                    t = TensorProto()
                    with open(path, "rb") as f:
                        t.ParseFromString(f.read())
                    values.append((info.name, t))
                return values

            weights = {t.name for t in model.graph.initializer}
            inputs = [v for v in model.graph.input if v.name not in weights]
            write(os.path.join(to, kind, c.name), model, read("input", inputs), read("output", model.graph.output), c.rtol, c.atol)


def quiet():
    options = ort.SessionOptions()
    options.log_severity_level = 4
    return options


def operators(to):
    import one_operator

    for name, model, x in one_operator.models():
        session = ort.InferenceSession(model.SerializeToString(), quiet())
        out = session.run(None, {"x": x})
        folder = os.path.join(to, "operators", name.replace(" ", "_").replace("/", "_"))
        write(folder, model, [("x", x)], named(model.graph.output, out), 1e-5, 1e-5)


# The shapes of images for the models of characters: any size that they were made for.
OCR = {"cls": [1, 3, 48, 192], "rec": [1, 3, 48, 320], "det": [1, 3, 320, 320]}


def files(to):
    import importlib.util

    def inside(package, pattern):
        root = os.path.dirname(importlib.util.find_spec(package).origin)
        return sorted(glob.glob(os.path.join(root, pattern), recursive=True))

    paths = inside("onnx", "backend/test/data/light/*.onnx")
    for package in ("magika", "rapidocr_onnxruntime", "silero_vad"):
        paths += inside(package, "**/*.onnx")
    for path in paths:
        rng = np.random.default_rng(1)
        session = ort.InferenceSession(path, quiet())
        feed = {}
        for v in session.get_inputs():
            shape = [d if isinstance(d, int) else 1 for d in v.shape]
            if "rapidocr" in path:
                shape = next(s for k, s in OCR.items() if f"_{k}_" in path)
            if "silero" in path and v.name == "input":
                shape = [1, 576]
            if v.name == "sr":
                feed[v.name] = np.array(16000, np.int64)
            elif v.type == "tensor(float)":
                feed[v.name] = rng.standard_normal(shape).astype(np.float32)
            else:
                feed[v.name] = rng.integers(0, 200, shape).astype({"tensor(int64)": np.int64, "tensor(int32)": np.int32}[v.type])
        out = session.run(None, feed)
        name = os.path.basename(os.path.dirname(path)) + "_" + os.path.basename(path)[: -len(".onnx")]
        write(
            os.path.join(to, "files", name), path, list(feed.items()), [(v.name, y) for v, y in zip(session.get_outputs(), out)], 1e-4, 1e-4
        )


{"backend": backend, "operators": operators, "files": files}[sys.argv[1]](sys.argv[2])
