#!/bin/bash
# Checks what containers are made of: the Dockerfile, scripts, and the files for
# Compose, Kubernetes and development containers, each by the schema of its format.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.gradbook/lint
if ! cmp -s docker/lint-requirements.txt "$venv/requirements.txt"; then
	rm -rf "$venv"
	python3 -m venv "$venv"
	"$venv/bin/pip" install -q --require-hashes --only-binary :all: --disable-pip-version-check -r docker/lint-requirements.txt
	cp docker/lint-requirements.txt "$venv/requirements.txt"
fi

"$venv/bin/hadolint" docker/Dockerfile docker/scale/Dockerfile
"$venv/bin/shellcheck" -x docker/*.sh docker/steps/*.sh binder/*.sh binder/postBuild binder/start bench/gpu/try cmd/release/try.sh kernel/install/darwin/*.sh docker/scale/train.sbatch dl/serve/internal/oip/generate.sh dl/beam/testdata/job-service.sh .ci/run
"$venv/bin/kubernetes-validate" --quiet --strict -k 1.31 docker/kubernetes/lab.yaml

# The schema of Compose files is in the module that Compose itself reads them with.
compose=$(go mod download -json github.com/compose-spec/compose-go/v2@v2.16.2 | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
"$venv/bin/python" - "$compose/schema/compose-spec.json" docker/compose.yaml .devcontainer/devcontainer.json docker/kubernetes/values.yaml <<'PYTHON'
import json
import re
import sys

import jsonschema
import yaml

schema, compose, devcontainer, values = sys.argv[1:]
with open(schema) as s, open(compose) as f:
    jsonschema.validate(yaml.safe_load(f), json.load(s))
with open(devcontainer) as f:  # JSON with comments
    json.loads(re.sub(r"^\s*//.*$", "", f.read(), flags=re.MULTILINE))
with open(values) as f:
    yaml.safe_load(f)
PYTHON

# What Kubernetes is taught by others is checked by their own definitions, of their Go modules; the manifest for
# KServe as the export writes it.
module() { go mod download -json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])'; }
mpi=$(module github.com/kubeflow/mpi-operator@v0.6.0)
kserve=$(module github.com/kserve/kserve@v0.15.2)
"$venv/bin/python" - "$mpi/manifests/base/kubeflow.org_mpijobs.yaml" docker/scale/mpijob.yaml \
	"$kserve/config/crd/full/serving.kserve.io_inferenceservices.yaml" dl/export/templates/kserve.yaml.tmpl <<'PYTHON'
import sys

import jsonschema
import yaml


def strict(schema):
    """A schema in which what it does not name is a mistake."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        if schema.get("x-kubernetes-int-or-string"):
            schema.pop("type", None)
        for v in schema.values():
            strict(v)
    if isinstance(schema, list):
        for v in schema:
            strict(v)
    return schema


for crd, path in zip(sys.argv[1::2], sys.argv[2::2]):
    with open(crd) as f:
        definition = next(d for d in yaml.safe_load_all(f) if d["kind"] == "CustomResourceDefinition")
    with open(path) as f:
        text = f.read().replace("{{.Name}}", "digits").replace("{{.DNS}}", "digits")
    resource = yaml.safe_load(text)
    group, version = resource["apiVersion"].split("/")
    assert definition["spec"]["group"] == group and definition["spec"]["names"]["kind"] == resource["kind"], path
    schema = next(v for v in definition["spec"]["versions"] if v["name"] == version)["schema"]["openAPIV3Schema"]
    schema["properties"]["metadata"] = {"type": "object", "required": ["name"]}
    jsonschema.validate(resource, strict(schema))
PYTHON

# The chart's values by its own schema, which Helm heeds as well.
"$venv/bin/python" - docker/serve/chart/values.schema.json docker/serve/chart/values.yaml <<'PYTHON'
import json
import sys

import jsonschema
import yaml

with open(sys.argv[1]) as s, open(sys.argv[2]) as f:
    schema, values = json.load(s), yaml.safe_load(f)
jsonschema.validate(values, schema)
for change in ({"replicas": 0}, {"batch": {"size": 64, "delay": "soon"}}, {"no": 1}):
    try:
        jsonschema.validate({**values, **change}, schema)
    except jsonschema.ValidationError:
        continue
    sys.exit(f"values.schema.json takes {change}")
PYTHON
echo "docker, binder: no findings"
