"""The networks in PyTorch with its fused Adam: eager, with channels last, or compiled."""

import contextlib
import time

import numpy as np
import torch
from measure import arguments, mnist, orders, run, timed
from torch import nn

args = arguments()
device = torch.device("cpu" if args.cpu else "cuda")
layout = torch.contiguous_format if args.variant == "eager" else torch.channels_last
pixels, digits = mnist(args.data)
pixels = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div(255).contiguous()
digits = torch.from_numpy(digits.astype(np.int64)).to(device)
synchronize = (lambda: None) if args.cpu else torch.cuda.synchronize
torch.backends.cudnn.benchmark = True  # tries algorithms, as XLA does


class LSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.LSTM(28, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.out(self.cell(x.reshape(-1, 28, 28))[0][:, -1])


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.out = nn.Linear(28, 128), nn.Linear(128, 10)
        self.blocks = nn.Sequential(*(
            nn.TransformerEncoderLayer(128, 4, 512, dropout=0, layer_norm_eps=1e-3, batch_first=True) for _ in range(2)
        ))

    def forward(self, x):
        return self.out(self.blocks(self.into(x.reshape(-1, 28, 28))).mean(1))


NETWORKS = {
    "cnn": lambda: nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10),
    ),
    "lstm": LSTM,
    "transformer": Transformer,
}


def measure(model, batch, dtype):
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = dtype == "tf32"
    net = NETWORKS[model]().to(device).to(memory_format=layout)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, eps=1e-7, fused=True)
    criterion = nn.CrossEntropyLoss()
    half = (lambda: torch.autocast(device.type, torch.bfloat16)) if dtype == "bfloat16" else contextlib.nullcontext
    forward = net
    if args.variant == "compiled":
        torch._dynamo.reset()
        forward = torch.compile(net, mode="default" if args.cpu else "reduce-overhead")
    all_orders = orders(len(digits))
    now = {"at": len(digits)}

    def once():
        if now["at"] + batch > len(digits):
            now["order"], now["at"] = torch.from_numpy(next(all_orders)).to(device).long(), 0
        index = now["order"][now["at"] : now["at"] + batch]
        now["at"] += batch
        x = pixels[index].contiguous(memory_format=layout)
        optimizer.zero_grad()
        with half():
            logits = forward(x)
        criterion(logits.float(), digits[index]).backward()
        optimizer.step()

    synchronize()
    values = timed(once, synchronize, args.measure, time.perf_counter())
    if model == "cnn":
        values["predict_per_s"] = predict(net, half)
    return values


@torch.inference_mode()
def predict(net, half):
    def all_digits():
        with half():
            all = [torch.softmax(net(pixels[at : at + 1000].contiguous(memory_format=layout)).float(), 1) for at in range(0, 10000, 1000)]
            return torch.cat(all).cpu()

    all_digits()
    n, start = 0, time.perf_counter()
    while n == 0 or time.perf_counter() - start < args.measure:
        all_digits()
        n += 10000
    return n / (time.perf_counter() - start)


run("pytorch " + args.variant.replace("_", " "), args, measure)
