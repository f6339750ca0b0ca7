"""Encodes tokens with a BERT of a Hugging Face folder in PyTorch, for bench/bert, as
sentence-transformers does: sorted by length, 32 at a time, attention by PyTorch's own
function. Arguments: the folder, and a file with {"threads", "tokens"}. Prints JSON: texts in
a second, the median of several runs, and the first vector. Tokenizing is not counted."""

import json
import statistics
import struct
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

folder, given = sys.argv[1], json.load(open(sys.argv[2]))
torch.set_num_threads(given["threads"])
config = json.load(open(f"{folder}/config.json"))
heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]
with open(f"{folder}/model.safetensors", "rb") as f:
    header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    data = f.read()
w = {
    name: torch.from_numpy(np.frombuffer(data[slice(*t["data_offsets"])], "float32").copy().reshape(t["shape"]))
    for name, t in header.items()
    if name != "__metadata__" and t["dtype"] == "F32"
}


def linear(x, name):
    return F.linear(x, w[name + ".weight"], w[name + ".bias"])


def norm(x, name):
    return F.layer_norm(x, x.shape[-1:], w[name + ".weight"], w[name + ".bias"], epsilon)


def encode(ids, mask):
    batch, length = ids.shape
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length] + w["embeddings.token_type_embeddings.weight"][0]
    x = norm(x, "embeddings.LayerNorm")
    split = lambda y: y.view(batch, length, heads, -1).transpose(1, 2)
    seen = mask[:, None, None, :]
    for i in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        q, k, v = (split(linear(x, at + "attention.self." + part)) for part in ("query", "key", "value"))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen).transpose(1, 2).reshape(batch, length, -1)
        x = norm(x + linear(y, at + "attention.output.dense"), at + "attention.output.LayerNorm")
        y = linear(F.gelu(linear(x, at + "intermediate.dense")), at + "output.dense")
        x = norm(x + y, at + "output.LayerNorm")
    counted = mask[:, :, None].float()
    return F.normalize((x * counted).sum(1) / counted.sum(1), dim=1)


def run(texts):
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    out = [None] * len(texts)
    for at in range(0, len(order), 32):
        some = order[at : at + 32]
        longest = len(texts[some[0]])
        ids = torch.zeros(len(some), longest, dtype=torch.long)
        mask = torch.zeros(len(some), longest, dtype=torch.bool)
        for row, i in enumerate(some):
            ids[row, : len(texts[i])] = torch.tensor(texts[i])
            mask[row, : len(texts[i])] = True
        for i, y in zip(some, encode(ids, mask)):
            out[i] = y
    return out


with torch.inference_mode():
    times = []
    y = run(given["tokens"])
    for _ in range(5):
        begin = time.perf_counter()
        run(given["tokens"])
        times.append(time.perf_counter() - begin)
print(json.dumps({"rate": len(given["tokens"]) / statistics.median(times), "first": y[0].tolist()}))
