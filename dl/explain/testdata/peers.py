"""Writes peers.json: small networks, and what Captum, shap, lime, scikit-learn and
pytorch-grad-cam say of them.

    python peers.py > peers.json   # torch 2.15.0, captum 0.9.0, shap 0.51.0, lime 0.2.0.1, scikit-learn 1.9.1, grad-cam 1.5.5
"""

import itertools
import json

import numpy as np
import shap
import torch
from captum import attr
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule
from lime.lime_tabular import LimeTabularExplainer
from pytorch_grad_cam import GradCAMPlusPlus
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import pairwise_distances
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
score = lambda v: dense(torch.tensor(v)).detach().numpy()[:, 1]
exact = shap.explainers.Exact(score, np.zeros((1, 6)))
generator = np.random.default_rng(6)


def relevance(a, b, c):
    """LRP with a rule for each layer with weights."""
    for layer in (net.pool, net.flatten):
        layer.rule = EpsilonRule(1e-6)
    net.a.rule, net.b.rule, net.c.rule = a, b, c
    return last(attr.LRP(net).attribute(x.clone().requires_grad_(), target=target))


def unbiased(rules):
    """LRP of the network without net.b's bias, which Captum's Alpha1_Beta0_Rule leaves as it is."""
    kept = net.b.bias.data
    net.b.bias.data = torch.zeros_like(kept)
    try:
        return relevance(*rules)
    finally:
        net.b.bias.data = kept


def cam_plus_plus():
    """The map without its stretching to [0, 1]."""
    with GradCAMPlusPlus(net, [net.b]) as explainer:
        explainer.activations_and_grads(x)
        out = explainer.activations_and_grads(x)
        net.zero_grad()
        sum(o[k] for o, k in zip(out, target)).backward()
        a = explainer.activations_and_grads.activations[0].numpy()
        g = explainer.activations_and_grads.gradients[0].numpy()
        weights = explainer.get_cam_weights(x, None, None, a, g)
    coarse = torch.tensor((weights[:, :, None, None] * a).sum(1, keepdims=True)).clamp(min=0)
    return last(nn.functional.interpolate(coarse, (8, 8), mode="bilinear"))


def deep(background):
    """shap's DeepExplainer: Captum's DeepLift is not complete where maximum pooling is."""
    values = shap.DeepExplainer(net, background).shap_values(x)
    return last(torch.tensor(np.stack([values[i, ..., k] for i, k in enumerate(target)])))


def lime_ridge():
    """LIME with every set of six features once, its kernel and its regression."""
    sets = np.array(list(itertools.product([0.0, 1.0], repeat=6)))
    distance = pairwise_distances(sets, np.ones((1, 6)), metric="cosine").ravel()
    weights = np.sqrt(np.exp(-(distance**2) / 0.25**2))
    return [
        Ridge(alpha=1).fit(sets, score(sets * row), sample_weight=weights).coef_.tolist() for row in rows.numpy()
    ]


def lime_table(data):
    explainer = LimeTabularExplainer(data, mode="regression", discretize_continuous=False, feature_selection="none", random_state=1)
    found = explainer.explain_instance(rows[0].numpy(), score, num_features=6, num_samples=200000)
    return [v for _, v in sorted(found.as_map()[1])]


class Regressor(RegressorMixin, BaseEstimator):
    """The dense network, for scikit-learn."""

    def fit(self, x, y):
        self.fitted_ = True
        return self

    def predict(self, x):
        return score(x)


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.hidden, self.out, self.tanh = nn.Embedding(9, 3), nn.Linear(15, 4), nn.Linear(4, 2), nn.Tanh()

    def forward(self, ids):
        return self.out(self.tanh(self.hidden(self.embedding(ids).flatten(1))))


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.Linear(2, 4), nn.Linear(3, 4), nn.Linear(4, 1)

    def forward(self, a, b):
        return self.out(torch.tanh(self.a(a) + self.b(b)))


def of_words():
    ids = torch.tensor([[1, 2, 3, 4, 0], [8, 8, 7, 1, 2]])
    made = words.embedding(ids).detach().requires_grad_()
    out = words.out(words.tanh(words.hidden(made.flatten(1))))
    gradient = torch.autograd.grad(out[:, 1].sum(), made)[0]
    integrated = attr.LayerIntegratedGradients(words, words.embedding).attribute(
        ids, baselines=torch.full_like(ids, 5), target=1, n_steps=50, method="gausslegendre")
    return {
        "ids": ids.flatten().tolist(),
        "weights": [words.embedding.weight.flatten().tolist(), *linear(words.hidden), *linear(words.out)],
        "saliency": gradient.norm(dim=2).flatten().tolist(),
        "input_x_gradient": (gradient * made).sum(2).flatten().tolist(),
        "integrated": integrated.sum(2).flatten().tolist(),
    }


