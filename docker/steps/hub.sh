#!/bin/sh
# Adds to a checkout that has been set up what JupyterHub starts, and how the server is
# configured in a container.
set -eu
cd "$(dirname "$0")/../.."
venv=.gradbook/venv
"$venv/bin/python" -m pip install --require-hashes --no-deps --only-binary :all: --no-cache-dir --no-compile \
	--progress-bar off --disable-pip-version-check --no-input -q -r docker/requirements.txt
mkdir -p "$venv/etc/jupyter"
cp docker/jupyter_server_config.py "$venv/etc/jupyter/"
