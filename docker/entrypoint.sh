#!/bin/sh
# Prepares a home, whoever the user is and whatever is mounted there, and starts the
# command.
set -eu
GRADBOOK_ROOT=${GRADBOOK_ROOT:-/opt/gradbook}
# shellcheck source=docker/env.sh
. "$GRADBOOK_ROOT/docker/env.sh"

# A user without a name, or whose home is another's, has one in /tmp.
export HOME="${HOME:-/}"
if ! [ -w "$HOME" ] || [ "$HOME" = / ]; then
	echo "entrypoint: user $(id -u) cannot write $HOME; what is saved in /tmp/home is gone with the container" >&2
	export HOME=/tmp/home
	mkdir -p "$HOME"
fi
export USER="${USER:-gradbook}"
export LOGNAME="${LOGNAME:-$USER}"

# Go writes its caches. Above those of the image lie ones of links, where new files
# go. They are made anew each time, since links into an older image lead nowhere.
caches=$(mktemp -d "${TMPDIR:-/tmp}/gradbook-go-XXXXXX")
cp -rs "$GOCACHE" "$caches/build"
mkdir "$caches/mod"
cp -rs "$GOMODCACHE/cache" "$caches/mod/cache"
(cd "$GOMODCACHE" && find . -path ./cache -prune -o -type d -name '*@*' -prune -print) | while read -r module; do
	mkdir -p "$caches/mod/${module%/*}"
	ln -s "$GOMODCACHE/$module" "$caches/mod/$module"
done
export GOCACHE="$caches/build" GOMODCACHE="$caches/mod"

# The tutorials, to change and to keep. What is there already is left alone.
work=$HOME/work
if ! mkdir -p "$work" 2>/dev/null || ! [ -w "$work" ]; then
	echo "entrypoint: user $(id -u) cannot write $work; notebooks cannot be saved there" >&2
elif ! [ -e "$work/tutorials" ]; then
	new=$(mktemp -d "$work/.tutorials-XXXXXX")
	cp -r "$GRADBOOK_ROOT/notebooks/." "$new"
	rm -rf "$new"/*.go "$new/claim"
	chmod -R u+w "$new"
	chmod 755 "$new"
	mv -T "$new" "$work/tutorials" 2>/dev/null || rm -rf "$new" # another container was first
fi
if [ -d "$work" ]; then
	cd "$work"
else
	cd "$HOME"
fi
exec "$@"
