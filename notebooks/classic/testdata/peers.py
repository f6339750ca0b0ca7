"""What scikit-learn makes of two tables, for classic's tests: peers.json.

    python -m venv v && v/bin/pip install scikit-learn==1.9.1
    v/bin/python notebooks/classic/testdata/peers.py
"""

import json
import pathlib

import sklearn
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

out = {"scikit-learn": sklearn.__version__}
for name, table in (("iris", load_iris()), ("cancer", load_breast_cancer())):
    x = (table.data - table.data.mean(0)) / table.data.std(0)
    y, train, test = table.target, slice(0, None, 2), slice(1, None, 2)
    logistic = LogisticRegression(C=0.5, tol=1e-8, max_iter=10000).fit(x[train], y[train])
    # Of two classes scikit-learn keeps one row of weights; the probabilities are compared.
    r = {"logistic": logistic.predict_proba(x[test]).tolist()}
    if name == "cancer":  # with two rows of weights the penalty is another: half of it
        logistic = LogisticRegression(C=1.0, tol=1e-8, max_iter=10000).fit(x[train], y[train])
        r["logistic"] = logistic.predict_proba(x[test]).tolist()
        for kernel, gamma in (("linear", "scale"), ("rbf", 0.05)):
            svm = SVC(C=2, kernel=kernel, gamma=gamma, tol=1e-4).fit(x[train], y[train])
            r[kernel] = (-svm.decision_function(x[test])).tolist()
    else:
        r["rbf"] = SVC(C=2, gamma=0.2, decision_function_shape="ovo").fit(x[train], y[train]).predict(x[test]).tolist()
    r["tree"] = [DecisionTreeClassifier(max_depth=d, random_state=0).fit(x[train], y[train]).score(x[train], y[train]) for d in (1, 2, 3)]
    r["forest"] = [RandomForestClassifier(random_state=s).fit(x[train], y[train]).score(x[test], y[test]) for s in range(5)]
    out[name] = r
pathlib.Path(__file__).with_name("peers.json").write_text(json.dumps(out) + "\n")
