"""Writes peers.json: a small network, and what Captum attributes to its inputs; the exact
Shapley values of a smaller one by shap.

    python peers.py > peers.json   # torch 2.15.0, captum 0.9.0, shap 0.51.0
"""

import json

import numpy as np
import shap
import torch
from captum import attr
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import nn

torch.manual_seed(4)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.relu, self.pool, self.tanh, self.flatten = nn.ReLU(), nn.MaxPool2d(2), nn.Tanh(), nn.Flatten()
        self.a, self.b, self.c = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 3, 2), nn.Linear(12, 5)

    def forward(self, x):
        x = self.pool(self.relu(self.a(x)))
        x = self.tanh(self.b(x))
        return self.c(self.flatten(x.permute(0, 2, 3, 1)))


net = Net().double()
x = torch.randn(3, 2, 8, 8, dtype=torch.double)
target = torch.tensor([0, 3, 4])
last = lambda t: t.detach().permute(0, 2, 3, 1).flatten().tolist()
base = 0.2 * torch.ones_like(x)

weights = []
for layer in (net.a, net.b):
    weights += [layer.weight.permute(2, 3, 1, 0).flatten().tolist(), layer.bias.tolist()]
weights += [net.c.weight.T.flatten().tolist(), net.c.bias.tolist()]

ig = attr.IntegratedGradients(net)
cam = attr.LayerGradCam(net, net.b)
occlusion = attr.Occlusion(net)
dense = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).double()
rows = torch.randn(2, 6, dtype=torch.double)
exact = shap.explainers.Exact(lambda v: dense(torch.tensor(v)).detach().numpy()[:, 1], np.zeros((1, 6)))



def relevance(rule):
    for layer in (net.a, net.b, net.c, net.pool, net.flatten):
        layer.rule = rule if layer in (net.a, net.b, net.c) else EpsilonRule(1e-6)
    return attr.LRP(net).attribute(x.clone().requires_grad_(), target=target)


print(json.dumps({
    "weights": weights, "x": last(x), "target": target.tolist(),
    "saliency": last(attr.Saliency(net).attribute(x.clone().requires_grad_(), target=target)),
    "signed": last(attr.Saliency(net).attribute(x.clone().requires_grad_(), target=target, abs=False)),
    "input_x_gradient": last(attr.InputXGradient(net).attribute(x.clone().requires_grad_(), target=target)),
    "integrated": last(ig.attribute(x, baselines=base, target=target, n_steps=50, method="gausslegendre")),
    "guided": last(attr.GuidedBackprop(net).attribute(x.clone().requires_grad_(), target=target)),
    "lrp": last(relevance(EpsilonRule(1e-6))),
    "grad_cam": last(nn.functional.interpolate(cam.attribute(x, target, attr_dim_summation=True), (8, 8), mode="bilinear")),
    "occlusion": last(occlusion.attribute(x, (2, 3, 3), strides=(2, 3, 3), target=target)),
    "dense": [dense[0].weight.T.flatten().tolist(), dense[0].bias.tolist(), dense[2].weight.T.flatten().tolist(), dense[2].bias.tolist()],
    "rows": rows.flatten().tolist(), "shapley": exact(rows.numpy()).values.flatten().tolist(),
}))
