"""What can go wrong, tried against the kernel over its sockets.

In each case the kernel must answer again, say what was lost, and lose nothing
else.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid
from pathlib import Path

import zmq
from jupyter_client import KernelManager

LIMIT = 120


def processes(pid):
    """The living descendants of a process, as {pid: command line}."""
    children = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path(f"/proc/{p}/stat").read_text().rsplit(") ", 1)[1].split()
            line = Path(f"/proc/{p}/cmdline").read_text().replace("\0", " ").strip()
        except OSError:
            continue
        if stat[0] != "Z":
            children.setdefault(int(stat[1]), []).append((int(p), line))
    found, todo = {}, [pid]
    while todo:
        for child, line in children.get(todo.pop(), []):
            found[child] = line
            todo.append(child)
    return found


def marked(mark):
    """The processes with the kernel's mark in their environment."""
    found = []
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            environ = Path(f"/proc/{p}/environ").read_bytes()
            state = Path(f"/proc/{p}/stat").read_text().rsplit(") ", 1)[1][0]
        except OSError:
            continue
        if b"GRADBOOK_KERNEL=" + mark.encode() in environ and state != "Z":
            found.append((int(p), Path(f"/proc/{p}/cmdline").read_text()))
    return found


def printed(m, text=""):
    return m["msg_type"] == "stream" and text in m["content"]["text"]


class Reply:
    def __init__(self):
        self.out, self.err, self.result, self.error, self.messages = "", "", None, None, []


class Kernel:
    def __init__(self, env=None, tmp=None):
        self.tmp = tmp or tempfile.mkdtemp(prefix="gradbook-faults-")
        self.km = KernelManager(kernel_name="gradbook")
        self.km.start_kernel(env={**os.environ, "TMPDIR": self.tmp, "GRADBOOK_GRACE": "60s", **(env or {})})
        self.km.shutdown_wait_time = LIMIT
        self.kc = self.client()
        self.pid = self.km.provisioner.process.pid

    def client(self):
        kc = self.km.client()
        # A client's session is a copy of the manager's, with a counter of its own:
        # messages of two clients could have the same id.
        kc.session.session = uuid.uuid4().hex
        kc.start_channels()
        kc.wait_for_ready(timeout=LIMIT)
        return kc

    @property
    def mark(self):
        return next(d for d in os.listdir(self.tmp) if d.startswith("kernel-"))[len("kernel-"):]

    def find(self, part):
        return [p for p, line in processes(self.pid).items() if part in line.split(" ")[0]]

    def execute(self, code, client=None, **kw):
        kc = client or self.kc
        return kc.execute(code, **kw)

    def wait(self, msg_id, client=None, when=None, then=None):
        """Waits for the end of a request. At the first message for which `when` holds,
        `then` is called."""
        kc, r = client or self.kc, Reply()
        end = time.time() + LIMIT
        while True:
            m = kc.get_iopub_msg(timeout=end - time.time())
            if m["parent_header"].get("msg_id") != msg_id:
                continue
            t, c = m["msg_type"], m["content"]
            r.messages.append(m)
            if when and when(m):
                when = None
                then()
            if t == "stream":
                setattr(r, "out" if c["name"] == "stdout" else "err", getattr(r, "out" if c["name"] == "stdout" else "err") + c["text"])
            elif t == "execute_result":
                r.result = c["data"].get("text/plain")
            elif t == "error":
                r.error = c
            elif t == "status" and c["execution_state"] == "idle":
                break
        while True:
            m = kc.get_shell_msg(timeout=end - time.time())
            if m["parent_header"].get("msg_id") == msg_id:
                r.reply = m["content"]
                return r

    def run(self, code, client=None, **kw):
        return self.wait(self.execute(code, client, **kw), client)

    def interrupt(self, code, when=None):
        """Runs a cell and interrupts it a little after `when` holds for one of its
        messages; by default, after it has printed: a slow machine may build it for long."""
        return self.wait(self.execute(code), when=when or printed, then=self.soon)

    def soon(self):
        threading.Timer(0.2, self.km.interrupt_kernel).start()

    def close(self):
        self.kc.stop_channels()
        if self.km.is_alive():
            self.km.shutdown_kernel()
        shutil.rmtree(self.tmp, ignore_errors=True)


