"""The clients of others against the service: tritonclient by HTTP and gRPC, and openai.

    python clients.py HTTP GRPC TOKEN

The service has a model digits of one input input_layer [28, 28, 1] and one output of 10, and a model
gpt of language. images.npy and wanted.npy in the working folder are examples and Predict's answers.
"""

import json
import sys
import unittest
import urllib.error
import urllib.request

import numpy as np
import openai
import tritonclient.grpc as tgrpc
import tritonclient.http as thttp
from tritonclient.utils import InferenceServerException

HTTP, GRPC, TOKEN = sys.argv[1:4]
IMAGES, WANTED = np.load("images.npy"), np.load("wanted.npy")
AUTH = {"Authorization": "Bearer " + TOKEN}
GAUTH = {"authorization": "Bearer " + TOKEN}


class Protocol:
    """What both ways of the protocol have."""

    def test_health(self):
        self.assertTrue(self.c.is_server_live())
        self.assertTrue(self.c.is_server_ready())
        self.assertTrue(self.c.is_model_ready("digits", headers=self.auth))
        self.assertTrue(self.c.is_model_ready("digits", "1", headers=self.auth))
        self.assertFalse(self.c.is_model_ready("nothing", headers=self.auth))

    def test_metadata(self):
        m = self.json(self.c.get_server_metadata(headers=self.auth))
        self.assertEqual(m["name"], "gradbook")
        self.assertIn("binary_tensor_data", m["extensions"])
        m = self.json(self.c.get_model_metadata("digits", headers=self.auth))
        self.assertEqual((m["name"], m["versions"], m["platform"]), ("digits", ["1"], "gradbook_xla"))
        self.assertEqual([int(d) for d in m["inputs"][0]["shape"]], [-1, 28, 28, 1])
        self.assertEqual((m["inputs"][0]["name"], m["inputs"][0]["datatype"]), ("input_layer", "FP32"))
        self.assertEqual([int(d) for d in m["outputs"][0]["shape"]], [-1, 10])

    def test_index(self):
        index = self.c.get_model_repository_index(headers=self.auth)
        models = index if isinstance(index, list) else self.json(index)["models"]
        self.assertEqual({m["name"] for m in models if m["state"] == "READY"}, {"digits", "gpt"})

    def test_infer(self):
        for n in (1, 3, 64, 100):
            for binary in self.ways:
                x = self.input("input_layer", IMAGES[:n], binary)
                r = self.c.infer("digits", [x], outputs=[self.output("dense", binary)], request_id="42", headers=self.auth)
                np.testing.assert_allclose(r.as_numpy("dense"), WANTED[:n], atol=1e-5)
                self.assertEqual(self.json(r.get_response())["id"], "42")

    def test_all_outputs(self):
        r = self.c.infer("digits", [self.input("input_layer", IMAGES[:2], True)], headers=self.auth)
        np.testing.assert_allclose(r.as_numpy("dense"), WANTED[:2], atol=1e-5)

    def test_version(self):
        r = self.c.infer("digits", [self.input("input_layer", IMAGES[:1], True)], model_version="1", headers=self.auth)
        np.testing.assert_allclose(r.as_numpy("dense"), WANTED[:1], atol=1e-5)

    def refuses(self, text, *args, **kwargs):
        with self.assertRaises(InferenceServerException) as e:
            self.c.infer(*args, headers=self.auth, **kwargs)
        self.assertIn(text, str(e.exception))

    def test_errors(self):
        x = self.input("input_layer", IMAGES[:1], True)
        self.refuses('no model "nothing"', "nothing", [x])
        self.refuses('no version "7"', "digits", [x], model_version="7")
        self.refuses('no input "picture"', "digits", [self.input("picture", IMAGES[:1], True)])
        self.refuses('no output "y"', "digits", [x], outputs=[self.output("y", True)])
        self.refuses("expected shape [n, 28, 28, 1]", "digits", [self.input("input_layer", IMAGES[0], True)])
        self.refuses("expected datatype FP32", "digits", [self.input("input_layer", IMAGES[:1].astype(np.float64), True)])
        self.refuses("classification", "digits", [x], outputs=[self.output("dense", True, 3)])

    def test_token(self):
        with self.assertRaises(InferenceServerException) as e:
            self.c.infer("digits", [self.input("input_layer", IMAGES[:1], True)])
        self.assertIn("token", str(e.exception))


