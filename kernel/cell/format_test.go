package cell_test

import (
	"testing"

	"github.com/gradbook/gradbook/kernel/cell"
)

func TestFormat(t *testing.T) {
	for text, want := range map[string]string{
		"x:=1":             "x := 1",
		"x:=1\ny  := x+ 2": "x := 1\ny := x + 2",
		"func f( a int )int{\nreturn a\n}\nx:=f( 1 )\nx": "func f(a int) int {\n\treturn a\n}\nx := f(1)\nx",
		"x :=1 // one\n// two\nfunc g(){}\n\n\n// three": "x := 1 // one\n// two\nfunc g() {}\n\n// three",
		"import \"fmt\"\nfmt.Println( 1,2 )":             "import \"fmt\"\nfmt.Println(1, 2)",
		"type p struct{a,b int}\nif x{\ny()\n}":          "type p struct{ a, b int }\nif x {\n\ty()\n}",
		"":                                               "",
	} {
		got, err := cell.Format(text)
		if err != nil || got != want {
			t.Errorf("%q: expected %q, got %q, %v", text, want, got, err)
		}
		if again, err := cell.Format(got); err != nil || again != got {
			t.Errorf("%q: expected what is formatted to stay, got %q, %v", got, again, err)
		}
	}
	if _, err := cell.Format("x := 1\ny := ("); err == nil {
		t.Error("expected what is no Go to be refused")
	}
}
