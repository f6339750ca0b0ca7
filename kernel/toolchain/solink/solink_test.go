package solink

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// source is C with what an object can ask a linker for: variables of its own, hidden and
// not, zeros, constants, tables of addresses, calls within and without, and a function that
// runs when it is loaded. There are many names, so that the loader's table is a real one.
func source() string {
	var b strings.Builder
	b.WriteString(`
extern int puts(const char *);
extern int given(int);
extern int outside;
static int hidden = 7;
int shown = 5, zeros[1000];
static int twice(int x) { return 2 * x; }
__attribute__((visibility("hidden"))) int within(int x) { return twice(x) + hidden; }
int (*const table[])(int) = {within, twice, given};
int *pointers[] = {&hidden, &shown, &outside, zeros + 999};
__attribute__((constructor)) static void begin(void) { zeros[999] = 11; }
int all(int x) {
	int sum = 0;
	for (int i = 0; i < 3; i++) sum = 10 * sum + table[i](x);
	for (int i = 0; i < 4; i++) sum += *pointers[i];
	return sum + shown;
}
`)
	for i := range 300 {
		fmt.Fprintf(&b, "int number%d(void) { return %d; }\n", i, i)
	}
	return b.String()
}

const program = `
#include <dlfcn.h>
#include <stdio.h>
int outside = 3;
int given(int x) { return x + 1; }
int main(int n, char **args) {
	void *l = dlopen(args[1], RTLD_NOW | RTLD_GLOBAL);
	if (!l) { puts(dlerror()); return 1; }
	int (*all)(int) = dlsym(l, "all");
	printf("%d", all(1));
	for (int i = 0; i < 300; i++) {
		char name[20];
		sprintf(name, "number%d", i);
		int (*f)(void) = dlsym(l, name);
		if (!f || f() != i) { printf(" %s is missing", name); }
	}
	if (dlsym(l, "within") || dlsym(l, "number300")) printf(" too much");
	puts("");
}
`

func cc(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("cc", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cc %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestLink: the system's loader takes what is made as it takes ld's.
func TestLink(t *testing.T) {
	if _, err := exec.LookPath("cc"); err != nil || runtime.GOOS != "linux" {
		t.Skip("no C compiler that makes ELF")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"lib.c": source(), "main.c": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cc(t, dir, "-O1", "-fPIC", "-fno-plt", "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-c", "lib.c", "-o", "noplt.o")
	cc(t, dir, "-O1", "-fPIC", "-fno-asynchronous-unwind-tables", "-c", "lib.c", "-o", "plt.o")
	cc(t, dir, "-rdynamic", "main.c", "-o", "main", "-ldl")
	cc(t, dir, "-shared", "plt.o", "-o", "ld.so")
	for _, name := range []string{"plt", "noplt"} {
		object, err := os.ReadFile(filepath.Join(dir, name+".o"))
		if err != nil {
			t.Fatal(err)
		}
		library, imported, err := Link(object)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(imported)
		if want := []string{"given", "outside"}; !slices.Equal(imported, want) {
			t.Errorf("%s: expected it to ask for %v, got %v", name, want, imported)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".so"), library, 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := elf.NewFile(bytes.NewReader(library)); err != nil || f.Type != elf.ET_DYN {
			t.Errorf("%s: expected a library, got %v", name, err)
		}
	}
	for _, name := range []string{"ld", "plt", "noplt"} {
		out, err := exec.Command(filepath.Join(dir, "main"), filepath.Join(dir, name+".so")).CombinedOutput()
		// all(1): within 9, twice 2, given 2, so 922; 7, 5, 3 and 11 more; and 5.
		if err != nil || string(out) != "953\n" {
			t.Errorf("%s: expected 953, got %q, %v", name, out, err)
		}
	}
}

// TestUnsupported: what is not known is refused, and never linked wrongly.
func TestUnsupported(t *testing.T) {
	for _, content := range []string{"", "\x7fELF", strings.Repeat("\x7fELF", 100)} {
		if _, _, err := Link([]byte(content)); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%.10q: expected it to be unsupported, got %v", content, err)
		}
	}
	if _, err := exec.LookPath("cc"); err != nil || runtime.GOOS != "linux" {
		t.Skip("no C compiler that makes ELF")
	}
	for what, text := range map[string]string{
		"a common symbol":        "int common; int f(void) { return common; }",
		"what each thread has":   "extern __thread int t; int *f(void) { return &t; }",
		"an address among code":  `__asm__(".text\n.global f\nf: .quad g\n");`,
		"a distance to a symbol": `__asm__(".text\n.global f\nf: .long g - .\n");`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x.c"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cc(t, dir, "-fPIC", "-fcommon", "-c", "x.c")
		object, err := os.ReadFile(filepath.Join(dir, "x.o"))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := Link(object); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: expected it to be unsupported, got %v", what, err)
		}
	}
}
