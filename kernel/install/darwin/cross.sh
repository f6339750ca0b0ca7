#!/bin/bash
# Compiles everything for macOS on ARM with cgo, on Linux, and links what can be linked: all
# of it is vetted, and the program that opens XLA's device and a plugin are linked, as a
# session and its cells are. Zig has the compiler and macOS's headers; what it does not have
# are Apple's frameworks and its linker, so stubs stand for the first, and what the second
# alone knows is left out. Nothing of it runs here: verify.sh does that on a Mac.
#
#	kernel/install/darwin/cross.sh
set -euo pipefail
cd "$(dirname "$0")/../../.."
tools=$PWD/.gradbook/zig
[ -x "$tools/venv/bin/python" ] || python3 -m venv "$tools/venv"
"$tools/venv/bin/python" -c 'import ziglang' 2>/dev/null ||
	"$tools/venv/bin/pip" install -q --require-hashes --no-deps --only-binary :all: --disable-pip-version-check -r kernel/install/darwin/zig.txt

stub() { # FILE INSTALL-NAME
	mkdir -p "$(dirname "$1")"
	cat >"$1" <<EOF
--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos ]
install-name: '$2'
current-version: 1
exports:
  - targets: [ arm64-macos ]
    symbols: [ _stub ]
...
EOF
}
stub "$tools/stubs/libresolv.tbd" /usr/lib/libresolv.9.dylib
for f in CoreFoundation Security; do
	stub "$tools/stubs/$f.framework/$f.tbd" "/System/Library/Frameworks/$f.framework/Versions/A/$f"
done
cat >"$tools/cc" <<EOF
#!/bin/bash
args=()
for a in "\$@"; do [ "\$a" = -Wl,-flat_namespace ] || args+=("\$a"); done
exec "$tools/venv/bin/python" -m ziglang cc -target aarch64-macos.12.0 -L"$tools/stubs" -F"$tools/stubs" -Wl,-undefined,dynamic_lookup "\${args[@]}"
EOF
chmod +x "$tools/cc"

trap "rm -f -- -.o" EXIT # which zig leaves where it is asked what it knows
export CGO_ENABLED=1 GOOS=darwin GOARCH=arm64 CC=$tools/cc
echo "vet, with cgo"
go vet ./cmd/... ./dl/... ./viz/... ./datasets/... ./kernel/... ./notebooks/...
echo "link a program with XLA's bindings"
go build -ldflags=-w -o "$tools/probe" ./kernel/install/probe
echo "link a plugin"
mkdir -p "$tools/plugin"
printf 'module example.com/plugin\n\ngo 1.26\n' >"$tools/plugin/go.mod"
printf 'package main\n\nimport "fmt"\n\nfunc Hello() { fmt.Println("hello") }\n\nfunc main() {}\n' >"$tools/plugin/plugin.go"
go build -C "$tools/plugin" -ldflags=-w -buildmode=plugin -o "$tools/plugin.so" .
for f in probe plugin.so; do
	[ "$(head -c 4 "$tools/$f" | od -An -tx1 | tr -d ' ')" = cffaedfe ] || { echo "cross: expected $f to be a Mach-O file" >&2; exit 1; }
done
echo "darwin/arm64: compiled and linked; nothing has run"
