"""Executes a notebook and tells what happens, a JSON object a line, on stdout.

    run.py SOURCE TARGET PAGE TITLE [OPTIONS]    writes TARGET with the outputs, and PAGE
    run.py SOURCE "" PAGE TITLE [OPTIONS]        writes PAGE only, of a notebook with outputs

OPTIONS is JSON. "parameters" are names, and values as YAML; they are written behind the
cell with the tag "parameters", as papermill does. "script" is the address, seen from PAGE,
of what makes charts of the charts on it; without it they are pictures.

Events: {"cell": i, "of": n, "source": ..., "hidden": ...} when a code cell begins,
{"stream": "stdout" | "stderr", "text": ...} for what it prints and {"text": ...}
for what it shows as text, {"error": ..., "cell": i} when it fails, {"done": ..., "wall": s,
"processor": s} at the end, with the seconds that it took.
The executed notebook is written whatever happens.
"""

import base64
import copy
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from html import escape, unescape

import latex2mathml.converter
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from traitlets.config import Config

try:
    import resource
except ImportError:  # not on Windows
    resource = None


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
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(tmp, 0o666 & ~mask)
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


def coalesced(outputs):
    """Return outputs in which text that follows text is one, as it was left.

    Of a progress bar, which is drawn over and again, the end is kept. nbclient's own
    coalesce_streams moves all text of a cell before what it shows in between.
    """
    out = []
    for o in outputs:
        if o.output_type == "stream" and out and out[-1].output_type == "stream" and out[-1].name == o.name:
            out[-1].text += o.text
        else:
            out.append(o)
    for o in out:
        if o.output_type == "stream" and "\r" in o.text:
            o.text = "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in o.text.split("\n"))
    return out


FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$(?!\s)([^$\n]+?)(?<![\s\\])\$(?!\w)", re.DOTALL)
DETAILS = re.compile(r"^<details><summary>([^<]*)</summary>\n\n(.*?)\n\n</details>$", re.DOTALL | re.MULTILINE)
# What a tutorial claims of the solution of an exercise is for its tests.
CLAIMS = re.compile(r"<!-- claims\n.*?-->", re.DOTALL)
CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)


# What nbconvert's page would load from other hosts: libraries for formulas and
# diagrams, which are drawn without them or not at all.
FOREIGN = re.compile(r'<script src="">\s*</script>|<script type="module">(?:(?!</script>).)*mermaid.*?</script>', re.DOTALL)


# The tags by which Jupyter Book hides cells from pages.
HIDDEN = Config()
HIDDEN.TagRemovePreprocessor.enabled = True
HIDDEN.TagRemovePreprocessor.remove_cell_tags = ["remove-cell"]
HIDDEN.TagRemovePreprocessor.remove_input_tags = ["remove-input"]
HIDDEN.TagRemovePreprocessor.remove_all_outputs_tags = ["remove-output"]


def style(exporter):
    """Return what makes a page as wide as one reads, and dark where that is wanted.

    JupyterLab's dark theme is variables and nothing else. Charts are SVG on white;
    turned over, their hues stay.
    """
    for folder in exporter.template_paths:
        path = os.path.join(folder, "static", "theme-dark.css")
        if os.path.exists(path):
            break
    else:
        return ""
    with open(path, encoding="utf-8") as f:
        dark = f.read()
    return f"""<style>
:root {{ color-scheme: light dark; }}
body.jp-Notebook {{ max-width: 62rem; margin: 0 auto; }}
body.jp-Notebook img {{ max-width: 100%; height: auto; }}
body.jp-Notebook details > summary {{ cursor: pointer; }}
body.jp-Notebook pre {{ tab-size: 4; }}
/* JupyterLab's own colours are too faint for some, as is a link that is told by its colour only. */
body.jp-Notebook {{ --jp-cell-inprompt-font-color: #4a5560; --jp-cell-outprompt-font-color: #4a5560; --jp-cell-prompt-not-active-opacity: 1; --jp-cell-prompt-not-active-font-color: #4a5560;
  --jp-mirror-editor-number-color: #006400; --jp-mirror-editor-comment-color: #2a6161; }}
.jp-RenderedMarkdown a[href] {{ text-decoration: underline !important; text-underline-offset: 2px; }}
@media (prefers-color-scheme: dark) {{
{dark}
html {{ background: var(--jp-layout-color0); }}
body.jp-Notebook {{ --jp-cell-inprompt-font-color: #aab4be; --jp-cell-outprompt-font-color: #aab4be; --jp-cell-prompt-not-active-font-color: #aab4be;
  --jp-mirror-editor-number-color: #7fd07f; --jp-mirror-editor-comment-color: #8fbcbc; }}
img[src^="data:image/svg+xml"] {{ filter: invert(0.93) hue-rotate(180deg); }}
}}
</style>
"""


# What a page may do: show itself. A notebook's Markdown and its outputs may hold anything;
# scripts in them do not run, and nothing is loaded, framed or sent. Of scripts, the page's
# own runs, if it has one, and what that loads: it has a word that only the whole page gives.
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'; {scripts}'
    "img-src data:; media-src data:; font-src data:; form-action 'none'; base-uri 'none'\">"
)

CHART = "application/vnd.gradbook.echarts.v1+json"
PICTURES = {"image/svg+xml": "data:image/svg+xml;base64,", "image/png": "data:image/png;base64,", "image/jpeg": "data:image/jpeg;base64,"}


def joined(text):
    return "".join(text) if isinstance(text, list) else text


