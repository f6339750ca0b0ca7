#!/bin/sh
# Sets a checkout up as an image holds it: `make setup`, without what is needed only
# once. The doctor computes, so XLA's plugin has been tried then.
set -eu
cd "$(dirname "$0")/../.."
GRADBOOK_ROOT=$(pwd)
. docker/env.sh

mkdir -p "$GOMODCACHE" "$GOCACHE"
make setup

# Not what only the tests need.
.gradbook/venv/bin/python -m pip uninstall -y --disable-pip-version-check -q onnxruntime numpy jupyter-kernel-test

# Packages that only GoNB's tools are made of are not built again.
find "$GOCACHE" -type f ! -newer .gradbook/state/tools -delete
rm -rf "$GOMODCACHE/cache/vcs"
find "$GOMODCACHE/cache/download" -name '*.zip' -delete

# Go removes what it has not used for five days, and cannot note in an image what it used.
find "$GOCACHE" -type f -exec touch -d 2100-01-01 {} +

gradbook doctor
rm -rf .gradbook/log .gradbook/jupyter .gradbook/out .gradbook/setup.lock
