#!/bin/sh
# Sets a checkout up as an image holds it: `make setup`, what JupyterHub needs, and a
# program that computes, so that XLA's plugin has been tried.
set -eu
cd "$(dirname "$0")/../.."
GRADBOOK_ROOT=$(pwd)
. docker/env.sh

export GOMODCACHE="$GRADBOOK_GO/mod" GOCACHE="$GRADBOOK_GO/build" GOFLAGS="-modcacherw ${GOFLAGS:-}"
mkdir -p "$GOMODCACHE" "$GOCACHE"
make setup

# What JupyterHub starts; and not what only the tests need.
venv=$GRADBOOK_ROOT/.gradbook/venv
"$venv/bin/python" -m pip install --require-hashes --no-deps --only-binary :all: --no-cache-dir --no-compile \
	--progress-bar off --disable-pip-version-check --no-input -r docker/requirements.txt
"$venv/bin/python" -m pip uninstall -y --disable-pip-version-check -q onnxruntime numpy jupyter-kernel-test
mkdir -p "$venv/etc/jupyter"
cp docker/jupyter_server_config.py "$venv/etc/jupyter/"

# Packages that only GoNB's tools are made of are not built again.
find "$GOCACHE" -type f ! -newer .gradbook/state/tools -delete
rm -rf "$GOMODCACHE/cache/vcs"
find "$GOMODCACHE/cache/download" -name '*.zip' -delete

gradbook doctor
rm -rf .gradbook/log .gradbook/jupyter .gradbook/out .gradbook/setup.lock
