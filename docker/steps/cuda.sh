#!/bin/sh
# Adds XLA for NVIDIA's GPUs, which the machine that makes the image need not have.
# $GRADBOOK_CUDA says which.
set -eu
cd "$(dirname "$0")/../.."
GRADBOOK_ROOT=$(pwd)
. docker/env.sh
gradbook setup
test -f "$GRADBOOK_CACHE/pjrt/cuda$GRADBOOK_CUDA"-*/plugin/pjrt_c_api_cuda_plugin.so