class Case(unittest.TestCase):
    env = None

    def setUp(self):
        self.k = Kernel(self.env)
        self.addCleanup(self.k.close)
        self.assertEqual(self.k.run("kept := 41").reply["status"], "ok")

    def alive(self, kept=True):
        r = self.k.run("kept + 1")
        if kept:
            self.assertEqual(r.result, "42", r.error)
        else:
            self.assertEqual(r.error["ename"], "CompileError")
            self.assertEqual(self.k.run("1 + 1").result, "2")

    def died(self, r, has):
        self.assertEqual(r.reply["status"], "error")
        text = r.error["evalue"] + "\n".join(r.error["traceback"])
        self.assertIn(has, text)
        self.assertIn("kept", text)
        self.alive(kept=False)

    def interrupted(self, code, kept=True):
        r = self.k.interrupt('fmt.Println("runs")\n' + code)
        self.assertEqual(r.reply["status"], "error")
        self.assertEqual(r.error["ename"], "KeyboardInterrupt", r.error)
        self.alive(kept)
        return r


class Interrupts(Case):
    def test_loop(self):
        self.interrupted("for {\n}")

    def test_sleep(self):
        self.interrupted("time.Sleep(time.Hour)")

    def test_shell(self):
        r = self.k.interrupt("!echo runs; sleep 50; echo ends")
        self.assertEqual((r.out, r.error["ename"]), ("runs\n", "KeyboardInterrupt"))
        self.alive()

    def test_command_that_builds(self):
        r = self.k.interrupt("%%\ntime.Sleep(time.Hour)", when=lambda m: m["msg_type"] == "execute_input")
        self.assertEqual(r.error["ename"], "KeyboardInterrupt", r.error)
        self.alive()

    def test_script(self):
        r = self.k.interrupt("%%bash\nsleep 600", when=lambda m: m["msg_type"] == "execute_input")
        self.assertEqual(r.error["ename"], "KeyboardInterrupt", r.error)
        self.alive()

    def test_expressions(self):
        slow = "func() int { time.Sleep(time.Hour); return 1 }()"
        m = self.k.execute('fmt.Println("runs")', user_expressions={"a": slow, "b": slow})
        r = self.k.wait(m, when=printed, then=self.k.soon)
        self.assertEqual(r.error["ename"], "KeyboardInterrupt", r.error)
        self.alive()

    def test_build(self):
        code = "\n".join(f"func f{i}(x int) map[string][]int {{ return map[string][]int{{\"a\": {{x, {i}}}}} }}" for i in range(4000))
        r = self.k.interrupt(code, when=lambda m: m["msg_type"] == "execute_input")
        self.assertEqual(r.error["ename"], "KeyboardInterrupt", r.error)
        self.assertIn("none of its Go has run", r.error["evalue"])
        self.alive()

    def test_queue(self):
        first = self.k.execute('fmt.Println("runs")\nfor {\n}')
        rest = [self.k.execute(f"kept = {i}") for i in range(5)]
        self.assertEqual(self.k.wait(first, when=printed, then=self.k.soon).reply["status"], "error")
        for m in rest:
            while True:
                reply = self.k.kc.get_shell_msg(timeout=LIMIT)
                if reply["parent_header"]["msg_id"] == m:
                    break
            self.assertEqual(reply["content"]["status"], "aborted")
        self.alive()

    def test_fit(self):
        for code in [
            "train, test, err := datasets.MNIST()",
            "model, err := dl.Sequential(layers.Input{Shape: layers.Shape{28, 28, 1}}, layers.Flatten{}, layers.Dense{Units: 10, Activation: activations.Softmax})",
            "model.Compile(dl.CompileConfig{Optimizer: &optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}, Metrics: []metrics.Metric{metrics.SparseCategoricalAccuracy{}}})",
        ]:
            r = self.k.run(code)
            self.assertEqual(r.reply["status"], "ok", r.error)
        r = self.k.interrupt("history, err := model.Fit(context.Background(), train, dl.FitConfig{Epochs: 500})", when=lambda m: printed(m, " 2/500"))
        self.assertEqual(r.error["ename"], "KeyboardInterrupt", r.error)
        self.assertRegex(r.error["evalue"], r"epoch")
        r = self.k.run("logs, err := model.Evaluate(context.Background(), test)\nlogs")
        self.assertEqual(r.reply["status"], "ok", r.error)
        self.alive()


