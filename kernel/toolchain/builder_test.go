package toolchain

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// builder is one for the host that the environment asks for.
func builder(t testing.TB) *Builder {
	t.Helper()
	workspace, err := filepath.Abs("../../.gradbook/workspace")
	if err != nil {
		t.Fatal(err)
	}
	ways, err := Ways()
	if err != nil {
		t.Fatal(err)
	}
	if len(ways) == 0 {
		t.Skip("cells cannot be loaded into a session on this platform")
	}
	b, err := NewBuilder(workspace, filepath.Join(t.TempDir(), "cells"), ways...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// build builds a cell with some imports and statements.
func build(t testing.TB, b *Builder, n int, imports []string, body string) (string, error) {
	t.Helper()
	var source strings.Builder
	source.WriteString("package main\n")
	for _, path := range imports {
		fmt.Fprintf(&source, "import %q\n", path)
	}
	fmt.Fprintf(&source, "func Runʹ%d() {\n//line cell[%d]:1:1\n%s\n}\n", n, n, body)
	for _, path := range imports {
		if _, err := b.Packages(t.Context()).Import(path); err != nil {
			t.Fatal(err)
		}
	}
	return b.Build(t.Context(), n, []byte(source.String()), nil)
}

func TestBuild(t *testing.T) {
	b := builder(t)
	for name, c := range map[string]struct {
		imports []string
		body    string
	}{
		"nothing":         {nil, ""},
		"its own symbols": {[]string{"fmt"}, "fmt.Println(`go:plugin.tabs`, `go:plugin.exports`, `main.go`)"},
		"a function that is too big for much to be inlined": {[]string{"bytes", "math", "sort", "strings", "sync", "time"}, "var b bytes.Buffer\nvar mu sync.Mutex\n" +
			strings.Repeat("mu.Lock(); b.WriteByte(1); b.Reset(); sort.Ints(nil); _ = strings.ToUpper(``) + time.Duration(b.Len()).String(); _ = math.Abs(1); _ = min(b.Cap(), 3); mu.Unlock()\n", 1000)},
		"generic functions": {[]string{"cmp", "maps", "slices"}, "m := map[[2]string]func() int{}\n_ = slices.Collect(maps.Keys(m))\n_ = cmp.Or([2]string{}, [2]string{`a`})\n" +
			"slices.SortFunc([]struct{ a int8 }{}, func(a, b struct{ a int8 }) int { return cmp.Compare(a.a, b.a) })"},
		"atomic values": {[]string{"sync/atomic"}, "type t struct{ a [3]complex64 }\nvar v atomic.Pointer[t]\nv.CompareAndSwap(nil, &t{})"},
		"a model":       {[]string{"github.com/gradbook/gradbook/dl"}, "_ = dl.Sequential"},
	} {
		t.Run(name, func(t *testing.T) {
			library, err := build(t, b, len(name), c.imports, c.body)
			if err != nil {
				t.Fatal(err)
			}
			left, err := os.ReadDir(filepath.Dir(library))
			if err != nil {
				t.Fatal(err)
			}
			if len(left) != 2 || library != b.Library(len(name)) {
				t.Errorf("%s: left are %v", library, left)
			}
		})
	}
}

// A mistake that only the compiler finds is told of with its place in the cell.
func TestCompileError(t *testing.T) {
	_, err := build(t, builder(t), 3, nil, "\nx := 1")
	var mistake *CompileError
	if !errors.As(err, &mistake) || !strings.Contains(mistake.Output, "cell[3]:2:1: declared and not used: x") {
		t.Errorf("got %v", err)
	}
}

// An interrupt ends a build.
func TestInterruptedBuild(t *testing.T) {
	b := builder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Build(ctx, 1, []byte("package main\nfunc Runʹ1() {}\n"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// What of a package cannot be imported is said.
func TestImport(t *testing.T) {
	p := builder(t).Packages(t.Context())
	for path, want := range map[string]string{
		"unsafe": "", "net/http": "", "github.com/gradbook/gradbook/dl": "",
		"no/such": "package no/such is not in std", "C": "C", "runtime/internal/nosuch": "not in std",
	} {
		_, err := p.Import(path)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	names := p.Names()
	for path, want := range map[string]string{"unsafe": "unsafe", "math/rand/v2": "rand", "internal/abi": "", "C": ""} {
		if names[path] != want {
			t.Errorf("%s has the name %q, want %q", path, names[path], want)
		}
	}
}

// Cells are built with what the host was built with, whatever the user's environment says.
func TestUsersEnvironment(t *testing.T) {
	for _, kv := range []string{
		"GOAMD64=v3", "GOOS=plan9", "GOARCH=riscv64", "GOEXPERIMENT=rangefunc,nogreenteagc", "GOFLAGS=-mod=vendor -race", "GO111MODULE=off", "GOWORK=/no/such/go.work", "CGO_ENABLED=0", "GODEBUG=x=y",
	} {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	if _, err := build(t, builder(t), 1, []string{"fmt", "github.com/gradbook/gradbook/viz"}, "fmt.Println(viz.Rich(3))"); err != nil {
		t.Error(err)
	}
	t.Setenv("GOFLAGS", "-modcacherw -p=1 -trimpath")
	if got := goFlags(); got != "-buildvcs=false -modcacherw -p=1" {
		t.Errorf("of the user's flags there are left %q", got)
	}
}

func TestWays(t *testing.T) {
	if !Supported() {
		t.Skip("cells cannot be loaded into a session on this platform")
	}
	t.Setenv(WayEnv, "plugin")
	if ways, err := Ways(); err != nil || len(ways) != 1 || ways[0] != Plugin {
		t.Errorf("got %v, %v", ways, err)
	}
	t.Setenv(WayEnv, "nosuch")
	if ways, err := Ways(); err == nil || !strings.Contains(err.Error(), `GRADBOOK_LINKER: expected one of [`) {
		t.Errorf("got %v, %v", ways, err)
	}
	if _, err := NewBuilder(t.TempDir(), t.TempDir(), Shared, Plugin); err == nil || !strings.Contains(err.Error(), "run: make setup") {
		t.Errorf("without a host: got %v", err)
	}
}

// The linker makes the same object with a stub of what a cell refers to as with one of
// all that the session has.
func TestStub(t *testing.T) {
	b := builder(t)
	l, ok := b.linker.(sharedLinker)
	if !ok {
		t.Skip("there are stubs only where cells are linked as shared libraries")
	}
	for name, body := range map[string]string{
		"calls":      "fmt.Println(strings.ToUpper(`a`), 3)",
		"types":      "type p struct{ a []map[string]any; b http.Request }\nvar v any = []p{}\n_, ok := v.(interface{ String() string })\nfmt.Println(v, ok, [3]http.Header{}, strings.Builder{})",
		"goroutines": "c := make(chan error)\ngo func() { defer close(c); select {} }()\nfor range c { fmt.Println(http.Get(strings.Repeat(`a`, 2))) }",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			config, _ := b.linkConfig()
			p := Piece{N: 1, Dir: dir, Archive: "cell.a", Config: config}
			for file, content := range map[string]string{
				"compile.cfg": string(b.compileConfig()), "main.go": l.Companion(1),
				"cell.go": "package main\nimport (\n\"fmt\"\n\"strings\"\n\"net/http\"\n)\nvar _ http.Header\nfunc Runʹ1() {\n" + body + "\n}\n",
			} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if out, err := b.tool(t.Context(), dir, "compile", "-dynlink", "-linkshared", "-complete", "-pack", "-p", CellPath, "-importcfg", "compile.cfg", "-o", p.Archive, "main.go", "cell.go"); err != nil {
				t.Fatal(out)
			}
			names, err := l.prepare(p)
			if err != nil {
				t.Fatal(err)
			}
			var objects [][]string
			for _, names := range [][]string{names, nil} {
				if out, err := l.goLink(t.Context(), p, names); err != nil {
					t.Fatal(out)
				}
				objects = append(objects, outline(t, p.path("go.o")))
			}
			for i, whose := range []string{"what a cell refers to", "all symbols"} {
				for _, line := range objects[i] {
					if !slices.Contains(objects[1-i], line) {
						t.Errorf("only with %s: %s", whose, line)
					}
				}
			}
		})
	}
}

// outline is what an object has, in whatever order: its symbols and its code.
func outline(t *testing.T, path string) []string {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := f.Section(".text").Data()
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{fmt.Sprintf("%x", text)}
	for _, s := range symbols {
		if !strings.HasPrefix(s.Name, "go:") && s.Name != "" {
			lines = append(lines, fmt.Sprint(s.Name, s.Size, s.Info, s.Section == elf.SHN_UNDEF))
		}
	}
	return lines
}

// BenchmarkBuild measures what a cell takes to be built.
func BenchmarkBuild(b *testing.B) {
	for name, imports := range map[string][]string{"fmt": {"fmt"}, "http": {"net/http"}, "dl": {"github.com/gradbook/gradbook/dl"}} {
		b.Run(name, func(b *testing.B) {
			builder := builder(b)
			body := "_ = " + map[string]string{"fmt": "fmt.Print", "http": "http.Get", "dl": "dl.Sequential"}[name]
			for n := 1; b.Loop(); n++ {
				if _, err := build(b, builder, n, imports, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