def of_two():
    a, b = torch.randn(2, 2, dtype=torch.double), torch.randn(2, 3, dtype=torch.double)
    got = attr.IntegratedGradients(two).attribute((a, b), target=0, n_steps=50, method="gausslegendre")
    return {
        "weights": [*linear(two.a), *linear(two.b), *linear(two.out)],
        "inputs": [a.flatten().tolist(), b.flatten().tolist()], "integrated": [g.flatten().tolist() for g in got],
    }


linear = lambda layer: [layer.weight.T.flatten().tolist(), layer.bias.tolist()]
words, two = Words().double(), Two().double()
background, table = torch.randn(4, 6, dtype=torch.double), torch.randn(40, 6, dtype=torch.double).numpy() * [1, 2, 0.5, 1, 3, 1] + 1
images = 0.5 * torch.randn(3, 2, 8, 8, dtype=torch.double)
labelled = generator.normal(size=(30, 3)) + np.repeat([[0.6, -0.4, 0]], 30, 0) * np.repeat([1, -1], 15)[:, None]
classes = np.repeat([1, 0], 15)
logistic = LogisticRegression(C=1 / (0.01 * 30), tol=1e-12, max_iter=10000).fit(labelled, classes)
truth = score(table) + 0.1 * generator.normal(size=40)
permuted = permutation_importance(Regressor().fit(table, truth), table, truth, scoring="neg_mean_squared_error", n_repeats=4000, random_state=1)
grid = np.linspace(-2, 3, 6)
smooth = attr.NoiseTunnel(attr.Saliency(net)).attribute(
    x[:1].clone().requires_grad_(), nt_type="smoothgrad", nt_samples=4000, nt_samples_batch_size=500,
    stdevs=0.15 * float(x[0].max() - x[0].min()), target=target[:1], abs=False)
gradient = lambda method, **more: last(method(net).attribute(x.clone().requires_grad_(), target=target, **more))
epsilon = EpsilonRule(1e-6)

print(json.dumps({
    "weights": weights, "x": last(x), "target": target.tolist(),
    "saliency": gradient(attr.Saliency), "signed": gradient(attr.Saliency, abs=False),
    "input_x_gradient": gradient(attr.InputXGradient),
    "integrated": last(ig.attribute(x, baselines=base, target=target, n_steps=50, method="gausslegendre")),
    "guided": gradient(attr.GuidedBackprop),
    "lrp": relevance(epsilon, epsilon, epsilon),
    "lrp_gamma": relevance(GammaRule(0.25), GammaRule(0.25), epsilon),
    "lrp_mixed": unbiased([EpsilonRule(0.1), Alpha1_Beta0_Rule(), GammaRule(0.5)]),
    "grad_cam": last(nn.functional.interpolate(cam.attribute(x, target, attr_dim_summation=True), (8, 8), mode="bilinear")),
    "grad_cam_plus_plus": cam_plus_plus(),
    "occlusion": last(occlusion.attribute(x, (2, 3, 3), strides=(2, 3, 3), target=target)),
    "smooth": last(smooth),
    "deep_lift": deep(images[:1]), "deep_shap": deep(images), "images": last(images),
    "dense": [*linear(dense[0]), *linear(dense[2])],
    "rows": rows.flatten().tolist(), "shapley": exact(rows.numpy()).values.flatten().tolist(),
    "background": background.flatten().tolist(),
    "kernel": shap.KernelExplainer(score, background.numpy()).shap_values(rows.numpy(), nsamples=200, silent=True).flatten().tolist(),
    "lime": np.ravel(lime_ridge()).tolist(), "table": table.flatten().tolist(), "lime_table": lime_table(table),
    "grid": grid.tolist(), "truth": truth.tolist(),
    "dependence": partial_dependence(Regressor().fit(table, truth), table, [2], custom_values={2: grid}, kind="average")["average"][0].tolist(),
    "permuted": permuted.importances_mean.tolist(),
    "labelled": labelled.flatten().tolist(), "direction": [*logistic.coef_[0].tolist(), float(logistic.intercept_[0])],
    "words": of_words(), "two": of_two(),
}))
