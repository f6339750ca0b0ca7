#!/bin/bash
# Runs the tests of pipelines by Beam's portable protocol: on the job service of PyPI's apache-beam,
# which it installs in .gradbook.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=../../.gradbook/beam
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet apache-beam==2.77.0
port=8199
"$venv/bin/python" -m apache_beam.runners.portability.local_job_service_main --port "$port" >"$venv/log" 2>&1 &
trap 'kill %1' EXIT
for _ in $(seq 100); do
	(exec 3<>"/dev/tcp/localhost/$port") 2>/dev/null && break
	sleep 0.2
done
go test -count=1 -run 'TestPredict|TestEvaluate|TestAdapt' . -args --runner universal --endpoint "localhost:$port" --environment_type LOOPBACK ||
	{ tail -n 40 "$venv/log"; exit 1; }
