# Where things are in an image; read by the steps that make it and by its entrypoint.
# Everything is below the checkout, which nobody writes once the image is made.
# shellcheck shell=sh

export GRADBOOK_ROOT="${GRADBOOK_ROOT:-/opt/gradbook}"
export GRADBOOK_CACHE="$GRADBOOK_ROOT/.gradbook/cache"

# Go's caches as the image has them. While it runs, caches of the user's own lie above.
export GOCACHE="$GRADBOOK_ROOT/.gradbook/go/build" GOMODCACHE="$GRADBOOK_ROOT/.gradbook/go/mod"
export GOFLAGS="-modcacherw${GOFLAGS:+ $GOFLAGS}"

# The environment comes last: setup must find the system's Python.
export PATH="/usr/local/go/bin:$PATH:$GRADBOOK_ROOT/.gradbook/bin:$GRADBOOK_ROOT/.gradbook/venv/bin"

# The compiler of the image is the one that there is.
export GOTOOLCHAIN=local
