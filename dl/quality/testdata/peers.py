"""Writes peers.json: wrong labels by cleanlab, sets and intervals by MAPIE, shifts by SciPy, a
temperature by SciPy's optimizer, near duplicates by scikit-learn.

    python peers.py > peers.json   # cleanlab 2.9.0, mapie 1.6.0, scipy 1.17.1, scikit-learn 1.9.1
"""

import json

import numpy as np
from cleanlab.filter import find_label_issues
from mapie.classification import SplitConformalClassifier
from mapie.regression import SplitConformalRegressor
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from scipy.stats import ks_2samp
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors

r = np.random.default_rng(3)
iris = load_iris()
x, y = iris.data, iris.target
noisy = y.copy()
wrong = r.choice(len(y), 15, replace=False)
noisy[wrong] = (noisy[wrong] + 1) % 3
model = LogisticRegression(max_iter=1000)
p = cross_val_predict(model, x, noisy, cv=5, method="predict_proba")
found = find_label_issues(noisy, p, filter_by="confident_learning", return_indices_ranked_by="self_confidence")

order = r.permutation(len(y))
fit, calibrate, test = order[:50], order[50:100], order[100:]
model.fit(x[fit], y[fit])
lac = SplitConformalClassifier(model, confidence_level=0.9, conformity_score="lac", prefit=True)
lac.conformalize(x[calibrate], y[calibrate])
_, sets = lac.predict_set(x[test])

line = LinearRegression().fit(x[fit][:, :3], x[fit][:, 3])
split = SplitConformalRegressor(line, confidence_level=0.9, prefit=True)
split.conformalize(x[calibrate][:, :3], x[calibrate][:, 3])
_, intervals = split.predict_interval(x[test][:, :3])

logits = 3 * r.normal(size=(200, 4))
labels = np.array([r.choice(4, p=np.exp(log_softmax(row / 2.5))) for row in logits])
loss = lambda t: -log_softmax(logits / t, axis=1)[np.arange(200), labels].mean()
temperature = minimize_scalar(loss, bounds=(0.1, 20), method="bounded", options={"xatol": 1e-10}).x

a, b = r.normal(size=(3, 80)), r.normal(size=(3, 120))
b[1] += 1
digits = load_digits().data[:600]
distances, neighbours = NearestNeighbors(radius=12).fit(digits).radius_neighbors(digits)
pairs = sorted((i, int(j)) for i, row in enumerate(neighbours) for j in row if i < j)

print(json.dumps({
    "labels": noisy.tolist(), "probabilities": p.tolist(), "suspects": found.tolist(),
    "calibrate": model.predict_proba(x[calibrate]).tolist(), "calibrate_labels": y[calibrate].tolist(),
    "test": model.predict_proba(x[test]).tolist(), "sets": sets[:, :, 0].tolist(),
    "predictions": line.predict(x[calibrate][:, :3]).tolist(), "values": x[calibrate][:, 3].tolist(),
    "width": float((intervals[0, 1, 0] - intervals[0, 0, 0]) / 2),
    "logits": logits.tolist(), "logit_labels": labels.tolist(), "temperature": float(temperature),
    "a": a.tolist(), "b": b.tolist(), "statistics": [float(ks_2samp(u, v).statistic) for u, v in zip(a, b)],
    "p": [float(ks_2samp(u, v, method="asymp").pvalue) for u, v in zip(a, b)],
    "digits": digits.astype(int).tolist(), "pairs": pairs,
}))
