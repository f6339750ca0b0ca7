"""Writes peers.json: metrics of random decisions by fairlearn and aif360; and trained.json:
decisions under constraints, by fairlearn and by linear programs that SciPy solves exactly.

    python peers.py   # fairlearn 0.15.0, aif360 0.6.1, SciPy 1.17.1
"""

import json

import numpy as np
import pandas as pd
from aif360.datasets import BinaryLabelDataset
from aif360.metrics import ClassificationMetric
from aif360.algorithms.preprocessing import Reweighing
from fairlearn import metrics as fl
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import DemographicParity, EqualizedOdds, ExponentiatedGradient, TruePositiveRateParity
from scipy.optimize import linprog
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.tree import DecisionTreeClassifier

out = []
for seed in range(6):
    r = np.random.default_rng(seed)
    n, names = 400, ["a", "b", "c"][: 2 + seed % 2]
    group = r.choice(len(names), n)
    labels = (r.random(n) < 0.3 + 0.15 * group).astype(int)
    selected = (r.random(n) < 0.2 + 0.4 * labels + 0.1 * group).astype(int)
    sensitive = [names[g] for g in group]
    given = dict(sensitive_features=sensitive)
    case = {
        "labels": labels.tolist(), "selected": selected.tolist(), "groups": sensitive,
        "demographic_parity": fl.demographic_parity_difference(labels, selected, **given),
        "demographic_parity_ratio": fl.demographic_parity_ratio(labels, selected, **given),
        "equal_opportunity": fl.equal_opportunity_difference(labels, selected, **given),
        "equalized_odds": fl.equalized_odds_difference(labels, selected, **given),
    }
    if len(names) == 2:
        frame = pd.DataFrame({"y": labels, "g": group})
        truth = BinaryLabelDataset(df=frame, label_names=["y"], protected_attribute_names=["g"])
        said = truth.copy()
        said.labels = selected.reshape(-1, 1).astype(float)
        m = ClassificationMetric(truth, said, [{"g": 0}], [{"g": 1}])
        case["predictive_parity"] = abs(m.positive_predictive_value(True) - m.positive_predictive_value(False))
        case["parity_aif360"] = abs(m.statistical_parity_difference())
        case["false_positives"] = abs(m.false_positive_rate_difference())
        case["weights"] = Reweighing([{"g": 0}], [{"g": 1}]).fit_transform(truth).instance_weights.tolist()
    out.append(case)
with open("peers.json", "w") as f:
    print(json.dumps(out), file=f)


class Scores(ClassifierMixin, BaseEstimator):
    """Scores that are there already."""

    def fit(self, x, y):
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, x):
        return np.column_stack([1 - x[:, 0], x[:, 0]])


def exact(cells, labels, group, moments, bound):
    """The least error of probabilities of cells whose rates are within bound of that of all."""
    n, k = len(labels), cells.max() + 1
    cost, rows = np.zeros(k), []
    np.add.at(cost, cells, (1 - 2 * labels) / n)
    for counts in moments:
        for g in np.unique(group):
            row = np.zeros(k)
            own = counts & (group == g)
            np.add.at(row, cells[own], 1 / own.sum())
            np.add.at(row, cells[counts], -1 / counts.sum())
            rows += [row, -row]
    found = linprog(cost, A_ub=rows, b_ub=np.full(len(rows), bound), bounds=(0, 1))
    return labels.mean() + found.fun


out = []
for seed in range(4):
    r = np.random.default_rng(seed)
    n = 300
    group = r.choice(2 + seed % 2, n)
    cells = np.clip((3 * r.random(n) + 1.5 * group + r.normal(size=n)).astype(int), 0, 7)
    labels = (r.random(n) < 0.1 + 0.1 * cells).astype(int)
    sensitive = [["a", "b", "c"][g] for g in group]
    one_hot = np.eye(8)[cells]
    all_of = np.ones(n, bool)
    case = {"cells": cells.tolist(), "labels": labels.tolist(), "groups": sensitive, "within": 0.02}
    for name, moment, moments in (
        ("demographic_parity", DemographicParity, [all_of]),
        ("equal_opportunity", TruePositiveRateParity, [labels == 1]),
        ("equalized_odds", EqualizedOdds, [labels == 1, labels == 0]),
    ):
        reduction = ExponentiatedGradient(DecisionTreeClassifier(), moment(difference_bound=0.02), eps=0.01, max_iter=100)
        reduction.fit(one_hot, labels, sensitive_features=sensitive)
        chosen = reduction._pmf_predict(one_hot)[:, 1]
        case[name] = {
            "exact": exact(cells, labels, group, moments, 0.02),
            "fairlearn": float(np.where(labels == 1, 1 - chosen, chosen).mean()), "gap": float(reduction.best_gap_),
        }
    scores = np.round(np.clip((cells + r.normal(size=n) + 2) / 12, 0, 1), 3)
    thresholds = ThresholdOptimizer(
        estimator=Scores().fit(None, None), constraints="equalized_odds", objective="accuracy_score", prefit=True,
        predict_method="predict_proba", grid_size=5000)
    thresholds.fit(scores[:, None], labels, sensitive_features=sensitive)
    chosen = thresholds._pmf_predict(scores[:, None], sensitive_features=sensitive)[:, 1]
    case["scores"] = scores.tolist()
    case["thresholds"] = float(np.where(labels == 1, chosen, 1 - chosen).mean())
    out.append(case)
with open("trained.json", "w") as f:
    print(json.dumps(out), file=f)

