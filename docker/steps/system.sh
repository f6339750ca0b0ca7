#!/bin/sh
# Installs what Gradbook needs of Debian: a C compiler and linker for Go, Python with
# virtual environments for JupyterLab, and an init process.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends \
	ca-certificates gcc libc6-dev libstdc++6 make python3 python3-venv tini
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
