"""The networks in PyTorch, with its fused Adam."""

import torch
from common import arguments, mnist, train
from torch import nn

args = arguments()
images, labels = mnist(args.data)
images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
labels = torch.from_numpy(labels).long()
layout = torch.channels_last if args.channels_last else torch.contiguous_format
torch.manual_seed(0)


class Recurrent(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.cell, self.out = cell(28, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.out(self.cell(x.reshape(-1, 28, 28))[0][:, -1])


MODELS = {
    "cnn": lambda: nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10),
    ),
    "mlp": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)),
    "simple_rnn": lambda: Recurrent(nn.RNN),
    "lstm": lambda: Recurrent(nn.LSTM),
    "gru": lambda: Recurrent(nn.GRU),
}
model = MODELS[args.model]().to(memory_format=layout)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
loss = nn.CrossEntropyLoss()


def step(index):
    index = torch.from_numpy(index)
    x = images[index].contiguous(memory_format=layout)
    optimizer.zero_grad()
    loss(model(x), labels[index]).backward()
    optimizer.step()


@torch.inference_mode()
def predict(n):
    for i in range(0, n, 1000):
        torch.softmax(model(images[i : min(i + 1000, n)].contiguous(memory_format=layout)), 1)


train(step, len(labels), args.batch, predict)
