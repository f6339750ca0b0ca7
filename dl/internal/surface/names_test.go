package surface

import (
	"go/types"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/gradbook/gradbook/dl" // it registers all
	"github.com/gradbook/gradbook/dl/internal/config"
)

var overview = filepath.Join(root, "docs", "dl.md")

// Between these docs/dl.md lists what there is.
const (
	listBegins = "<!-- written by make api -->\n"
	listEnds   = "<!-- until here -->\n"
)

// TestNames: docs/dl.md lists what is registered, and the functions and callbacks beside.
func TestNames(t *testing.T) {
	p := load(t)
	own := config.Own()
	for _, name := range []string{"dl/callbacks", "dl/ops", "datasets"} {
		own[Module+"/"+name] = beside(t, p, Module+"/"+name)
	}
	delete(own, Module+"/dl/internal/operation") // what dl/ops computes with
	var list strings.Builder
	list.WriteString("| Package | What is in it |\n|---|---|\n")
	for _, name := range []string{
		"dl/layers", "dl/activations", "dl/losses", "dl/metrics", "dl/optimizers", "dl/schedules", "dl/callbacks",
		"dl/initializers", "dl/regularizers", "dl/constraints", "dl/ops", "datasets",
	} {
		names := own[Module+"/"+name]
		if len(names) == 0 {
			t.Fatalf("expected something in %s, got nothing", name)
		}
		list.WriteString("| `" + path.Base(name) + "` | " + strings.Join(names, ", ") + " |\n")
		delete(own, Module+"/"+name)
	}
	for name := range own {
		t.Errorf("docs/dl.md does not list package %s, where something is registered", name)
	}
	text, err := os.ReadFile(overview)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), listBegins)
	was, after, ends := strings.Cut(rest, listEnds)
	if !begins || !ends {
		t.Fatalf("expected %q and %q in docs/dl.md", listBegins, listEnds)
	}
	if *update {
		if err := os.WriteFile(overview, []byte(before+listBegins+list.String()+listEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if was != list.String() {
		t.Errorf("docs/dl.md lists other names; write it anew: make api. Expected\n%s", list.String())
	}
}

// beside are a package's functions, or, where it has the interface, its Callbacks.
func beside(t *testing.T, p *Packages, path string) (names []string) {
	t.Helper()
	pkg, err := p.Import(path)
	if err != nil {
		t.Fatal(err)
	}
	callback := pkg.Scope().Lookup("Callback")
	for _, name := range pkg.Scope().Names() {
		o := pkg.Scope().Lookup(name)
		if !o.Exported() || name == "Base" {
			continue
		}
		switch o := o.(type) {
		case *types.Func:
			if callback == nil {
				names = append(names, name)
			}
		case *types.TypeName:
			if callback != nil && o != callback && types.Implements(types.NewPointer(o.Type()), callback.Type().Underlying().(*types.Interface)) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}
