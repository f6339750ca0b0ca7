#!/bin/bash
# Verifies on a Mac what could not be run where this was written, and prints a report.
# In a checkout, on macOS 12 or newer with ARM, with Go, Python 3 and Xcode's command line tools:
#
#	kernel/install/darwin/verify.sh 2>&1 | tee report.txt
#
# It runs five commands, goes on when one fails, and says at the end which did.
set -u
cd "$(dirname "$0")/../../.." || exit 1
failed=()

run() { # NAME COMMAND…
	local name=$1 start=$SECONDS
	shift
	echo
	echo "== $name: $*"
	if "$@"; then
		echo "-- $name: passed in $((SECONDS - start)) s"
	else
		echo "-- $name: FAILED ($?) after $((SECONDS - start)) s"
		failed+=("$name")
	fi
}

echo "$(sw_vers -productName) $(sw_vers -productVersion), $(uname -m), $(sysctl -n machdep.cpu.brand_string), $(($(sysctl -n hw.memsize) >> 30)) GiB"
go version
python3 --version
cc --version | head -1
git log -1 --format=%H

# 1. Setup: the Python environment, GoMLX's installer of XLA (whose library has no pin yet: the
# report has its SHA-256, for dl/pjrt), and the session's program as one that loads plugins.
run setup make setup
# 2. What the doctor tries: a cell, the device, a training, a chart.
run doctor .gradbook/bin/gradbook doctor
# 3. The session: state, interrupts, printing, deaths, packages of a person's own. What cannot
# be rewritten in memory here (kernel/session/memory_other.go) fails by its name.
run session go test -count=1 -timeout 40m ./kernel/cell ./kernel/toolchain/... ./kernel/engine ./kernel/children ./kernel/session/...
# 4. Jupyter's conformance tests against the kernel.
run protocol go test -count=1 -timeout 40m -run 'TestConformance' ./kernel/gateway
# 5. The document's notebook on MNIST.
run notebook make run

find "$HOME/Library/Caches/gradbook" -name '*pjrt*cpu*' -type f -exec shasum -a 256 {} +
echo
if [ ${#failed[@]} = 0 ]; then
	echo "all five passed"
else
	echo "failed: ${failed[*]}"
	exit 1
fi
