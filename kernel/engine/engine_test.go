package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/kernel/toolchain"
)

// book runs cells in a session, as the kernel does.
type book struct {
	*Engine
	t   *testing.T
	ctx context.Context // of the cells that are run
	n   int

	mu     sync.Mutex
	out    string
	result string
	data   []map[string]any
	input  func()
}

func workspace(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../../.gradbook/workspace")
	if err != nil {
		t.Fatal(err)
	}
	ways, err := toolchain.Ways()
	if err != nil {
		t.Fatal(err)
	}
	if len(ways) == 0 {
		t.Skip("cells cannot be loaded into a session on this platform")
	}
	if _, ok := toolchain.HostBuilt(dir, ways...); !ok {
		t.Fatal("the session is not built; run: make setup")
	}
	return dir
}

func newBook(t *testing.T, edit ...func(*Config)) *book {
	ways, _ := toolchain.Ways()
	c := Config{Workspace: workspace(t), Ways: ways, Dir: filepath.Join(t.TempDir(), "cells"), OutputDir: t.TempDir(), Env: os.Environ(), Grace: 30 * time.Second}
	for _, f := range edit {
		f(&c)
	}
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return &book{Engine: e, t: t, ctx: t.Context()}
}

func (b *book) Stream(_, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.out += text
}

func (b *book) Event(e wire.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e.Event {
	case "result":
		b.result = fmt.Sprint(e.Data["text/plain"])
		b.data = append(b.data, e.Data)
	case "display":
		b.data = append(b.data, e.Data)
	case "input":
		if b.input != nil {
			go b.input()
		}
	}
}

// run runs a cell and returns what it printed, with the result after "=> ".
func (b *book) run(source string) (string, *Failure) {
	b.t.Helper()
	b.mu.Lock()
	b.out, b.result, b.data = "", "", nil
	b.mu.Unlock()
	b.n++
	c := cell.Cell{Number: b.n, Text: source}
	if before, _, ok := strings.Cut(source, "%%\n"); ok {
		c.Text, c.HasMain, c.Main = strings.Replace(source, "%%", "  ", 1), true, len(before)+len("%%\n")
	}
	f, err := b.Run(b.ctx, Cell{Cell: c, Text: source, AllowStdin: true}, b)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.out
	if b.result != "" {
		out += "=> " + b.result
	}
	return out, f
}

// ok runs a cell that must succeed and print want.
func (b *book) ok(source, want string) {
	b.t.Helper()
	got, f := b.run(source)
	if f != nil {
		b.t.Fatalf("cell %d: %s: %s\n%s\n%s", b.n, f.Name, f.Value, strings.Join(f.Traceback, "\n"), source)
	}
	if got != want {
		b.t.Errorf("cell %d: expected %q, got %q\n%s", b.n, want, got, source)
	}
}

// fails runs a cell that must fail with a name and a text in its traceback.
func (b *book) fails(source, name, has string) {
	b.t.Helper()
	_, f := b.run(source)
	if f == nil {
		b.t.Fatalf("cell %d: expected %s, got none\n%s", b.n, name, source)
	}
	all := f.Value + "\n" + strings.Join(f.Traceback, "\n")
	if f.Name != name || !strings.Contains(all, has) {
		b.t.Errorf("cell %d: expected %s with %q, got %s: %s\n%s", b.n, name, has, f.Name, all, source)
	}
}

// interrupts interrupts a cell when it runs; before, it is still being built.
func (b *book) interrupts(source, has string) {
	b.t.Helper()
	before := b.ctx
	defer func() { b.ctx = before }()
	ctx, cancel := context.WithCancel(before)
	b.ctx = ctx
	runs := func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return strings.Contains(b.out, "it runs")
	}
	go func() {
		for end := time.Now().Add(time.Minute); !runs() && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond) // into what comes next
		cancel()
	}()
	b.fails("fmt.Println(\"it runs\")\n"+source, "KeyboardInterrupt", has)
}

