"""The networks of bench/networks in PyTorch, for MNIST's images, [batch, 1, 28, 28]; they give logits."""

import torch
from torch import nn
from torch.nn import functional as F


class _Recurrent(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.cell, self.out = cell(28, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.out(self.cell(x.reshape(-1, 28, 28))[0][:, -1])


def _normalized(n, filters, size, stride, groups=1, activation=None):
    """A convolution that is padded as Keras's "same" is."""
    pad = nn.ZeroPad2d((0, 1, 0, 1)) if stride == 2 and size == 3 else None
    conv = nn.Conv2d(n, filters, size, stride, 0 if pad else size // 2, groups=groups, bias=False)
    parts = [pad, conv, nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01), activation]
    return nn.Sequential(*[p for p in parts if p is not None])


class _Residual(nn.Module):
    def __init__(self, n, filters, stride):
        super().__init__()
        self.body = nn.Sequential(_normalized(n, filters, 3, stride, activation=nn.ReLU(inplace=True)), _normalized(filters, filters, 3, 1))
        self.short = _normalized(n, filters, 1, 2) if stride == 2 else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.short(x))


def _resnet18():
    parts, n = [nn.ZeroPad2d(2), _normalized(1, 64, 3, 1, activation=nn.ReLU(inplace=True))], 64
    for i, filters in enumerate((64, 128, 256, 512)):
        for block in range(2):
            parts.append(_Residual(n, filters, 2 if i > 0 and block == 0 else 1))
            n = filters
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n, 10))


class _Inverted(nn.Module):
    def __init__(self, n, filters, expand, stride):
        super().__init__()
        wide, self.adds = expand * n, stride == 1 and n == filters
        parts = [_normalized(n, wide, 1, 1, activation=nn.ReLU6(inplace=True))] if expand > 1 else []
        parts += [_normalized(wide, wide, 3, stride, wide, nn.ReLU6(inplace=True)), _normalized(wide, filters, 1, 1)]
        self.body = nn.Sequential(*parts)

    def forward(self, x):
        return x + self.body(x) if self.adds else self.body(x)


def _mobilenetv2():
    parts, n = [nn.Upsample(scale_factor=3), nn.ZeroPad2d(6), _normalized(1, 32, 3, 2, activation=nn.ReLU6(inplace=True))], 32
    for expand, filters, times, first in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(times):
            parts.append(_Inverted(n, filters, expand, first if i == 0 else 1))
            n = filters
    return nn.Sequential(*parts, _normalized(n, 1280, 1, 1, activation=nn.ReLU6(inplace=True)), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 10))


class _Encoder(nn.Module):
    def __init__(self, n, heads, features):
        super().__init__()
        self.first, self.out = nn.Linear(7, features), nn.Linear(features, 10)
        one = nn.TransformerEncoderLayer(features, heads, 4 * features, dropout=0, batch_first=True)
        self.encoders = nn.TransformerEncoder(one, n, enable_nested_tensor=False)

    def forward(self, x):
        x = F.pad(x.flatten(1), (56, 56)).reshape(-1, 128, 7)
        return self.out(self.encoders(self.first(x)).mean(1))


class _Decoder(nn.Module):
    def __init__(self, heads, features):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(features) for _ in range(2))
        self.within, self.out = nn.Linear(features, 3 * features), nn.Linear(features, features)
        self.wide = nn.Sequential(nn.Linear(features, 4 * features), nn.GELU(), nn.Linear(4 * features, features))

    def forward(self, x):
        b, n, f = x.shape
        q, k, v = self.within(self.norms[0](x)).view(b, n, 3, self.heads, f // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, n, f))
        return x + self.wide(self.norms[1](x))


class _GPT(nn.Module):
    def __init__(self, n, heads, features, tokens=128, kinds=256):
        super().__init__()
        self.words, self.places = nn.Embedding(kinds, features), nn.Parameter(torch.randn(tokens, features) * 0.02)
        self.decoders = nn.Sequential(*[_Decoder(heads, features) for _ in range(n)])
        self.norm, self.out = nn.LayerNorm(features), nn.Linear(features, kinds)

    def forward(self, x):
        return self.out(self.norm(self.decoders(self.words(x) + self.places)))


_MODELS = {
    "cnn": lambda: nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10),
    ),
    "mlp": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)),
    "simple_rnn": lambda: _Recurrent(nn.RNN),
    "lstm": lambda: _Recurrent(nn.LSTM),
    "gru": lambda: _Recurrent(nn.GRU),
    "resnet18": _resnet18,
    "mobilenetv2": _mobilenetv2,
    "encoder": lambda: _Encoder(4, 8, 256),
    "gpt": lambda: _GPT(4, 8, 256),
}


def network(name):
    return _MODELS[name]()
