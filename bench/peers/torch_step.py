"""The networks in PyTorch, with its fused Adam."""

import torch
from common import arguments, mnist, train
from torch import nn
from torch_networks import network

args = arguments()
images, labels = mnist(args.data)
images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
labels = torch.from_numpy(labels).long()
layout = torch.channels_last if args.channels_last else torch.contiguous_format
torch.manual_seed(0)


model = network(args.model).to(memory_format=layout)
if args.compile:
    model = torch.compile(model)
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
    model.eval()
    for i in range(0, n, 1000):
        torch.softmax(model(images[i : min(i + 1000, n)].contiguous(memory_format=layout)), 1)


train(step, len(labels), args.batch, predict, args.steps)
