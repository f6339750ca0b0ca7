"""Measures kernels, one after the other and in turns, over their sockets.

Argument: a JSON list of {"name", "argv", "env", "setup", "add", "model"}; in add
and model, @ is replaced by a number, so that each cell is a new one. Prints JSON.
"""

import json
import os
import statistics
import sys
import time

from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec


def resident(pid):
    """MB held by a process and its descendants."""
    children, held = {}, {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{p}/stat") as f:
                children.setdefault(int(f.read().rsplit(") ", 1)[1].split()[1]), []).append(int(p))
            with open(f"/proc/{p}/statm") as f:
                held[int(p)] = int(f.read().split()[1]) * 4096 / 2**20
        except OSError:
            continue
    total, todo = 0, [pid]
    while todo:
        p = todo.pop()
        total += held.get(p, 0)
        todo += children.get(p, [])
    return total


class Kernel:
    def __init__(self, spec):
        self.spec = spec
        self.km = KernelManager()
        self.km._kernel_spec = KernelSpec(argv=spec["argv"], env=spec["env"], display_name=spec["name"], language="x")
        start = time.time()
        self.km.start_kernel(env={**os.environ, **spec["env"]})
        self.kc = self.km.client()
        self.kc.start_channels()
        self.kc.wait_for_ready(timeout=120)
        self.ready = time.time() - start

    def run(self, code):
        start = time.time()
        msg_id = self.kc.execute(code)
        while True:
            m = self.kc.get_iopub_msg(timeout=300)
            if m["parent_header"].get("msg_id") != msg_id:
                continue
            if m["msg_type"] == "error":
                sys.exit(self.spec["name"] + ": " + m["content"]["evalue"])
            if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle":
                break
        took = time.time() - start
        while self.kc.get_shell_msg(timeout=300)["parent_header"].get("msg_id") != msg_id:
            pass
        return took


def median(times):
    return statistics.median(times) * 1000


def measure(spec, cells):
    k = Kernel(spec)
    try:
        for code in spec["setup"]:
            k.run(code)
        k.run(spec["add"].replace("@", "0"))
        k.run(spec["model"].replace("@", "0"))
        before = resident(k.km.provisioner.process.pid)
        r = {
            "name": spec["name"],
            "ready": k.ready,
            "add": median([k.run(spec["add"].replace("@", str(i))) for i in range(1, 21)]),
            "model": median([k.run(spec["model"].replace("@", str(i))) for i in range(1, 21)]),
            "again": median([k.run(spec["add"].replace("@", "7")) for _ in range(20)]),
        }
        for i in range(cells):
            k.run(spec["model"].replace("@", str(100 + i)))
        r["grown"] = resident(k.km.provisioner.process.pid) - before
        return r
    finally:
        k.kc.stop_channels()
        k.km.shutdown_kernel()


if __name__ == "__main__":
    print(json.dumps([measure(s, int(sys.argv[2])) for s in json.loads(sys.argv[1])]))