class OverHTTP(Protocol, unittest.TestCase):
    ways = (True, False)
    auth = property(lambda self: dict(AUTH))  # the client writes into it

    def setUp(self):
        self.c = thttp.InferenceServerClient(HTTP, concurrency=8)
        self.addCleanup(self.c.close)

    def json(self, v):
        return v

    def input(self, name, x, binary):
        i = thttp.InferInput(name, list(x.shape), {np.dtype("float32"): "FP32", np.dtype("float64"): "FP64"}[x.dtype])
        i.set_data_from_numpy(x, binary_data=binary)
        return i

    def output(self, name, binary, classes=0):
        return thttp.InferRequestedOutput(name, binary_data=binary, class_count=classes)

    def test_together(self):
        waiting = [self.c.async_infer("digits", [self.input("input_layer", IMAGES[i : i + 1], True)], headers=self.auth) for i in range(50)]
        for i, w in enumerate(waiting):
            np.testing.assert_allclose(w.get_result().as_numpy("dense"), WANTED[i : i + 1], atol=1e-5)


class OverGRPC(Protocol, unittest.TestCase):
    ways = (True,)
    auth = property(lambda self: dict(GAUTH))

    def setUp(self):
        self.c = tgrpc.InferenceServerClient(GRPC)
        self.addCleanup(self.c.close)

    def json(self, v):
        from google.protobuf import json_format

        return json_format.MessageToDict(v)

    def input(self, name, x, binary):
        i = tgrpc.InferInput(name, list(x.shape), {np.dtype("float32"): "FP32", np.dtype("float64"): "FP64"}[x.dtype])
        i.set_data_from_numpy(x)
        return i

    def output(self, name, binary, classes=0):
        return tgrpc.InferRequestedOutput(name, class_count=classes)


class Chat(unittest.TestCase):
    def setUp(self):
        self.c = openai.OpenAI(base_url=f"http://{HTTP}/v1", api_key=TOKEN, max_retries=0)
        self.addCleanup(self.c.close)

    def ask(self, text="func main() {", **how):
        return self.c.chat.completions.create(model="gpt", messages=[{"role": "user", "content": text}], **how)

    def test_models(self):
        self.assertEqual([m.id for m in self.c.models.list()], ["gpt"])

    def test_stream(self):
        whole = self.ask(temperature=0, max_tokens=40)
        self.assertEqual(whole.choices[0].finish_reason, "length")
        self.assertEqual(whole.usage.completion_tokens, 40)
        text, why, chunks, usage = "", None, 0, None
        for chunk in self.ask(temperature=0, max_tokens=40, stream=True, stream_options={"include_usage": True}):
            chunks += 1
            usage = chunk.usage or usage
            for c in chunk.choices:
                text += c.delta.content or ""
                why = c.finish_reason or why
        self.assertEqual((text, why), (whole.choices[0].message.content, "length"))
        self.assertGreater(chunks, 20)
        self.assertEqual(usage.total_tokens, 53)

    def test_seed(self):
        one, same, other = (self.ask(seed=s, max_tokens=60, temperature=1).choices[0].message.content for s in (1, 1, 2))
        self.assertEqual(one, same)
        self.assertNotEqual(one, other)

    def test_stop(self):
        whole = self.ask(temperature=0, max_tokens=40).choices[0].message.content
        stop = whole[10:13]
        r = self.ask(temperature=0, max_tokens=40, stop=[stop])
        self.assertEqual(r.choices[0].finish_reason, "stop")
        self.assertEqual(r.choices[0].message.content, whole[: whole.index(stop)])
        parts = "".join(c.choices[0].delta.content or "" for c in self.ask(temperature=0, max_tokens=40, stop=stop, stream=True))
        self.assertEqual(parts, whole[: whole.index(stop)])

    def test_refused(self):
        for text, how in (
            ("tools is not supported", dict(tools=[{"type": "function", "function": {"name": "f"}}])),
            ("n is not supported", dict(n=2)),
            ("logprobs is not supported", dict(logprobs=True)),
            ("temperature", dict(temperature=3)),
        ):
            with self.assertRaises(openai.BadRequestError) as e:
                self.ask(**how)
            self.assertIn(text, str(e.exception))
        with self.assertRaises(openai.NotFoundError):
            self.c.chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": "a"}])
        with self.assertRaises(openai.BadRequestError) as e:
            self.c.chat.completions.create(model="digits", messages=[{"role": "user", "content": "a"}])
        self.assertIn("none of language", str(e.exception))
        with self.assertRaises(openai.AuthenticationError):
            openai.OpenAI(base_url=f"http://{HTTP}/v1", api_key="wrong", max_retries=0).models.list()


