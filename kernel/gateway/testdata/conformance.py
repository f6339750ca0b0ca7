"""jupyter-kernel-test's cases, with samples in Go for every one of them."""

import time
import unittest

import jupyter_kernel_test as jkt

# How long to wait for an answer, in seconds: a slow machine builds for long.
jkt.TIMEOUT = 60


class Conformance(jkt.KernelTests):
    kernel_name = "gradbook"
    language_name = "go"
    file_extension = ".go"

    code_hello_world = 'fmt.Println("hello, world")'
    code_stderr = 'fmt.Fprintln(os.Stderr, "error")'
    code_page_something = "dl.Sequential?"
    completion_samples = [
        {"text": "fmt.Printl", "matches": {"Println"}},
        {"text": "dl.Sequen", "matches": {"Sequential"}},
        {"text": "strings.ToLow", "matches": {"ToLower", "ToLowerSpecial"}},
    ]
    complete_code_samples = ["1+1", "x := 3", "func f() int {\n\treturn 1\n}", "for i := range 3 {\n\tfmt.Println(i)\n}", "%who", "import \"fmt\""]
    incomplete_code_samples = ["func f() int {", "fmt.Println(", "x := `raw", "if true {\n\tx := 1", "a := 1 +"]
    invalid_code_samples = ["}", "func func", "x := := 3"]
    code_execute_result = [
        {"code": "6*7", "result": "42"},
        {"code": "[]string{\"a\", \"b\"}", "result": "[a b]"},
        {"code": "x := 5\nx * 2", "result": "10"},
    ]
    code_display_data = [
        {"code": "viz.Show(viz.FromImage(image.NewRGBA(image.Rect(0, 0, 2, 2)), \"two\"))", "mime": "image/png"},
        {"code": 'gonbui.DisplayMarkdown("**bold**")', "mime": "text/markdown"},
    ]
    code_generate_error = 'panic("an error")'
    code_history_pattern = "6?7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "fmt.Println"
    code_clear_output = "viz.ClearOutput(false)"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.completed(cls.completion_samples[0])  # the language server takes its time to start

    @classmethod
    def completed(cls, sample):
        """The reply to a completion. A language server that is late, as while it starts or
        where tests are compiled beside it, is asked again: the kernel answers without it then."""
        end = time.time() + jkt.TIMEOUT
        while True:
            cls.kc.complete(sample["text"])
            reply = cls.kc.get_shell_msg(timeout=jkt.TIMEOUT)
            if set(reply["content"].get("matches", ())) == sample["matches"] or time.time() > end:
                return reply
            time.sleep(0.2)

    def test_completion(self):
        for sample in self.completion_samples:
            with self.subTest(text=sample["text"]):
                reply = self.completed(sample)
                jkt.validate_message(reply, "complete_reply")
                self.assertEqual(set(reply["content"]["matches"]), sample["matches"])

    def execute_helper(self, code, timeout=60, **kw):
        return super().execute_helper(code, timeout, **kw)


if __name__ == "__main__":
    unittest.main()
