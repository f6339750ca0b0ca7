#!/bin/bash
# Tries what make dist has made as those would who install it.
#
#	sudo cmd/release/try.sh wheel [FOLDER]
#	cmd/release/try.sh module
#
# wheel: in a Debian with nothing but Python and a JupyterLab of its own, in a network of
# its own but for the registries: the wheel is installed, the kernel is in the launcher, a
# chart is drawn in Chromium, and removal leaves the files as they were.
#
# module: go install from a file GOPROXY into an empty HOME, gradbook lab in an empty
# folder until the first cell's output, then once more without a network.
#
# It needs Chromium; the first, debootstrap and root. FOLDER keeps the Debian.
set -euo pipefail
cd "$(dirname "$0")/../.."
top=$PWD
dist=${DIST:-$top/dist}
port=18888
token=0123456789abcdef

step() { echo "== $*"; }

network=()
for v in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy PIP_INDEX_URL PIP_CONFIG_FILE PIP_DEFAULT_TIMEOUT; do
	[ -z "${!v:-}" ] || network+=("$v=${!v}")
done
network+=("GOSUMDB=$(go env GOSUMDB)" GONOSUMDB=github.com/gradbook/gradbook) # which is not published
proxy=$(go env GOPROXY)

# The test in a browser, against the server that has been started.
browse() { # FOLDER
	go test ./viz/labextension -count=1 -timeout 10m -v -run '^TestInstalled$' -args \
		-at "http://127.0.0.1:$port/lab?token=$token" -folder "$1" | grep -v '^=== ' # with -v, for the times
}

server=
stop() {
	[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; server=; }
}

wheel() {
	[ "$(id -u)" = 0 ] || { echo "try: run as root" >&2; exit 1; }
	command -v debootstrap >/dev/null || { echo "try: install debootstrap" >&2; exit 1; }
	root=${1:-$(mktemp -d)} keep=$#
	local file
	file=$(ls "$dist"/gradbook-*-manylinux_*_x86_64.whl)
	chmod 755 "$root"
	cleanup() {
		stop
		for d in dev proc; do ! mountpoint -q "$root/$d" || umount -l "$root/$d"; done
		[ "$keep" != 0 ] || rm -rf "$root"
	}
	trap cleanup EXIT
	if ! [ -e "$root/etc/debian_version" ]; then
		step "Debian with Python"
		debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$root" >"$root.log" 2>&1 || { tail "$root.log"; exit 1; }
		rm -f "$root.log"
	fi
	mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
	mountpoint -q "$root/dev" || mount --rbind /dev "$root/dev"
	mount --make-rslave "$root/dev"
	cp --remove-destination -L /etc/resolv.conf /etc/hosts "$root/etc/"
	[ ! -f /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/"
	cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$root/etc/ssl/certs/ca-certificates.crt"
	inside() { (inside_exec "$@"); }
	inside_exec() {
		exec env -i PATH=/opt/jupyter/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/home/somebody LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 GOPROXY="$proxy" "${network[@]}" chroot "$root" "$@"
	}
	mkdir -p "$root/home/somebody/work"
	if ! [ -e "$root/opt/jupyter/bin/jupyter-lab" ]; then
		step "somebody's own JupyterLab"
		inside python3 -m venv /opt/jupyter
		inside pip install -q jupyterlab
	fi
	for tool in go gcc cc ld as make git; do
		! inside sh -c "command -v $tool" || { echo "try: expected no $tool in the root" >&2; exit 1; }
	done
	# Everything but what changes with each use of the machine, and Jupyter's own files.
	listing() {
		(cd "$root" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./tmp -o -path ./home/somebody/work -o -path ./home/somebody/.jupyter \
			-o -path ./home/somebody/.local -o -path ./home/somebody/.ipython -o -path ./home/somebody/.cache/pip \) -prune -o \
			\( -type l -printf '%p -> %l\n' -o -type f -print0 \) >"$root.list")
		tr '\0' '\n' <"$root.list" | grep -e ' -> ' || true
		(cd "$root" && tr '\0' '\n' <"$root.list" | grep -v -e ' -> ' | tr '\n' '\0' | xargs -0 sha256sum)
		rm -f "$root.list"
	}
	inside pip freeze | sort >"$root.had"
	listing | sort >"$root.before"
	step "pip install gradbook"
	mkdir -p "$root/tmp/dist" && cp "$file" "$root/tmp/dist/"
	time inside pip install -q --find-links /tmp/dist gradbook
	step "jupyter lab"
	inside_exec sh -c "cd /home/somebody/work && exec jupyter lab --allow-root --no-browser --port $port --IdentityProvider.token=$token --ServerApp.port_retries=0 --LabApp.expose_app_in_browser=True" >"$root.server" 2>&1 &
	server=$!
	browse "$root/home/somebody/work" || { tail -20 "$root.server"; exit 1; }
	step "gradbook setup, doctor"
	inside gradbook setup
	inside gradbook doctor
	step "gradbook run"
	inside sh -c 'cd /home/somebody/work && gradbook run test.ipynb' | tail -2
	stop
	step "gradbook remove; pip uninstall"
	inside gradbook remove
	inside pip uninstall -q -y gradbook
	# What pip has fetched for it, and nothing else needs.
	inside pip freeze | sort >"$root.more"
	comm -13 "$root.had" "$root.more" | cut -d= -f1 >"$root/tmp/names"
	inside xargs -r -a /tmp/names pip uninstall -q -y
	listing | sort >"$root.after"
	diff "$root.before" "$root.after" || { echo "try: expected all files as they were" >&2; exit 1; }
	echo "all files are as they were: $(wc -l <"$root.after")"
	rm -f "$root".{before,after,server,had,more}
}

