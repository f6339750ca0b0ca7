"""Exports notebooks from Jupyter's menu as Go programs, and as PDF without TeX.

nbconvert finds GoExporter by its entry points: File > Save and Export Notebook As > Go, and
Executable Script. Where there is no xelatex, its own exporter for PDF has a browser print
the page instead, in the server that loads this module as an extension.

The work is the gradbook command's, which the kernel's specification names.

Source: https://nbconvert.readthedocs.io/en/latest/external_exporters.html
"""

import os
import shutil
import subprocess
import sys
import tempfile

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from nbconvert.exporters import Exporter
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.exporters.pdf import PDFExporter


def gradbook(nb, resources, *args):
    """Run a gradbook command with a notebook as its input, and return its output."""
    argv = KernelSpecManager().get_kernel_spec("gradbook").argv
    command = argv[: argv.index("kernel")]
    if command[0] == "python":  # which stands for the one that runs Jupyter
        command[0] = sys.executable
    folder = ((resources or {}).get("metadata") or {}).get("path") or None
    done = subprocess.run(
        [*command, *args], input=nbformat.writes(nb).encode(), cwd=folder if folder and os.path.isdir(folder) else None, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace").strip().removeprefix("gradbook: "))
    return done.stdout


class GoExporter(Exporter):
    """Exports a notebook as a Go program that compiles, and prints the same."""

    export_from_notebook = "Go"
    output_mimetype = "text/x-go"

    def _file_extension_default(self):
        return ".go"

    def from_notebook_node(self, nb, resources=None, **kw):
        """Convert from a notebook node."""
        _, resources = super().from_notebook_node(nb, resources, **kw)
        resources["output_extension"] = ".go"
        return gradbook(nb, resources, "script", "-").decode(), resources


def printed(self, nb, resources=None, **kw):
    """Convert a notebook to PDF in PDFExporter's place, by a browser."""
    given, resources = resources or {}, ResourcesDict()
    resources.update(given)
    name = (resources.get("metadata") or {}).get("name") or "notebook"
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, os.path.basename(name) + ".pdf")
        gradbook(nb, resources, "page", "-", "-o", out)
        with open(out, "rb") as f:
            pdf = f.read()
    resources["output_extension"] = ".pdf"
    return pdf, resources


def _jupyter_server_extension_points():
    return [{"module": "gradbook_export"}]


def _load_jupyter_server_extension(app):
    if shutil.which("xelatex") is None:
        PDFExporter.from_notebook_node = printed
