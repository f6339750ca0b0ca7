"""KServe's own server with onnxruntime, for bench/serve: python kserve_server.py MODEL.onnx PORT"""

import sys

import onnxruntime as ort
from kserve import InferOutput, InferResponse, Model, ModelServer


class Digits(Model):
    def load(self):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
        self.ready = True
        return True

    async def predict(self, payload, headers=None, response_headers=None):
        x = payload.inputs[0].as_numpy()
        y = self.session.run(None, {self.session.get_inputs()[0].name: x})[0]
        out = InferOutput(name="dense", shape=list(y.shape), datatype="FP32")
        out.set_data_from_numpy(y, binary_data=False)
        return InferResponse(response_id=payload.id or "1", model_name=self.name, infer_outputs=[out])


if __name__ == "__main__":
    path, port = sys.argv[1:3]
    model = Digits("digits")
    model.load()
    ModelServer(http_port=int(port), enable_grpc=False, workers=1, access_log_format=None).start([model])
