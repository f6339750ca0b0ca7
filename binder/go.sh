# Puts the Go that requirements.txt installed on the PATH: not the script of that
# package, which would start a Python for each call.
# shellcheck shell=sh
goroot=$(python3 -c 'import os, go; print(os.path.dirname(go.__file__))')
export PATH="$goroot/bin:$PATH"
