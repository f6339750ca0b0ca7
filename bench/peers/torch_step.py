"""The document's network in PyTorch, with its fused Adam."""

import torch
from common import arguments, mnist, train
from torch import nn

args = arguments()
images, labels = mnist(args.data)
images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
labels = torch.from_numpy(labels).long()
layout = torch.channels_last if args.channels_last else torch.contiguous_format
torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
    nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10),
).to(memory_format=layout)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
loss = nn.CrossEntropyLoss()


def step(index):
    index = torch.from_numpy(index)
    x = images[index].contiguous(memory_format=layout)
    optimizer.zero_grad()
    loss(model(x), labels[index]).backward()
    optimizer.step()


train(step, len(labels), args.batch)
