#!/bin/bash
# Does without Docker what repo2docker makes of this folder, as far as that goes, and
# tries the result within what Binder gives: repo2docker itself says which steps it
# would take; then a copy of the checkout is built by postBuild, with an environment of
# Python beside it that stands for Binder's, and the document's notebook is executed by
# that one's nbclient on one processor with 2 GB of memory, started by start.
#
#	sudo binder/try.sh [FOLDER]
#
# It needs root, for the limit on memory. FOLDER stays; without it a temporary one is
# made, and removed.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/try_common.sh
folder=${1:-$(mktemp -d)}
group=gradbook-binder-$$
cleanup() {
	rmdir /sys/fs/cgroup/memory/$group /sys/fs/cgroup/$group 2>/dev/null || true
	[ $# -gt 0 ] || rm -rf "$folder"
}
trap 'cleanup "$@"' EXIT

home=$folder/home
checkout "$home"

step "repo2docker's steps"
[ -x "$folder/repo2docker/bin/python" ] || {
	python3 -m venv "$folder/repo2docker"
	"$folder/repo2docker/bin/pip" install -q --disable-pip-version-check jupyter-repo2docker==2026.4.0
}
(cd "$home" && "$folder/repo2docker/bin/jupyter-repo2docker" --no-build --debug --user-name jovyan --user-id 1000 . 2>&1) >"$folder/Dockerfile"
# shellcheck disable=SC2016 # as it stands there
for line in 'binder/requirements.txt' 'binder/postBuild' 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' 'gcc' 'libstdc++6'; do
	grep -nF -- "$line" "$folder/Dockerfile" | head -1 || { echo "try: expected $line in $folder/Dockerfile" >&2; exit 1; }
done

step "binder/requirements.txt, in an environment that stands for Binder's"
prefix=$folder/prefix
[ -x "$prefix/bin/jupyter" ] || {
	python3 -m venv "$prefix"
	"$prefix/bin/pip" install -q --disable-pip-version-check jupyterlab nbclient
}
"$prefix/bin/pip" install -q --disable-pip-version-check --no-cache-dir -r binder/requirements.txt

# As repo2docker has it: HOME is the checkout.
environment=(HOME="$home" REPO_DIR="$home" NB_PYTHON_PREFIX="$prefix" LANG=C.UTF-8 PATH="$prefix/bin:/usr/local/bin:/usr/bin:/bin" "${network[@]}")
[ -z "${SSL_CERT_FILE:-}" ] || environment+=("SSL_CERT_FILE=$SSL_CERT_FILE")

step "binder/postBuild"
start=$(date +%s)
(cd "$home" && env -i "${environment[@]}" ./binder/postBuild) >"$folder/postBuild.log" 2>&1 || { tail -20 "$folder/postBuild.log"; exit 1; }
echo "$(($(date +%s) - start)) s; $(du -sm "$home" | cut -f1) MB"

step "the document's notebook: one processor, 2 GB, no network"
limit=$((2 << 30))
if [ -d /sys/fs/cgroup/memory ]; then
	cgroup=/sys/fs/cgroup/memory/$group
	mkdir "$cgroup"
	echo $limit >"$cgroup/memory.limit_in_bytes"
	peak=$cgroup/memory.max_usage_in_bytes
else
	cgroup=/sys/fs/cgroup/$group
	mkdir "$cgroup"
	echo $limit >"$cgroup/memory.max"
	peak=$cgroup/memory.peak
fi
start=$(date +%s)
# shellcheck disable=SC2016 # the quotes are for the shell inside
(
	echo $BASHPID >"$cgroup/cgroup.procs"
	cd "$home/notebooks"
	exec env -i "${environment[@]}" loopback="$loopback" unshare --net taskset -c 0 "$home/binder/start" sh -c '
		python3 -c "$loopback"
		jupyter kernelspec list
		exec jupyter execute --timeout=600 --kernel_name=gradbook --output="$HOME/out.ipynb" 03-cnn.ipynb'
) >"$folder/run.log" 2>&1 || { tail -20 "$folder/run.log"; exit 1; }
took=$(($(date +%s) - start))
grep gradbook "$folder/run.log"
grep -o '测试准确度: [0-9.]\+' "$home/out.ipynb"
echo "$took s, at most $(($(cat "$peak") >> 20)) MB"
[ $took -lt 300 ] || { echo "try: expected less than 300 s" >&2; exit 1; }
echo "== all passed"