func TestState(t *testing.T) {
	b := newBook(t)
	b.ok("1+1", "=> 2")
	b.ok("x := 3", "")
	b.ok("x++\nx", "=> 4")
	b.ok("x", "=> 4")
	b.ok("var count = 3", "")
	b.ok("count++\nfmt.Println(count, x)", "4 4\n")
	b.ok("fmt.Println(count)", "4\n")
	b.ok("var count = 3", "")
	b.ok("count", "=> 3")
	b.ok("func double(i int) int { return 2 * i }", "")
	b.ok("double(x)", "=> 8")
	b.ok("x := \"text\"\nx + \"!\"", "=> text!")
	b.ok("x", "=> text")
	b.ok("type point struct{ a, b int }\np := point{3, 4}", "")
	b.ok("func (p point) area() int { return p.a * p.b }", "")
	b.ok("p.area()", "=> 12")
	b.ok("fmt.Printf(\"%T %+v\\n\", p, p)", "main.point {a:3 b:4}\n")
	b.ok("type shape interface{ area() int }\nvar s shape = p\ns.area()", "=> 12")
	b.ok("_, isPoint := s.(point)\nisPoint", "=> true")
	b.ok("func quad(i int) int { return double(double(i)) }\nquad(2)", "=> 8")
	b.ok("func double(i int) int { return 3 * i }", "")
	b.ok("quad(2)", "=> 18")
	b.ok("m := map[string][]int{\"a\": {1, 2}}", "")
	b.ok("m[\"b\"] = append(m[\"a\"], 3)\nlen(m)", "=> 2")
	b.ok("func mapped[T, U any](in []T, f func(T) U) []U {\n\tvar out []U\n\tfor _, v := range in {\n\t\tout = append(out, f(v))\n\t}\n\treturn out\n}", "")
	b.ok("mapped(m[\"b\"], func(i int) string { return fmt.Sprint(i * 10) })", "=> [10 20 30]")
	b.ok("type list[T any] struct{ items []T }\nfunc (l *list[T]) push(v T) { l.items = append(l.items, v) }\nvar l list[string]", "")
	b.ok("l.push(\"one\")\nl.items", "=> [one]")
	b.ok("type point struct{ a, b, c int }", "p is gone, since type point has changed\n")
}

func TestErrors(t *testing.T) {
	b := newBook(t)
	b.ok("kept := 1", "")
	b.fails("x := 1\ny := undefinedThing + x", "CompileError", "undefined: undefinedThing")
	b.fails("var n int = \"text\"", "CompileError", "cannot use")
	b.fails("if {", "CompileError", "")
	b.fails("var p *struct{ v int }\n\np.v++", "Panic", "nil pointer")
	b.fails("\n\npanic(\"help\")", "Panic", "---> 3 panic")
	b.fails("func broken() error { return errors.New(\"no luck\") }\nbroken()", "Error", "no luck")
	b.fails("f, err := os.Open(\"/nowhere\")", "Error", "/nowhere")
	b.ok("f, err := os.Open(\"/nowhere\")\nif err != nil {\n\tfmt.Println(\"handled\")\n}", "handled\n")
	b.fails("os.Exit(3)", "Exit", "status 3")
	b.ok("os.Exit(0)", "")
	b.fails("log.Fatal(\"end\")", "Exit", "status 1")
	b.ok("done := make(chan int)\ngo func() { defer close(done); panic(\"in a goroutine\") }()\n<-done\ntime.Sleep(500*time.Millisecond)", "goroutine: panic: in a goroutine\n    cell[13]:2\n")
	b.ok("kept", "=> 1")
}

