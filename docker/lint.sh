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

"$venv/bin/hadolint" docker/Dockerfile
"$venv/bin/shellcheck" -x docker/*.sh docker/steps/*.sh binder/*.sh binder/postBuild binder/start bench/gpu/try cmd/release/try.sh kernel/install/darwin/*.sh .ci/run
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
echo "docker, binder: no findings"