class Deaf(Case):
    env = {"GRADBOOK_GRACE": "1s"}

    def test_deaf(self):
        r = self.interrupted("select {}")
        self.assertIn("blocked (select", r.error["evalue"])
        self.alive()
        # What is left behind ends with the session, when a person asks once more.
        self.k.km.interrupt_kernel()
        time.sleep(0.5)
        r = self.k.run("kept")
        self.assertEqual(r.error["ename"], "SessionDied")
        self.assertIn("lost: kept", r.error["evalue"])
        self.assertEqual(self.k.run("1 + 1").result, "2")

    def test_computing(self):
        r = self.interrupted('regexp.MustCompile("(x+x+)+y").MatchString(strings.Repeat("x", 1<<27))')
        self.assertIn("still computing", r.error["evalue"])


class Errors(Case):
    def test_panic(self):
        r = self.k.run('\npanic("help")')
        self.assertEqual((r.error["ename"], r.error["evalue"]), ("Panic", "help"))
        self.assertIn('---> 2 panic("help")', "\n".join(r.error["traceback"]))
        self.alive()

    def test_panic_in_goroutine(self):
        r = self.k.run('go func() { panic("aside") }()\ntime.Sleep(time.Second)')
        self.assertIn("aside", r.err)
        self.alive()

    def test_exit(self):
        self.assertEqual(self.k.run("os.Exit(3)").error["ename"], "Exit")
        self.alive()

    def test_stop_on_error(self):
        first = self.k.execute('time.Sleep(500*time.Millisecond)\npanic("x")')
        second = self.k.execute("kept = 1")
        self.k.wait(first)
        while True:
            reply = self.k.kc.get_shell_msg(timeout=LIMIT)
            if reply["parent_header"]["msg_id"] == second:
                break
        self.assertEqual(reply["content"]["status"], "aborted")
        self.alive()
        r = self.k.run("nothing", stop_on_error=False)
        self.assertEqual(r.reply["status"], "error")
        self.alive()


class Deaths(Case):
    env = {"GRADBOOK_MEMORY_LIMIT": "1GB"}

    def test_stack_overflow(self):
        self.died(self.k.run("func f(n int) int { return f(n+1) + 1 }\nf(0)"), "stack overflow")

    def test_crash_in_c(self):
        self.died(self.k.run("syscall.Kill(os.Getpid(), syscall.SIGSEGV)\nselect {}"), "SIGSEGV")

    def test_memory(self):
        self.died(self.k.run("var all [][]byte\nfor {\n\tb := bytes.Repeat([]byte{1}, 1<<24)\n\tall = append(all, b)\n}"), "memory")

    def test_kill_session(self):
        kill = lambda: os.kill(self.k.find("/session")[0], signal.SIGKILL)
        self.died(self.k.wait(self.k.execute('fmt.Println("runs")\ntime.Sleep(time.Hour)'), when=printed, then=kill), "killed")

    def test_kill_session_between_cells(self):
        os.kill(self.k.find("/session")[0], signal.SIGKILL)
        time.sleep(0.3)
        r = self.k.run("kept + 1")
        self.assertEqual(r.reply["status"], "error")
        self.assertIn("kept", r.error["evalue"])
        self.assertEqual(self.k.run("1 + 1").result, "2")

    def test_kill_gonb(self):
        slow = '%test\nfunc TestSlow(t *testing.T) {\n\tfmt.Println("runs")\n\ttime.Sleep(time.Hour)\n}'
        kill = lambda: os.kill(self.k.find("/gonb")[0], signal.SIGKILL)
        r = self.k.wait(self.k.execute(slow), when=lambda m: printed(m, "runs"), then=kill)
        self.assertEqual(r.error["ename"], "GoNBDied")
        self.assertIn("PASS", self.k.run("%test\nfunc TestQuick(t *testing.T) {}").out)
        self.alive()

    def test_kill_gopls(self):
        self.k.kc.complete("fmt.Printl")
        self.k.kc.get_shell_msg(timeout=LIMIT)
        for p in self.k.find("/gopls"):
            os.kill(p, signal.SIGKILL)
        time.sleep(0.2)
        matches, end = [], time.time() + LIMIT
        while not matches and time.time() < end:  # a new one takes its time
            time.sleep(0.2)
            self.k.kc.complete("fmt.Printl")
            matches = self.k.kc.get_shell_msg(timeout=LIMIT)["content"]["matches"]
        self.assertEqual(matches, ["Println"])
        self.alive()


