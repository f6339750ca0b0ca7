"""Runs cells/*.cells in the installed kernel, a kernel to a file: what a person would
type, and what must come of it. Arguments are names of files, all by default.

Cells are separated by a line ---. Below a cell stands what is expected:

    => TEXT        all that it prints and shows, trimmed
    =has TEXT      part of that; =not TEXT is no part of it, nor of its error
    =! TEXT        it ends as an error, in whose text TEXT is
    =order A B …   these words are printed in this order
    =interrupt     it is interrupted once it has printed "ready"
    =stdin LINE    the answer when it asks for a line

In TEXT, \\n, \\r, \\t and \\\\ are what they are in Go. A file whose name ends in -crlf is
sent with the line ends of Windows. A cell without =! must end without an error.
"""

import pathlib
import re
import sys
import threading
import time
import unittest

from faults import LIMIT, Kernel, printed

FOLDER = pathlib.Path(__file__).parent / "cells"
# What a kernel whose cells are plugins says once.
SLOWER = re.compile(r"^Cells are linked as Go's plugins here.*\n", re.M)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
ESCAPED = re.compile(r"\\([nrt\\])")
EXPECTED = re.compile(r"^=(>|has|not|!|order|interrupt|stdin)(?: (.*))?$")


def parse(text):
    """The cells of a file, each with what is expected of it."""
    for part in re.split(r"(?m)^---\n", text):
        lines = part.rstrip("\n").split("\n")
        wanted = []
        while lines and (m := EXPECTED.match(lines[-1])):
            wanted.insert(0, (m[1], ESCAPED.sub(lambda e: {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}[e[1]], m[2] or "")))
            lines.pop()
        yield "\n".join(lines), wanted


class Cells(unittest.TestCase):
    def __init__(self, file):
        super().__init__("runTest")
        self.file = file

    def __str__(self):
        return self.file.name

    def runTest(self):
        kernel = Kernel({"GRADBOOK_GRACE": "3s"})
        self.addCleanup(kernel.close)
        for n, (code, wanted) in enumerate(parse(self.file.read_text()), 1):
            with self.subTest(cell=n, code=code):
                if self.file.stem.endswith("-crlf"):
                    code = code.replace("\n", "\r\n") + "\r"  # as of a line that was cut
                self.judge(wanted, *self.ran(kernel, code, wanted))

    def ran(self, kernel, code, wanted):
        """What the cell printed and showed, and its error."""
        kinds = dict(wanted)
        lines = [text for kind, text in wanted if kind == "stdin"]
        message = kernel.execute(code, allow_stdin=bool(lines))
        if lines:
            threading.Thread(target=self.type, args=(kernel, lines), daemon=True).start()
        if "interrupt" in kinds:
            began = []

            def interrupt():
                began.append(time.time())
                kernel.soon()

            r = kernel.wait(message, when=lambda m: printed(m, "ready"), then=interrupt)
            self.assertTrue(began, "it has not printed ready")
            self.assertLess(time.time() - began[0], 20, "seconds from the interrupt to the end")
        else:
            r = kernel.wait(message)
        out = ""
        for m in r.messages:
            if m["msg_type"] == "stream":
                out += m["content"]["text"]
            elif m["msg_type"] in ("execute_result", "display_data"):
                data = m["content"]["data"]
                out += data.get("text/plain") or next(iter(data.values()))
        error = "\n".join([r.error["ename"], r.error["evalue"], *r.error["traceback"]]) if r.error else None
        return SLOWER.sub("", COLOURS.sub("", out)).strip(), error and COLOURS.sub("", error)

    @staticmethod
    def type(kernel, lines):
        for line in lines:
            kernel.kc.get_stdin_msg(timeout=LIMIT)
            kernel.kc.input(line)

    def judge(self, wanted, out, error):
        if not any(kind in ("!", "interrupt") for kind, _ in wanted):
            self.assertIsNone(error)
        for kind, text in wanted:
            if kind == ">":
                self.assertEqual(out, text.strip())
            elif kind == "has":
                self.assertIn(text, out)
            elif kind == "not":
                self.assertNotIn(text, out + (error or ""))
            elif kind == "!":
                self.assertIsNotNone(error, out)
                self.assertIn(text, error)
            elif kind == "interrupt":
                self.assertIn("KeyboardInterrupt", error or "")
            elif kind == "order":
                at = [out.find(word) for word in text.split()]
                self.assertNotIn(-1, at, out)
                self.assertEqual(at, sorted(at), out)


if __name__ == "__main__":
    files = [FOLDER / name for name in sys.argv[1:]] or sorted(FOLDER.glob("*.cells"))
    suite = unittest.TestSuite(map(Cells, files))
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
