#!/bin/sh
# Adds what working on Gradbook takes.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends git less
# Tools for development containers change the number of the user's group to that of the
# person outside, which must not be root's.
groupadd --gid 1000 gradbook
usermod --gid 1000 gradbook
chown -R 1000:1000 /home/gradbook
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
