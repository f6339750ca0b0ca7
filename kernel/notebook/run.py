"""Executes a notebook and tells what happens, a JSON object a line, on stdout.

Events: {"cell": i, "of": n, "source": ...} when a code cell begins,
{"stream": "stdout" | "stderr", "text": ...} for what it prints and {"text": ...}
for what it shows as text, {"error": ..., "cell": i} when it fails, {"done": ...} at the end.
The executed notebook is written whatever happens.
"""

import json
import os
import sys
import tempfile

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError


def say(**event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def write(path, text):
    """Write a file that appears whole or not at all."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    fd, tmp = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".")
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(tmp, 0o644)
        os.replace(tmp, path)
    except BaseException:
        os.unlink(tmp)
        raise


class Client(NotebookClient):
    def process_message(self, msg, cell, cell_index):
        content, kind = msg["content"], msg["msg_type"]
        if kind == "stream":
            say(stream=content["name"], text=content["text"])
        elif kind in ("display_data", "execute_result"):
            # What is a picture for a reader has its words only for those who
            # cannot see it.
            if list(content["data"]) == ["text/plain"]:
                say(text=content["data"]["text/plain"])
        elif kind == "error":
            say(error=content["ename"] + ": " + content["evalue"], traceback=content["traceback"], cell=cell_index)
        return super().process_message(msg, cell, cell_index)


def tidy(nb):
    """Keep of each printed line what was left of it on the screen.

    A carriage return goes back to the beginning of the line; progress bars use
    it, and in a stored notebook only their last state is of interest.
    """
    for cell in nb.cells:
        for out in cell.get("outputs", []):
            if out.output_type != "stream" or "\r" not in out.text:
                continue
            lines = []
            for line in out.text.split("\n"):
                shown = ""
                for part in line.split("\r"):
                    shown = part + shown[len(part):]
                lines.append(shown.rstrip())
            out.text = "\n".join(lines)


def main():
    source, target, page, title = sys.argv[1:5]
    with open(source, encoding="utf-8") as f:
        nb = nbformat.read(f, as_version=4)
    code = [i for i, c in enumerate(nb.cells) if c.cell_type == "code"]

    def begin(cell, cell_index, **_):
        if cell_index in code:
            say(cell=code.index(cell_index) + 1, of=len(code), source=cell.source)

    client = Client(
        nb,
        timeout=None,
        kernel_name=os.environ.get("GRADBOOK_KERNEL", "gradbook"),
        resources={"metadata": {"path": os.path.dirname(os.path.abspath(source))}},
        on_cell_start=begin,
    )
    failed = None
    try:
        client.execute()
    except CellExecutionError:
        failed = "a cell failed"
    except DeadKernelError:
        failed = "the kernel died"
    finally:
        tidy(nb)
        write(target, nbformat.writes(nb))

    from nbconvert import HTMLExporter

    # Nothing of the page may come from another host.
    exporter = HTMLExporter(require_js_url="", mathjax_url="", mermaid_js_url="", jquery_url="", embed_images=True)
    html, _ = exporter.from_notebook_node(nb, resources={"metadata": {"name": title}})
    write(page, html)
    say(done=failed or "ok")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
