"""The networks in PyTorch, with its fused Adam."""

import torch
from common import arguments, mnist, tokens, train
from torch import nn
from torch_networks import network

args = arguments()
images, labels = mnist(args.data)
if args.model == "gpt":
    images, labels = (torch.from_numpy(t).long() for t in tokens(images))
else:
    images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    labels = torch.from_numpy(labels).long()
layout = torch.channels_last if args.channels_last and args.model != "gpt" else torch.contiguous_format
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
    y = model(x)
    loss(y.flatten(0, -2), labels[index].flatten()).backward()
    optimizer.step()


@torch.inference_mode()
def predict(n):
    model.eval()
    for i in range(0, n, 1000):
        torch.softmax(model(images[i : min(i + 1000, n)].contiguous(memory_format=layout)), -1)


train(step, len(labels), args.batch, predict, args.steps)