// TestSetUpAnew: setup puts other files in the place of those that a kernel uses. Its
// cells, and a session after the first, go on with what it began with.
func TestSetUpAnew(t *testing.T) {
	ways, _ := toolchain.Ways()
	way, _ := toolchain.HostBuilt(workspace(t), ways...)
	whole, dir := toolchain.HostDir(workspace(t), way), t.TempDir()
	host := toolchain.HostDir(dir, way)
	if err := os.Mkdir(host, 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(whole)
	if err != nil {
		t.Fatal(err)
	}
	each := func(do func(name string) error) {
		for _, f := range files {
			if !f.Type().IsRegular() {
				continue
			}
			if err := do(f.Name()); err != nil {
				t.Fatal(err)
			}
		}
	}
	each(func(name string) error {
		from, to := filepath.Join(whole, name), filepath.Join(host, name)
		if os.Link(from, to) == nil {
			return nil
		}
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		return os.WriteFile(to, content, 0o700)
	})
	b := newBook(t, func(c *Config) { c.Workspace = dir })
	b.ok("kept := 41", "")
	each(func(name string) error {
		if err := os.WriteFile(filepath.Join(dir, "other"), []byte("another's"), 0o700); err != nil {
			return err
		}
		return os.Rename(filepath.Join(dir, "other"), filepath.Join(host, name))
	})
	b.ok("kept + 1", "=> 42")
	b.fails("syscall.Kill(os.Getpid(), syscall.SIGKILL)\nselect {}", "SessionDied", "lost: kept")
	b.ok("kept := 1\nkept + 1", "=> 2")
}

func TestInterrupt(t *testing.T) {
	b := newBook(t)
	b.ok("kept := 1\nn := 0", "")
	for _, source := range []string{"for {\n\tn++\n}", "time.Sleep(time.Hour)", "<-context.Background().Done()"} {
		b.interrupts(source, "")
		b.ok("kept", "=> 1")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if f, _ := b.Run(ended, Cell{Cell: cell.Cell{Number: 99, Text: "kept = 2"}}, b); f == nil || f.Name != "KeyboardInterrupt" {
		t.Errorf("expected an interrupt before the cell was read, got %v", f)
	}
	b.ok("kept", "=> 1")
	// A context that a cell keeps can be used again after an interrupt.
	b.ok("ctx := context.Background()\nctx.Err() == nil", "=> true")
	b.interrupts("<-ctx.Done()", "")
	b.ok("ctx.Err() == nil", "=> true")
	b.interrupts("derived, cancel := context.WithTimeout(ctx, time.Hour)\n<-derived.Done()\ncancel()", "")
	b.ok("later, cancel2 := context.WithCancel(ctx)\ncancel2()\nfmt.Println(later.Err())", "context canceled\n")
}

// TestLeftBehind: what does not react to an interrupt is left behind, and the session
// stays; a further interrupt, of which the person is told, ends it.
func TestLeftBehind(t *testing.T) {
	b := newBook(t, func(c *Config) { c.Grace = 300 * time.Millisecond })
	b.ok("kept := 1\nvar wg sync.WaitGroup\nvar mu sync.Mutex\nmu.Lock()\nwg.Add(1)", "")
	for source, state := range map[string]string{
		"select {}":                   "select (no cases)",
		"make(chan int) <- 1":         "chan send",
		"<-make(chan int)":            "chan receive",
		"wg.Wait()":                   "sync.WaitGroup.Wait",
		"mu.Lock()":                   "sync.Mutex.Lock",
		"for range make(chan int) {}": "chan receive",
		"l, err := net.Listen(\"tcp\", \"localhost:0\")\nl.Accept()":           "IO wait",
		"func deep() { <-make(chan int) }\nfunc deeper() { deep() }\ndeeper()": "in deep",
	} {
		b.interrupts(source, state)
		b.ok("kept++\nkept > 1", "=> true")
	}
	b.interrupts("time.Sleep(0)\nregexp.MustCompile(\"(x+x+)+y\").MatchString(strings.Repeat(\"x\", 1<<26))", "computing")
	b.ok("kept > 1", "=> true")
	// A process that the cell waits for is interrupted, too; one of an earlier cell is not.
	b.ok("earlier := exec.Command(\"sleep\", \"600\")\nearlier.Start()", "")
	b.interrupts("exec.Command(\"sleep\", \"600\").Run()", "")
	b.ok("syscall.Kill(earlier.Process.Pid, 0) == nil", "=> true")
	b.Interrupt()
	b.fails("kept", "SessionDied", "interrupted once more")
	b.ok("1", "=> 1")
}

func TestDeath(t *testing.T) {
	b := newBook(t, func(c *Config) { c.MemoryLimit = 1 << 30 })
	for _, c := range []struct{ source, has string }{
		{"func f(n int) int { return f(n+1) + 1 }\nf(0)", "stack overflow"},
		{"syscall.Kill(os.Getpid(), syscall.SIGKILL)\nselect {}", "signal killed"},
		{"syscall.Kill(os.Getpid(), syscall.SIGSEGV)\nselect {}", "SIGSEGV"},
		{"var all [][]byte\nfor {\n\tb := make([]byte, 1<<24)\n\tfor i := range b {\n\t\tb[i] = 1\n\t}\n\tall = append(all, b)\n}", "more than 1024 MB"},
		{"syscall.Exit(3)", "status 3"},
	} {
		b.ok("kept := 1", "")
		b.fails(c.source, "SessionDied", c.has)
		b.fails("kept", "CompileError", "undefined: kept")
	}
}

func TestOutput(t *testing.T) {
	b := newBook(t, func(c *Config) { c.MaxOutput = 1 << 20 })
	b.ok("fmt.Println(strings.Repeat(\"日本語\", 40000))", strings.Repeat("日本語", 40000)+"\n")
	got, f := b.run("b := bytes.Repeat([]byte(\"0123456789abcde\\n\"), 1<<16)\nfor range 100 {\n\tos.Stdout.Write(b)\n}")
	if f != nil || !strings.Contains(got, "1 MB shown, the rest is in ") || len(got) > 1<<20+500 {
		t.Errorf("expected 1 MB and a line about the rest, got %d bytes, %v: …%s", len(got), f, got[max(0, len(got)-200):])
	}
	b.ok("os.Stdout.Write([]byte{0xff, 'a', 0xfe})", "\ufffda\ufffd")
	b.ok("exec.Command(\"sleep\", \"30\").Start()", "")
	b.ok("c := exec.Command(\"sh\", \"-c\", \"sleep 30; echo late\")\nc.Stdout = os.Stdout\nc.Start()", "")
	b.ok("1", "=> 1")
	b.input = func() { b.Input("some words") }
	b.ok("s := bufio.NewScanner(os.Stdin)\ns.Scan()\ns.Text()", "=> some words")
	b.input = func() { b.Input("some") }
	b.ok("var name string\nfmt.Scanln(&name)\nname", "=> some")
}

// TestPlaces: what is shown keeps its place, and marks of places hold nothing back,
// wherever they got to.
func TestPlaces(t *testing.T) {
	b := newBook(t)
	b.ok("os.Stdout.Write([]byte{0, 1})", "\x00\x01")
	b.ok("fmt.Println(\"a\")", "a\n")
	b.ok("os.Stdout.Write([]byte{0})", "\x00")
	b.ok("chart, err := viz.Lines(viz.LinesConfig{}, viz.Series{Y: []float64{1, 2}})", "")
	b.ok(`captured := filepath.Join(os.TempDir(), fmt.Sprint("gradbook-captured-", os.Getpid()))
file, err := os.Create(captured)
saved, err := syscall.Dup(1)
syscall.Dup3(int(file.Fd()), 1, 0)
viz.Show(chart)
viz.Show(chart)
syscall.Dup3(saved, 1, 0)
text, err := os.ReadFile(captured)
os.Remove(captured)
os.Stdout.Write(text)
fmt.Println("b")`, "b\n")
	b.ok("fmt.Println(\"c\")\nviz.Show(chart)\nfmt.Println(\"d\")", "c\nd\n")
	b.ok("gonbui.SendData(&protocol.DisplayData{Data: map[protocol.MIMEType]any{\"application/json\": math.NaN()}})\nfmt.Println(\"e\")", "e\n")
	b.ok("go func() {\n\ttime.Sleep(50 * time.Millisecond)\n\tviz.Show(chart)\n}()\nfmt.Println(\"f\")", "f\n")
	b.ok("time.Sleep(200 * time.Millisecond)\nfmt.Println(\"g\")", "g\n")
}

// TestNames: what a name means when it changes what it is, or is taken by others.
func TestNames(t *testing.T) {
	b := newBook(t)
	b.ok("Count := 3\nErrA := errors.New(\"a\")", "")
	b.ok("start := time.Now()\nvar sb strings.Builder\nsb.WriteString(\"x\")\nsb.Len()", "=> 1")
	b.ok("var ()\n1", "=> 1")
	b.ok("x := 3", "")
	b.ok("x := strings.Repeat(\"a\", x)\nx", "=> aaa")
	b.ok("x := []string{\"aaa\"}\nfunc show() string { return x[0] }\nx", "=> [aaa]")
	b.ok("show()", "=> aaa")
	b.ok("y := 1", "")
	b.ok("y := \"s\"\nfunc f() string { return y }\nf()", "=> s")
	b.ok("const n = 3\nfunc g() int { return n }", "")
	b.ok("n := 10\nn", "=> 10")
	b.ok("g()", "=> 10")
	b.ok("// main is it\nfunc main() { fmt.Println(\"main\") }", "main\n")
	b.ok("// init sets up\nfunc init() { fmt.Println(\"init\") }", "init\n")
	b.ok("var errB = errors.New(\"b\")\nfmt.Println(\"hi\")", "hi\n")
	b.fails("a, err := strconv.Atoi(\"x\")", "Error", "invalid syntax")
	b.ok("strings := strings.Split(\"a b\", \" \")\nstrings", "=> [a b]")
	b.ok("len(strings)", "=> 2")
	b.ok("import s \"strings\"\ns.ToUpper(\"a\")", "=> A")
	b.ok("import u \"strings\"\ns.ToUpper(u.ToLower(\"x\"))", "=> X")
	b.ok("import . \"math\"\nSqrt(16)", "=> 4")
	b.ok("type point struct{ a int }", "")
	b.ok("type point struct{ a, b int }\nv := struct {\n\tpoint int\n\tq     point\n}{1, point{2, 3}}", "")
	b.ok("v.point + v.q.b", "=> 4")
	b.ok("h := func(ps ...point) int { return len(ps) }\nh(point{}, point{})", "=> 2")
	b.ok("type A struct{ x int }", "")
	b.ok("var aa = A{1}\nfunc (a A) get() int { return a.x }", "")
	b.ok("type A struct{ y string }", "aa is gone: its initial value does not fit the changed type\nA.get is gone: it does not fit the new A\n")
	b.ok("var w = A{\"y\"}\nw.y", "=> y")
	b.ok("k, le := 1, binary.LittleEndian\nk", "=> 1")
	b.ok("func boom() { panic(\"x\") }\ngo boom()\ntime.Sleep(500 * time.Millisecond)", "goroutine: panic: x\n    cell[31]:1 in boom\n")
	b.ok("Count /* a\ncomment */", "=> 3")
	b.ok("z := 1 /* a\ncomment */\nz", "=> 1")
	b.ok("%%\nlocal := 3\nfmt.Println(local)", "3\n")
	b.fails("local", "CompileError", "undefined: local")
	// A name of several packages is the same one in a declaration and where it is used.
	b.ok("func draw(r *rand.Rand) *rand.Rand { return r }", "")
	b.ok("dice := rand.New(rand.NewPCG(1, 2))", "")
	b.ok("draw(dice) == dice", "=> true")
}

func TestEmbedAndInit(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hello.txt"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBook(t)
	b.builder.Set(func(s *toolchain.Settings) { s.Dir = dir })
	b.ok("//go:embed hello.txt\nvar greeting string", "")
	b.ok("greeting", "=> hello")
	b.fails("//go:embed nowhere.txt\nvar other string", "BuildError", "nowhere.txt")
	b.ok("var order []string\nfunc init() { order = append(order, \"init\") }", "")
	b.ok("order", "=> [init]")
	b.ok("var a = b + 1\nvar b = 2", "")
	b.ok("a", "=> 3")
	b.ok("ticks := make(chan int)\ngo func() {\n\tfor i := range 1000 {\n\t\tticks <- i\n\t}\n}()", "")
	b.ok("<-ticks + <-ticks", "=> 1")
}

// TestMethods: a type that gets methods keeps its values where they are.
func TestMethods(t *testing.T) {
	b := newBook(t)
	b.ok("type T struct{ n int }\nt := T{1}\nvar u = T{7}", "")
	b.ok("p := &t", "")
	b.ok("func (t *T) add(i int) { t.n += i }", "")
	b.ok("p.n = 5\nt.add(1)\nt.n + p.n", "=> 12")
	b.ok("func (t T) get() int { return t.n }\nt.get() + u.get()", "=> 13")
	b.ok("p.add(1)\nt.get()", "=> 7")
	b.ok("t = T{3}\np.get()", "=> 3")
	b.ok("t := T{4}\np.get()", "=> 4")
	b.ok("var u = T{8}\nu.get()", "=> 8")
	b.ok("func (t T) get() int { return 100 + t.n }", "")
	b.ok("t.get() + p.get()", "=> 208")
	b.ok("list := []T{{1}, {2}}\nm := map[string]*T{\"a\": &list[0]}", "")
	b.ok("func (t T) twice() int { return 2 * t.n }", "")
	b.ok("m[\"a\"].n = 9\nlist[0].twice() + m[\"a\"].twice()", "=> 36")
}

// Values that are in interfaces have the methods that their types get, whatever they are
// a part of.
func TestMethodsOfValues(t *testing.T) {
	b := newBook(t)
	b.ok("type T struct{ a int }\nj0 := any([]T{{1}})\nj1 := any(T{1})", "")
	b.ok("func (x T) m() int { return x.a }", "")
	b.ok("_, a := j0.([]T)\n_, c := j1.(interface{ m() int })\nfmt.Println(a, c)", "true true\n")
	b.ok("type G[E any] struct{ v E }\nvar j2, j3 any = G[int]{1}, struct{ a G[T]; b, c int }{}", "")
	b.ok("func (x G[E]) get() E { return x.v }", "")
	const still = "_, d := j2.(interface{ get() int })\n_, e := j3.(struct{ a G[T]; b, c int })\n_, f := j2.(G[int])\nfmt.Println(d, e, f)"
	b.ok(still, "true true true\n")
	b.ok("func (x G[E]) get() E { return x.v }\nfunc (T) m2() {}", "")
	b.ok(still, "true true true\n")
	b.ok("var j4 any = map[string]G[T]{}\nj5 := any(func(...T) {})\nj6 := any(make(chan *T))", "")
	b.ok("func (x G[E]) set() E { return x.v }\nfunc (T) m3() {}", "")
	b.ok("_, d := j4.(map[string]G[T])\n_, e := j5.(func(...T))\n_, f := j6.(chan *T)\nfmt.Println(d, e, f)", "true true true\n")
}

// So have those in interfaces with methods, to which cells before and after bring tables.
func TestMethodsOfInterfaces(t *testing.T) {
	b := newBook(t)
	b.ok("type W struct{ n int }\nfunc (w *W) Write(p []byte) (int, error) { w.n += len(p); return len(p), nil }\nw := &W{}\nvar out io.Writer = w", "")
	b.ok("func (w *W) Close() error { return nil }", "")
	const still = "_, is := out.(*W)\nkind := ``\nswitch out.(type) {\ncase *W:\n\tkind = `W`\n}\nfmt.Println(is, kind, out == io.Writer(w))"
	b.ok(still, "true W true\n")
	b.ok("var closer io.WriteCloser = w\ncloser == out", "=> true")
	b.ok("func (w *W) Sync() error { return nil }", "")
	b.ok(still, "true W true\n")
	b.ok("_, is = closer.(interface{ Sync() error })\nfmt.Println(is, closer == io.WriteCloser(w), closer == out)", "true true true\n")
}

// A variable that a cell gives another value, and its type other methods, stays where it
// is; of another type, it is another.
func TestMovedAndSet(t *testing.T) {
	b := newBook(t)
	b.ok("type T struct{ a int }\ntype U struct{ b int }\nfunc (x T) m() int { return x.a }\nt := T{1}\np := &t", "")
	b.ok("t := T{2}\nfunc (x T) m() int { return 10 * x.a }\np.m()", "=> 20")
	b.ok("t := T{3}\nfunc (x T) m() int { return 10 * t.a }\nfunc get() int { return t.a }\nfmt.Println(p.m(), get())", "30 3\n")
	b.ok("var t = T{5}\nfunc (x T) m() int { return 7 * t.a }\np.m()", "=> 35")
	b.ok("var t T\nfunc (x T) m() int { return t.a + 1 }\np.m()", "=> 1")
	b.ok("t.a = 3", "")
	b.ok("t := U{t.a + 1}\nfunc (x T) m() int { return 0 }\nt.b", "=> 4")
	b.ok("p.a", "=> 3")
	b.ok("f := func() func(int) int { return func(int) int { return 1 } }()\nq := &f", "")
	b.ok("f := func(a int) int { return a }\n(*q)(5)", "=> 5")
}

// A library brings tables of methods that the runtime has made already. They are counted
// once when the runtime needs a larger table of them.
func TestManyMethodTables(t *testing.T) {
	b := newBook(t)
	b.ok("type T struct{ a int }\nfunc (T) String() string { return `T` }\nvar v any = T{}\n_, is := v.(fmt.Stringer)\nis", "=> true")
	b.ok("var s fmt.Stringer = T{}\ns == v", "=> true")
	var many strings.Builder
	for i := range 600 {
		fmt.Fprintf(&many, "type t%d int\nfunc (t%d) String() string { return `` }\n", i, i)
	}
	many.WriteString("n := 0\nfor _, v := range []any{")
	for i := range 600 {
		fmt.Fprintf(&many, "t%d(0), ", i)
	}
	many.WriteString("} {\n\tif _, is := v.(fmt.Stringer); is {\n\t\tn++\n\t}\n}\nn")
	b.ok(many.String(), "=> 600")
	b.ok("_, is = v.(fmt.Stringer)\nfmt.Println(is, s == v)", "true true\n")
}

// A type that reflect has made before is found by a type switch, which begins by a hash.
func TestSwitchOnMadeTypes(t *testing.T) {
	b := newBook(t)
	b.ok("type T struct{ a int }\nfunc (T) String() string { return `T` }\ns := reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(T{})), 2, 2).Interface()", "")
	b.ok("var is string\nswitch s.(type) {\ncase int, string, []int, []string, float64:\ncase []float64:\ncase []T:\n\tis = `[]T`\ncase map[string]T, chan T:\n}\nis", "=> []T")
}

// A package of a module that a person edits is what it is now at the next cell.
func TestEditedModule(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module notebook\n\ngo 1.26\n\nrequire example.com/local v0.0.0\n\nreplace example.com/local => ./local\n")
	write("local/go.mod", "module example.com/local\n\ngo 1.26\n")
	write("local/local.go", "package local\n\nfunc F() int { return 1 }\n")
	b := newBook(t)
	b.Builder().Set(func(s *toolchain.Settings) { s.Module = func() (string, error) { return dir, nil } })
	b.ok("import \"example.com/local\"\nlocal.F()", "=> 1")
	write("local/local.go", "package local\n\nfunc F() int { return 2222 }\n")
	b.ok("local.F()", "example.com/local: compiled as edited\n=> 2222")
	b.ok("local.F()", "=> 2222")
	if err := b.Restart(); err != nil {
		t.Fatal(err)
	}
	b.ok("import \"example.com/local\"\nlocal.F()", "=> 2222")
}
