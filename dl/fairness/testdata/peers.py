"""Writes peers.json: metrics of random decisions by fairlearn and aif360.

    python peers.py > peers.json   # fairlearn 0.15.0, aif360 0.6.1
"""

import json

import numpy as np
import pandas as pd
from aif360.datasets import BinaryLabelDataset
from aif360.metrics import ClassificationMetric
from aif360.algorithms.preprocessing import Reweighing
from fairlearn import metrics as fl

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
print(json.dumps(out))
