# shellcheck shell=bash
# What docker/try.sh and binder/try.sh have in common: they source it, in the checkout.

[ "$(id -u)" = 0 ] || { echo "try: run as root" >&2; exit 1; }

step() { echo "== $*"; }

# How this machine reaches Go's modules and Python's packages, for env.
network=()
for v in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy PIP_INDEX_URL PIP_DEFAULT_TIMEOUT; do
	[ -z "${!v:-}" ] || network+=("$v=${!v}")
done
for v in GOPROXY GOSUMDB GONOSUMDB; do network+=("$v=$(go env $v)"); done

# checkout FOLDER [PATTERN] makes FOLDER anew: what is committed or could be, less what
# matches the pattern.
checkout() {
	rm -rf "$1"
	mkdir -p "$1"
	git ls-files -z --cached --others --exclude-standard | grep -zv -E "${2:-^$}" |
		xargs -0 tar c | tar x --no-same-owner -C "$1"
}

# A command of Python's that sets the loopback up, in a network of its own.
# shellcheck disable=SC2034 # for who sources this
loopback='import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 0x41))'
