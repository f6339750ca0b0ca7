#!/bin/bash
# Does without Docker what the Dockerfile does, and tries the result as a container
# would run: in a Debian of its own, the same steps make the same folders; then, with a
# root that is read-only, no network, and a user who has a number but no name, the
# document's notebook is executed, JupyterLab is timed until it answers, and a
# JupyterHub starts a server for a user.
#
#	sudo docker/try.sh [FOLDER]
#
# It needs debootstrap, root, and a Go of the version that the Dockerfile names. FOLDER
# gets the root and stays; without it a temporary one is made, and removed.
set -euo pipefail
cd "$(dirname "$0")/.."

. docker/try_common.sh
command -v debootstrap >/dev/null || { echo "try: install debootstrap" >&2; exit 1; }
version=$(sed -n 's/^FROM golang:\([0-9.]*\)-.*/\1/p' docker/Dockerfile)
[ "$(go env GOVERSION)" = "go$version" ] || { echo "try: expected Go $version, as the Dockerfile has, got $(go env GOVERSION)" >&2; exit 1; }

root=${1:-$(mktemp -d)}
chmod 755 "$root" 2>/dev/null || true # of mktemp's folders, only their owner may enter
uid=12345
cleanup() {
	for d in dev proc; do ! mountpoint -q "$root/$d" || umount -l "$root/$d"; done
	[ $# -gt 0 ] || rm -rf "$root"
}
trap 'cleanup "$@"' EXIT

inside() { # runs a command in the root, with the network of this machine
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "${network[@]}" chroot "$root" "$@"
}

if ! [ -e "$root/etc/debian_version" ]; then
	step "base image: $(sed -n 's/^FROM \(debian:[a-z-]*\)@.* AS base/\1/p' docker/Dockerfile)"
	debootstrap --variant=minbase bookworm "$root" >"$root.log" 2>&1 || { tail "$root.log"; exit 1; }
	rm -f "$root.log"
fi
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/dev" || mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"
cp --remove-destination -L /etc/resolv.conf /etc/hosts "$root/etc/"
cp -r /etc/apt/. "$root/etc/apt/"
[ ! -f /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/"

step "COPY docker/steps/system.sh; RUN it"
cp docker/steps/system.sh "$root/tmp/"
inside /tmp/system.sh >/dev/null
rm "$root/tmp/system.sh"
certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
cp "$certificates" "$root/etc/ssl/certs/ca-certificates.crt"

step "COPY --from=go /usr/local/go"
[ -e "$root/usr/local/go" ] || cp -a "$(go env GOROOT)" "$root/usr/local/go"

step "COPY . /opt/gradbook; RUN docker/steps/build.sh, hub.sh"
checkout "$root/opt/gradbook" '^(bench|docs)/'
start=$(date +%s)
inside /usr/bin/env GRADBOOK_CUDA=none /opt/gradbook/docker/steps/build.sh
inside /opt/gradbook/docker/steps/hub.sh
echo "built in $(($(date +%s) - start)) s"

step "COPY docker/steps/user.sh; RUN it"
grep -q ^gradbook: "$root/etc/passwd" || { cp docker/steps/user.sh "$root/tmp/"; inside /tmp/user.sh; rm "$root/tmp/user.sh"; }

step "size of the image, uncompressed"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
du -xsm --exclude=./proc --exclude=./dev "$root" | awk '{ print $1 " MB" }'
du -sm "$root"/usr "$root"/usr/local/go "$root"/opt/gradbook/.gradbook/* | sed "s#$root##" | sort -rn

umount -l "$root/dev" "$root/proc"

# Runs a command as the image does: a read-only root, a new home, no network, no rights.
# shellcheck disable=SC2016 # the quotes are for the shell inside
contained() {
	unshare --mount --net --pid --fork --uts --ipc bash -euc '
		root=$1 uid=$2 loopback=$3; shift 3
		mount --make-rprivate /
		mount --bind "$root" "$root"
		mount -o remount,bind,ro "$root"
		mount -t proc proc "$root/proc"
		mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
		for d in null zero full random urandom tty; do touch "$root/dev/$d"; mount --bind "/dev/$d" "$root/dev/$d"; done
		mkdir "$root/dev/shm" "$root/dev/pts"
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
		ln -s /proc/self/fd "$root/dev/fd"
		mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
		mount -t tmpfs -o "uid=1000,gid=0,mode=0770" tmpfs "$root/home/gradbook"
		python3 -c "$loopback"
		cd "$root"
		exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/home/gradbook LANG=C.UTF-8 GRADBOOK_CUDA=none \
			chroot "$root" setpriv --reuid="$uid" --regid=0 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \
			tini -g -- /opt/gradbook/docker/entrypoint.sh "$@"
	' - "$root" "$uid" "$loopback" "$@"
}

step "as user $uid, read-only, without a network"
# shellcheck disable=SC2016 # the same
contained sh -c '
	echo "$(id -u):$(id -g) in $HOME; $(touch /opt/gradbook/x 2>&1 || true)"
	test -e tutorials/03-cnn.ipynb
	gradbook doctor'

step "until JupyterLab answers"
# shellcheck disable=SC2016
contained sh -c '
	jupyter lab >/tmp/lab.log 2>&1 &
	i=0
	until /opt/gradbook/docker/healthcheck.sh 2>/dev/null; do
		i=$((i + 1)); [ $i -lt 600 ] || { cat /tmp/lab.log; exit 1; }
		sleep 0.1
	done
	ps=$(cut -d" " -f22 /proc/1/stat); up=$(cut -d" " -f1 /proc/uptime)
	awk -v up="$up" -v start="$ps" "BEGIN { printf \"ready %.1f s after the container began\\n\", up - start / 100 }"'

step "JupyterHub starts a server for a user"
contained /opt/gradbook/.gradbook/venv/bin/python /opt/gradbook/docker/try_hub.py

step "the document's notebook"
contained gradbook run /opt/gradbook/notebooks/03-cnn.ipynb
echo "== all passed"