class Ends(Case):
    def ends(self, mark, tmp):
        """Nothing is left of a kernel, soon."""
        folder = os.path.join(tmp, "kernel-" + mark)
        end = time.time() + 10
        while time.time() < end and (marked(mark) or os.path.exists(folder)):
            time.sleep(0.05)
        self.assertEqual(marked(mark), [])
        self.assertFalse(os.path.exists(folder))

    def test_no_orphans(self):
        self.k.run('exec.Command("setsid", "sleep", "987").Start()')
        self.k.run("!(setsid sleep 986 >/dev/null 2>&1 &)")
        self.k.kc.complete("fmt.")
        self.k.kc.get_shell_msg(timeout=LIMIT)
        mark = self.k.mark
        self.assertGreaterEqual(len(marked(mark)), 4)
        os.kill(self.k.pid, signal.SIGKILL)
        self.ends(mark, self.k.tmp)

    def test_shutdown(self):
        self.k.run('exec.Command("setsid", "sleep", "985").Start()')
        self.k.run("!echo")
        mark = self.k.mark
        self.k.km.shutdown_kernel()
        self.assertEqual(marked(mark), [])
        self.assertEqual(os.listdir(self.k.tmp), [])

    def test_parent_dies(self):
        tmp = tempfile.mkdtemp(prefix="gradbook-parent-")
        script = "from jupyter_client import KernelManager; import time; km = KernelManager(kernel_name='gradbook'); km.start_kernel(); print('up', flush=True); time.sleep(99)"
        p = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "TMPDIR": tmp}, stdout=subprocess.PIPE, text=True)
        self.assertEqual(p.stdout.readline(), "up\n")
        end = time.time() + LIMIT
        while time.time() < end and not [d for d in os.listdir(tmp) if d.startswith("kernel-")]:
            time.sleep(0.05)
        mark = next(d for d in os.listdir(tmp) if d.startswith("kernel-"))[len("kernel-"):]
        p.kill()
        p.wait()
        p.stdout.close()
        self.ends(mark, tmp)
        self.assertEqual([d for d in os.listdir(tmp) if d.startswith("kernel-")], [])
        shutil.rmtree(tmp, ignore_errors=True)

    def test_two_hundred_cells(self):
        for i in range(200):
            self.assertEqual(self.k.run(f"kept + {i}").result, str(41 + i))
        mark = self.k.mark
        self.k.km.restart_kernel()
        self.k.kc.stop_channels()
        self.k.kc = self.k.client()
        self.k.pid = self.k.km.provisioner.process.pid
        self.assertEqual(marked(mark), [])
        self.assertEqual(len([d for d in os.listdir(self.k.tmp)]), 1, os.listdir(self.k.tmp))
        self.alive(kept=False)

    def test_child_that_holds_the_output(self):
        r = self.k.run('c := exec.Command("sh", "-c", "echo early; sleep 600; echo late")\nc.Stdout = os.Stdout\nc.Start()\ntime.Sleep(2*time.Second)')
        self.assertEqual(r.out, "early\n")
        self.alive()