def pictured(output, alive):
    """Return an output in which a picture has its words, and a chart, on a page that is alive, its data."""
    data = output.get("data") or {}
    kind = next((k for k in PICTURES if k in data), None)
    if kind is None or "text/html" in data and CHART not in data:
        return output
    raw = joined(data[kind])
    if kind == "image/svg+xml":
        raw = base64.b64encode(raw.encode()).decode()
    words = escape(joined(data.get("text/plain", "")).strip(), quote=True)
    image = f'<img src="{PICTURES[kind]}{raw.replace(chr(10), "")}" alt="{words}">'
    if alive and CHART in data:
        chart = data[CHART] if isinstance(data[CHART], str) else json.dumps(data[CHART], ensure_ascii=False)
        chart = chart.replace("<", "\\u003c")  # nothing in it ends the element
        image = f'<div class="gradbook-still">{image}<script type="application/json">{chart}</script></div>'
    output["data"] = {"text/html": image}
    return output


def html(nb, title, script=None):
    """Return the notebook as a page of which nothing comes from another host.

    TeX formulas become MathML, which browsers draw without a library. It is put
    in at the end, in place of a word: nbconvert would take it to pieces.
    """
    formulas = {}

    def formula(m):
        try:
            drawn = latex2mathml.converter.convert(m[1] or m[2], display="block" if m[1] else "inline")
        except Exception:  # the formula stays as it is written
            return m[0]
        if re.search(r"<(?!/?m[a-z]+[\s/>])", drawn):  # texts in it are not escaped
            return m[0]
        word = f"gradbookformula{len(formulas)}x"
        formulas[word] = drawn
        return word

    def tex(text):
        parts = CODE.split(text)
        return "".join(p if i % 2 else FORMULA.sub(formula, p) for i, p in enumerate(parts))

    def details(m):
        """A part that opens: nbconvert would close it before what is in it."""
        word = f"gradbookdetails{len(opens)}x"
        opens[word] = f"<details><summary>{escape(unescape(m[1]))}</summary>\n{markdown2html(tex(m[2]))}\n</details>"
        return f"\n\n{word}\n\n"

    opens = {}
    nb = copy.deepcopy(nb)
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = tex(DETAILS.sub(details, CLAIMS.sub("", cell.source)))
        else:
            cell.outputs = [pictured(o, script) for o in cell.outputs]
    exporter = HTMLExporter(config=HIDDEN, require_js_url="", mathjax_url="", mermaid_js_url="", jquery_url="", embed_images=True)
    page, _ = exporter.from_notebook_node(nb, resources={"metadata": {"name": title}})
    page = FOREIGN.sub("", page).replace("</head>", style(exporter) + "</head>", 1)
    word = hashlib.sha256(page.encode()).hexdigest()[:32]
    policy = POLICY.format(scripts=f"script-src 'nonce-{word}' 'strict-dynamic'; " if script else "")
    page = re.sub(r"<head[^>]*>", lambda m: m[0] + policy, page, count=1)
    if script:
        before, end, after = page.rpartition("</body>")
        page = before + f'<script nonce="{word}" src="{escape(script, quote=True)}"></script>' + end + after
    page = re.sub(r"<p>(gradbookdetails\d+x)</p>", lambda m: opens.get(m[1], m[0]), page)
    return re.sub(r"gradbookformula\d+x", lambda m: formulas.get(m[0], m[0]), page)


def parameterized(nb, values):
    """Return a notebook with a cell that sets parameters to values, written as YAML."""
    import yaml
    from papermill.parameterize import parameterize_notebook

    if not any("parameters" in c.metadata.get("tags", []) for c in nb.cells):
        sys.exit('expected a cell with the tag "parameters", which declares them; there is none')
    for cell in nb.cells:
        cell.metadata.setdefault("tags", [])  # papermill reads them without asking
    nb.metadata.setdefault("papermill", {})
    values = {name: yaml.safe_load(text) for name, text in values.items()}
    return parameterize_notebook(nb, values, kernel_name="gradbook", language="go")


def main():
    source, target, page, title = sys.argv[1:5]
    options = json.loads(sys.argv[5]) if len(sys.argv) > 5 else {}
    try:
        with open(source, encoding="utf-8") as f:
            nb = nbformat.read(f, as_version=4)
    except Exception as e:  # of many kinds, by what is wrong
        sys.exit(f"{source} is not a notebook of Jupyter's format: {str(e).strip().splitlines()[0]}")
    if not target:
        write(page, html(nb, title, options.get("script")))
        return 0
    if options.get("parameters"):
        nb = parameterized(nb, options["parameters"])
    code = [i for i, c in enumerate(nb.cells) if c.cell_type == "code"]

    def begin(cell, cell_index, **_):
        if cell_index in code:
            hidden = "remove-cell" in cell.metadata.get("tags", [])
            say(cell=code.index(cell_index) + 1, of=len(code), source=cell.source, hidden=hidden)

    client = Client(
        nb,
        timeout=None,
        kernel_name=os.environ.get("GRADBOOK_KERNEL", "gradbook"),
        resources={"metadata": {"path": os.path.dirname(os.path.abspath(source))}},
        on_cell_start=begin,
    )
    failed = None
    began = time.monotonic()
    try:
        client.execute()
    except CellExecutionError:
        failed = "a cell failed"
    except DeadKernelError:
        failed = "the kernel died"
    finally:
        for i in code:
            nb.cells[i].outputs = coalesced(nb.cells[i].outputs)
        write(target, nbformat.writes(nb))

    wall, processor = time.monotonic() - began, 0
    if resource:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = used.ru_utime + used.ru_stime
    write(page, html(nb, title, options.get("script")))
    say(done=failed or "ok", wall=wall, processor=processor)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
