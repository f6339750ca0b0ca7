"""Embeddings of scikit-learn, with which the tests compare: the iris flowers in the
plane of their principal components, and how good their t-SNE is.

    python embedding.py > embedding.json
"""

import json

import numpy
import sklearn
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness

x = load_iris().data
labels = load_iris().target
pca = PCA(2, svd_solver="full")
plane = pca.fit_transform(x)
tsne = TSNE(method="exact", init="pca", random_state=0, max_iter=1000)
embedded = tsne.fit_transform(x)
print(json.dumps({
    "made with": f"scikit-learn {sklearn.__version__}, numpy {numpy.__version__}",
    "features": x.tolist(), "labels": labels.tolist(),
    "pca": numpy.round(plane, 5).tolist(), "explained": pca.explained_variance_ratio_.tolist(),
    "divergence": float(tsne.kl_divergence_), "trustworthiness": float(trustworthiness(x, embedded, n_neighbors=10)),
}))