class Protocol(Case):
    def raw(self, channel="shell"):
        s = zmq.Context.instance().socket(zmq.DEALER)
        info = self.k.km.get_connection_info()
        s.connect(f"tcp://{info['ip']}:{info[channel + '_port']}")
        self.addCleanup(s.close, 0)
        return s

    def test_malformed(self):
        session = self.k.kc.session
        for channel in ("shell", "control", "stdin"):
            s = self.raw(channel)
            good = session.serialize(session.msg("execute_request", {"code": "kept = 0"}))
            for frames in (
                [b""], [b"x"], [b"<IDS|MSG>"], [b"<IDS|MSG>", b"nohex"], good[:3], good[1:],
                [good[0], b"0" * 64, *good[2:]],
                [good[0], b"not hexadecimal", *good[2:]],
                [good[0], b"", *good[2:]],
            ):
                s.send_multipart(frames)
            for content in (b"{", b"[]", b"3", b'"x"', b"null", b"\xff\xfe"):
                parts = [*good[2:5], content]
                s.send_multipart([b"<IDS|MSG>", session.sign(parts), *parts])
            for header in (b"{}", b"[]", b"{", b'{"msg_id": 3}'):
                parts = [header, *good[3:]]
                s.send_multipart([b"<IDS|MSG>", session.sign(parts), *parts])
        self.alive()

    def test_replay(self):
        session = self.k.kc.session
        self.k.run("n := 0")
        s = self.raw()
        frames = session.serialize(session.msg("execute_request", {"code": "n++"}))
        for _ in range(5):
            s.send_multipart(frames)
        s.recv_multipart()
        time.sleep(1)
        self.assertEqual(self.k.run("n").result, "1")

    def test_only_code(self):
        session = self.k.kc.session
        s = self.raw()
        s.send_multipart(session.serialize(session.msg("execute_request", {"code": "kept"})))
        _, msg = session.feed_identities(s.recv_multipart())
        self.assertEqual(session.deserialize(msg)["content"]["status"], "ok")

    def test_missing_and_unknown(self):
        session = self.k.kc.session
        s = self.raw()
        for t in ("execute_request", "complete_request", "inspect_request", "is_complete_request", "history_request", "comm_open", "comm_msg", "nonsense_request"):
            s.send_multipart(session.serialize(session.msg(t, {})))
            s.send_multipart(session.serialize(session.msg(t, {"code": 3, "cursor_pos": "x", "comm_id": []})))
        self.alive()

    def test_control(self):
        session = self.k.kc.session
        s = self.raw("control")
        s.send_multipart(session.serialize(session.msg("kernel_info_request", {})))
        _, msg = session.feed_identities(s.recv_multipart())
        self.assertEqual(session.deserialize(msg)["content"]["implementation"], "gradbook")

    def test_status_around_all(self):
        for send in (lambda: self.k.kc.history(), lambda: self.k.kc.comm_info(), lambda: self.k.kc.is_complete("1"), lambda: self.k.kc.kernel_info()):
            msg_id, states = send(), []
            while "idle" not in states:
                m = self.k.kc.get_iopub_msg(timeout=LIMIT)
                if m["parent_header"].get("msg_id") == msg_id and m["msg_type"] == "status":
                    states.append(m["content"]["execution_state"])
            self.assertEqual(states, ["busy", "idle"])

    def test_while_busy(self):
        m = self.k.execute('fmt.Println("runs")\ntime.Sleep(time.Hour)')
        while True:
            p = self.k.kc.get_iopub_msg(timeout=LIMIT)
            if p["parent_header"].get("msg_id") == m and printed(p):
                break
        s = zmq.Context.instance().socket(zmq.REQ)
        s.connect(f"tcp://127.0.0.1:{self.k.km.hb_port}")
        s.send(b"beat")
        self.assertEqual(s.poll(500), zmq.POLLIN)
        self.assertEqual(s.recv(), b"beat")
        s.close(0)
        c = self.k.kc.is_complete("1")
        self.assertEqual(self.k.kc.get_shell_msg(timeout=LIMIT)["parent_header"]["msg_id"], c)
        self.k.km.interrupt_kernel()
        self.assertEqual(self.k.kc.get_shell_msg(timeout=LIMIT)["parent_header"]["msg_id"], m)
        self.alive()

    def test_silent_and_expressions(self):
        r = self.k.run("1 + 1", silent=True)
        self.assertEqual([m["msg_type"] for m in r.messages], ["status", "status"])
        before = self.k.run("1").reply["execution_count"]
        self.assertEqual(self.k.run("1", store_history=False).reply["execution_count"], before)
        e = self.k.run("2", user_expressions={"k": "kept", "bad": "nothing"}).reply["user_expressions"]
        self.assertEqual(e["k"]["data"]["text/plain"], "41")
        self.assertEqual(e["bad"]["status"], "error")

    def test_stdin(self):
        m = self.k.execute("var name string\nfmt.Scanln(&name)\nname")
        q = self.k.kc.get_stdin_msg(timeout=LIMIT)
        self.assertEqual(q["msg_type"], "input_request")
        self.k.kc.input("gopher")
        self.assertEqual(self.k.wait(m).result, "gopher")
        m = self.k.execute('gonbui.RequestInput("secret? ", true)\nvar word string\nfmt.Scanln(&word)\nword')
        q = self.k.kc.get_stdin_msg(timeout=LIMIT)
        self.assertEqual(q["content"], {"prompt": "secret? ", "password": True})
        self.k.kc.input("pass")
        self.assertEqual(self.k.wait(m).result, "pass")
        r = self.k.run("var other string\n_, err := fmt.Scanln(&other)\nfmt.Println(err)", allow_stdin=False)
        self.assertIn("StdinNotImplementedError", r.err)
        self.alive()

    def test_two_clients(self):
        other = self.k.client()
        self.addCleanup(other.stop_channels)
        a, b = self.k.execute("kept"), self.k.execute("kept + 1", other)
        self.assertEqual(self.k.wait(a).result, "41")
        self.assertEqual(self.k.wait(b, other).result, "42")

    def test_thousand_cells(self):
        ids = [self.k.execute("kept") for _ in range(1000)]
        for m in ids:
            self.assertEqual(self.k.wait(m).result, "41")

    def test_output(self):
        r = self.k.run('os.Stdout.Write([]byte{0xff, 0, 65, 0xfe})')
        self.assertEqual(r.out, "\ufffd\x00A\ufffd")
        r = self.k.run('b := bytes.Repeat([]byte("0123456789\\n"), 1<<16)\nfor range 150 {\n\tos.Stdout.Write(b)\n}')
        self.assertLess(len(r.out), 3 << 20)
        self.assertIn("the rest is in ", r.out[-300:])
        path = r.out[-300:].split("the rest is in ")[1].strip()
        self.assertEqual(len(r.out.split("\n\u2026")[0]) + os.path.getsize(path), 150 * 11 << 16)
        os.remove(path)
        m = self.k.execute("go func() {\n\ttime.Sleep(3*time.Second)\n\tfmt.Println(\"later\")\n}()")
        self.assertEqual(self.k.wait(m).reply["status"], "ok")
        late = self.k.kc.get_iopub_msg(timeout=LIMIT)
        self.assertEqual((late["content"].get("text"), late["parent_header"]["msg_id"]), ("later\n", m))
        r = self.k.run("var wg sync.WaitGroup\nfor i := range 50 {\n\twg.Add(1)\n\tgo func() {\n\t\tdefer wg.Done()\n\t\tfmt.Println(\"line\", i)\n\t}()\n}\nwg.Wait()")
        self.assertEqual(sorted(r.out.split("\n")[:-1]), sorted(f"line {i}" for i in range(50)))