module() {
	dir=$(mktemp -d)
	trap 'stop; chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
	mkdir "$dir/home" "$dir/work"
	as() {
		env -i PATH="$dir/home/go/bin:$PATH" HOME="$dir/home" LANG=C.UTF-8 GOTOOLCHAIN=local \
			${PYENV_ROOT:+PYENV_ROOT="$PYENV_ROOT"} GOPROXY="file://$dist/proxy,$proxy" "${network[@]}" "$@"
	}
	step "go install github.com/gradbook/gradbook/cmd/gradbook@latest"
	(cd "$dir/work" && time as env CGO_ENABLED=0 go install github.com/gradbook/gradbook/cmd/gradbook@latest)
	as gradbook --version
	step "gradbook lab, in an empty folder"
	(cd "$dir/work" && exec env -i PATH="$dir/home/go/bin:$PATH" HOME="$dir/home" LANG=C.UTF-8 GOTOOLCHAIN=local \
		${PYENV_ROOT:+PYENV_ROOT="$PYENV_ROOT"} GOPROXY="file://$dist/proxy,$proxy" "${network[@]}" \
		gradbook lab --no-browser --port "$port" -- --IdentityProvider.token="$token" --LabApp.expose_app_in_browser=True) >"$dir/server" 2>&1 &
	server=$!
	local start=$SECONDS
	until grep -q "127.0.0.1:$port" "$dir/server"; do
		kill -0 "$server" 2>/dev/null || { cat "$dir/server"; exit 1; }
		sleep 0.2
	done
	grep '✓\|!' "$dir/server"
	echo "JupyterLab after $((SECONDS - start)) s"
	browse "$dir/work" || { tail -20 "$dir/server"; exit 1; }
	grep "workspace" "$dir/server" || true
	echo "all after $((SECONDS - start)) s"
	stop
	step "without a network"
	(cd "$dir/work" && as gradbook setup)
	local loopback='import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 0x41))'
	(cd "$dir/work" && as unshare -rn sh -c "python3 -c '$loopback' && gradbook run test.ipynb" | tail -2)
	step "gradbook remove"
	(cd "$dir/work" && as gradbook remove)
	find "$dir/home" -mindepth 1 -maxdepth 2
}

case ${1:-} in
wheel) wheel "${@:2}" ;;
module) module ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
