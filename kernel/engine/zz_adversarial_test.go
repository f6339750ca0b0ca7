package engine

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// cases file: "=== name", cells separated by "---", expectation line ">>> text" (\n escaped); ">>>! text" failure containing.
func TestZZ(t *testing.T) {
	raw, _ := os.ReadFile(os.Getenv("ZZ"))
	for _, cs := range strings.Split("\n"+string(raw), "\n=== ")[1:] {
		name, rest, _ := strings.Cut(cs, "\n")
		func() {
			b := newBook(t)
			var log strings.Builder
			bad := false
			defer func() {
				if r := recover(); r != nil {
					fmt.Printf("##### %s: KERNEL PANIC %v\n%s", name, r, log.String())
				} else if bad {
					fmt.Printf("##### %s\n%s", name, log.String())
				}
			}()
			for _, c := range strings.Split(rest, "\n---\n") {
				src, want, _ := strings.Cut(c, "\n>>>")
				want = strings.TrimSuffix(want, "\n")
				got, f := b.run(src)
				res := strings.ReplaceAll(got, "\n", `\n`)
				pass := true
				if f != nil {
					res = "FAIL " + f.Name + ": " + f.Value + " | " + strings.Join(f.Traceback, " / ")
				}
				if w, ok := strings.CutPrefix(want, "!"); ok {
					pass = f != nil && strings.Contains(res, strings.TrimSpace(w))
				} else if f != nil {
					pass = false
				} else if strings.TrimSpace(want) != strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(res, "=> "), `\n`)) {
					pass = false
				}
				mark := "   "
				if !pass {
					bad, mark = true, "BAD"
				}
				fmt.Fprintf(&log, "%s [%s]\n      want %q got %q\n", mark, strings.ReplaceAll(src, "\n", " ⏎ "), want, res)
			}
		}()
	}
}