class Stateless(unittest.TestCase):
    def test_as_gonb(self):
        k = Kernel({"GRADBOOK_STATELESS": "1"})
        self.addCleanup(k.close)
        self.assertEqual(k.run('import "fmt"\nvar n = 1\n%%\nn++\nfmt.Println(n)').out, "2\n")
        self.assertEqual(k.run("%%\nn++\nfmt.Println(n)", user_expressions={"n": "n"}).out, "2\n")
        self.assertEqual(k.run('%%\npanic("x")').reply["status"], "error")
        r = k.run('import "github.com/gradbook/gradbook/viz"\n%%\nc, err := viz.ConfusionMatrix([]int{0, 1}, []int{0, 1}, []string{"a", "b"})\nif err != nil {\n\tpanic(err)\n}\nif err := viz.Show(c); err != nil {\n\tpanic(err)\n}')
        shown = [m["content"]["data"] for m in r.messages if m["msg_type"] == "display_data"]
        self.assertTrue(shown and "image/svg+xml" in shown[0], (r.out, r.err, r.error))


class Dialect(Case):
    def test_commands(self):
        for code, out in [
            ("!echo shell", "shell\n"),
            ("%%bash\necho script", "script\n"),
            ("%env WORD=go\n!echo $WORD", 'Set: WORD="go"\ngo\n'),
            ('%env WORD=go\nfmt.Println(os.Getenv("WORD"))', 'Set: WORD="go"\ngo\n'),
            ("%args a b\nfmt.Println(os.Args[1:])", "[a b]\n"),
            ('var who = flag.String("who", "", "")\n%% --who=me\nfmt.Println(*who)', "me\n"),
            ("%% --who=you\nfmt.Println(*who)", "you\n"),
            ("%exec greet\nfunc greet() { fmt.Println(kept) }", "41\n"),
        ]:
            r = self.k.run(code)
            self.assertEqual(r.out, out, r.error)
        self.assertIn("kept", self.k.run("%who").out)
        self.assertIn("kept", self.k.run("%ls").out)
        self.assertEqual(self.k.run("%rm kept").out, "removed kept\n")
        self.assertEqual(self.k.run("kept").error["ename"], "CompileError")

    def test_test(self):
        self.k.run("func incr(x int) int { return x + 1 }")
        r = self.k.run("%test\nfunc TestIncr(t *testing.T) {\n\tif incr(2) != 3 {\n\t\tt.Fatal()\n\t}\n}")
        self.assertIn("PASS", r.out, r.error)
        self.alive()

    def test_reset(self):
        self.k.run("%reset")
        self.alive(kept=False)

    def test_time_and_capture(self):
        self.assertRegex(self.k.run("%time kept").out, r"Wall time: ")
        path = os.path.join(self.k.tmp, "captured")
        self.k.run(f'%capture {path}\nfmt.Println("words")')
        self.assertEqual(Path(path).read_text(), "words\n")
        os.remove(path)