def answer(body, headers={}):
    """The status and the JSON of an answer."""
    r = urllib.request.Request(f"http://{HTTP}/v2/models/digits/infer", data=body, headers={**AUTH, **headers})
    try:
        with urllib.request.urlopen(r) as f:
            return f.status, json.load(f)
    except urllib.error.HTTPError as e:
        return e.code, json.load(e)


class Bodies(unittest.TestCase):
    """What no client sends."""

    def post(self, body, status, text, headers={}):
        body = body.encode() if isinstance(body, str) else body
        got, said = answer(body, headers)
        self.assertEqual(got, status, said)
        self.assertIn(text, said["error"])

    def request(self, **change):
        return {"inputs": [{"name": "input_layer", "datatype": "FP32", "shape": [1, 28, 28, 1], "data": [0.5] * 784, **change}]}

    def test_malformed(self):
        self.post(b"", 400, "not what the protocol says")
        self.post(b"{", 400, "not what the protocol says")
        self.post(b'{"inputs": 3}', 400, "not what the protocol says")
        self.post(b"{}", 400, '"input_layer" is missing')
        for change, text in (
            (dict(data=[0.5] * 783), "expected 784 numbers"),
            (dict(data=["a"] * 784), "expected numbers of FP32"),
            (dict(data=[None] * 784), "expected numbers of FP32"),
            (dict(data=[1e99] * 784), "no number of 32 bits"),
            (dict(shape=[0, 28, 28, 1], data=[]), "at least one example"),
            (dict(shape=[-1, 28, 28, 1]), "no shape"),
            (dict(shape=[1 << 40, 28, 28, 1]), "no shape"),
            (dict(datatype="BYTES"), "expected datatype FP32"),
            (dict(data=None), "data"),
            (dict(parameters={"binary_data_size": 3136}), "got both"),
        ):
            self.post(json.dumps(self.request(**change)), 400, text)
        self.post(json.dumps(self.request()).replace("0.5", "NaN"), 400, "not what the protocol says")
        self.post(json.dumps(self.request()), 400, "expected a number up to", {"Inference-Header-Content-Length": "9999999"})
        self.post(json.dumps(self.request()), 415, "gzip", {"Content-Encoding": "gzip"})
        nested = self.request()
        nested["inputs"][0]["data"] = np.full((1, 28, 28, 1), 0.5).tolist()
        self.assertEqual(answer(json.dumps(nested).encode())[0], 200)

    def test_huge(self):
        self.post(b"[" * (3 << 20), 413, "at most")
        self.post(json.dumps(self.request(shape=[5000, 28, 28, 1], data=[])), 400, "expected 3920000 numbers")

    def test_nan(self):
        x = np.full((1, 28, 28, 1), np.nan, np.float32)
        body = json.dumps({"inputs": [{"name": "input_layer", "datatype": "FP32", "shape": [1, 28, 28, 1], "parameters": {"binary_data_size": 3136}}]})
        head = {"Inference-Header-Content-Length": str(len(body))}
        self.post(body.encode() + x.tobytes(), 400, "number 0 is NaN", head)
        self.assertEqual(answer(json.dumps(self.request()).encode())[0], 200)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
