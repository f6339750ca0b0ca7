#!/usr/bin/env bash
# Sets a clone of this checkout up with another release of Go, which the go command
# fetches, and tries the kernel there with both linkers.
#
#	kernel/toolchain/try-go.sh go1.27.3
set -euo pipefail
cd "$(dirname "$0")/../.."
export GOTOOLCHAIN=${1:?the release, such as go1.27.3}
if ! go version; then
	echo "$GOTOOLCHAIN cannot be had here: what other releases do is not tried"
	exit 0
fi
clone=.gradbook/$GOTOOLCHAIN
rm -rf "$clone"
git clone -q . "$clone"
trap 'rm -rf "$clone"' EXIT
for linker in shared plugin; do
	export GRADBOOK_LINKER=$linker
	make -C "$clone" setup
	go test -C "$clone" -count=1 -timeout 25m ./kernel/engine ./kernel/toolchain
	go test -C "$clone" -count=1 -timeout 25m -run 'TestConformance|TestCells' ./kernel/gateway
done
