"""Measures from the start of JupyterLab's process to the first output of a cell.

Argument: a JSON list of {"name", "kernel", "code"}, and how often, and whether
files are to be read from the disk anew. Prints JSON: for each, lists of seconds until the
server answers, the kernel is ready, and the output is there.

What a browser does is done here: it asks for a session, opens the kernel's channels and
sends a cell at once.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

import websocket

TOKEN = "cold"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(url, body=None):
    request = urllib.request.Request(url, headers={"Authorization": "token " + TOKEN, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, data=None if body is None else json.dumps(body).encode(), timeout=60) as reply:
        return json.load(reply)


def until_answers(url, deadline):
    while time.monotonic() < deadline:
        try:
            return ask(url)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.02)
    sys.exit("JupyterLab does not answer")


def once(spec, cold):
    if cold:
        subprocess.run(["sync"], check=True)
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("3")
    port, folder = free_port(), tempfile.mkdtemp()
    start = time.monotonic()
    lab = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--port", str(port), "--ServerApp.port_retries=0", "--IdentityProvider.token=" + TOKEN,
         "--ServerApp.root_dir", folder, "--LanguageServerManager.autodetect=False"] + (["--allow-root"] if os.geteuid() == 0 else []),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )
    try:
        base = f"127.0.0.1:{port}/api"
        until_answers(f"http://{base}/status", start + 120)
        server = time.monotonic() - start
        session = ask(f"http://{base}/sessions", {"path": "cold.ipynb", "name": "cold", "type": "notebook", "kernel": {"name": spec["kernel"]}})
        ws = websocket.create_connection(f"ws://{base}/kernels/{session['kernel']['id']}/channels", header=["Authorization: token " + TOKEN], timeout=300)

        def send(kind, content):
            header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": uuid.uuid4().hex, "username": "", "version": "5.3", "date": ""}
            ws.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell", "buffers": []}))
            return header["msg_id"]

        # JupyterLab sends cells once the kernel has answered this.
        asked = send("kernel_info_request", {})
        ready = None
        while True:
            m = json.loads(ws.recv())
            parent = m["parent_header"].get("msg_id")
            if m["msg_type"] == "kernel_info_reply" and parent == asked:
                ready = time.monotonic() - start
                cell = send("execute_request", {"code": spec["code"], "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True})
            elif ready and parent == cell and m["msg_type"] == "error":
                sys.exit(spec["name"] + ": " + m["content"]["evalue"])
            elif ready and parent == cell and (m["msg_type"] == "execute_result" or m["msg_type"] == "stream" and m["content"]["name"] == "stdout"):
                return {"server": server, "ready": ready, "output": time.monotonic() - start}
    finally:
        os.killpg(lab.pid, signal.SIGTERM)
        try:
            lab.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(lab.pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    specs, rounds, cold = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "cold"
    found = {s["name"]: [] for s in specs}
    for _ in range(rounds):  # in turn, so that the machine's moods are shared
        for s in specs:
            found[s["name"]].append(once(s, cold))
            time.sleep(2)
    print(json.dumps(found))