class Start(unittest.TestCase):
    def kernel(self):
        spec = KernelManager(kernel_name="gradbook").kernel_spec
        return spec.argv[:-1]

    def test_no_connection_file(self):
        p = subprocess.run([*self.kernel(), "/nowhere/kernel.json"], capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(p.returncode, 1)
        self.assertIn("/nowhere/kernel.json", p.stderr)

    def test_bad_connection_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            f.write("{")
            f.flush()
            p = subprocess.run([*self.kernel(), f.name], capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(p.returncode, 1)
            self.assertIn(f.name, p.stderr)

    def test_no_temporary_folder(self):
        connection = os.path.join(tempfile.mkdtemp(), "kernel.json")
        Path(connection).write_text(json.dumps({"ip": "127.0.0.1", "transport": "tcp", "shell_port": 0, "iopub_port": 0, "stdin_port": 0, "control_port": 0, "hb_port": 0, "key": "k", "signature_scheme": "hmac-sha256"}))
        p = subprocess.run([*self.kernel(), connection], capture_output=True, text=True, timeout=LIMIT, env={**os.environ, "TMPDIR": "/proc"})
        self.assertEqual(p.returncode, 1)
        self.assertIn("/proc", p.stderr)
        shutil.rmtree(os.path.dirname(connection))

    def test_ten_at_once(self):
        kernels = [Kernel() for _ in range(10)]
        try:
            for i, k in enumerate(kernels):
                self.assertEqual(k.run(f"mine := {i}").reply["status"], "ok")
            for i, k in enumerate(kernels):
                self.assertEqual(k.run("mine").result, str(i))
        finally:
            for k in kernels:
                k.close()


class Disk(unittest.TestCase):
    """The folder for temporary files is a disk of its own."""

    def kernel(self, options):
        tmp = tempfile.mkdtemp(prefix="gradbook-disk-")
        self.addCleanup(shutil.rmtree, tmp, ignore_errors=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", tmp], capture_output=True).returncode != 0:
            self.skipTest("cannot mount a disk here")
        self.addCleanup(subprocess.run, ["umount", tmp])
        k = Kernel(tmp=tmp)
        self.addCleanup(k.close)
        self.assertEqual(k.run("kept := 41").reply["status"], "ok")
        return k

    def test_noexec(self):
        """From which nothing may be run: cells are put elsewhere."""
        k = self.kernel("noexec")
        self.assertEqual(k.run("kept + 1").result, "42")
        self.assertEqual(k.run("%%\nfmt.Println(kept)").out, "41\n")
        self.assertEqual([d for d in os.listdir(k.tmp) if d.startswith("kernel-")], [])

    def test_full(self):
        k = self.kernel("size=200m")
        filler = os.path.join(k.tmp, "filler")
        with open(filler, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"0" * 4096)
            except OSError:
                pass
        r = k.run("kept + 2")
        self.assertEqual(r.reply["status"], "error")
        self.assertIn("no space left", r.error["evalue"] + "".join(r.error["traceback"]))
        os.remove(filler)
        self.assertEqual(k.run("kept + 1").result, "42")


if __name__ == "__main__":
    unittest.main()
