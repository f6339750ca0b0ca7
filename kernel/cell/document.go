package cell

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Context is what a cell sees of the notebook: enough to complete its code.
type Context struct {
	// Imports are paths by local name.
	Imports map[string]string
	// Body declares everything else.
	Body string
	// Names are the names that are declared.
	Names map[string]bool

	notebook *Notebook
}

// Context returns what a cell sees now.
func (n *Notebook) Context() *Context {
	c := &Context{Imports: maps.Clone(n.imports), Names: map[string]bool{}, notebook: n}
	byPath := map[string]string{}
	for name, path := range c.Imports {
		byPath[path] = name
	}
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(n.decls)) {
		if d := n.decls[key]; d.kind != varDecl {
			b.WriteString(d.text + "\n\n")
			for _, name := range d.names {
				c.Names[name] = true
			}
		}
	}
	for _, name := range n.Variables() {
		fmt.Fprintf(&b, "var %s %s\n", name, typeText(n.vars[name].typ, plainAliases(byPath)))
		c.Names[name] = true
	}
	for path, name := range byPath {
		c.Imports[name] = path
	}
	c.Body = b.String()
	return c
}

var qualifier = regexp.MustCompile(`\b([a-z]\w*)\.`)

// Document puts a cell's code, which may be in the middle of being written, into
// a Go file, and says where an offset in the code is in the file.
func (c *Context) Document(code string, offset int, packages Packages) (file string, at int) {
	imports := maps.Clone(c.Imports)
	own := DeclaredNames(code)
	for _, m := range qualifier.FindAllStringSubmatch(code, -1) {
		name := m[1]
		if imports[name] != "" || c.Names[name] || own[name] || regexp.MustCompile(`\b`+name+`\b[^=\n]*:=`).MatchString(code) {
			continue
		}
		finder := composition{notebook: &Notebook{packages: packages}}
		if path := finder.find(name, nil); path != "" {
			imports[name] = path
		}
	}
	var b strings.Builder
	b.WriteString("package main\n\n")
	names := slices.Sorted(maps.Keys(imports))
	for _, name := range names {
		fmt.Fprintf(&b, "import %s %q\n", name, imports[name])
	}
	at = -1
	chunks, starts := splitAt(code)
	write := func(i int) {
		start := starts[i]
		end := len(code)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		if offset >= start && (offset < end || i == len(chunks)-1) {
			at = b.Len() + offset - start
		}
		b.WriteString(code[start:end] + "\n")
	}
	for i, k := range chunks {
		if k.kind == importDecl {
			write(i)
		}
	}
	for _, d := range strings.Split(c.Body, "\n\n") {
		if !redeclares(d, own) {
			b.WriteString(d + "\n\n")
		}
	}
	for i, k := range chunks {
		if k.kind != importDecl && k.kind != statement {
			write(i)
		}
	}
	b.WriteString("func main() {\n")
	for i, k := range chunks {
		if k.kind == statement {
			write(i)
		}
	}
	if at < 0 {
		at = b.Len()
	}
	b.WriteString("\n}\n")
	return b.String(), at
}

func redeclares(text string, names map[string]bool) bool {
	for name := range DeclaredNames(text) {
		if names[name] && !strings.Contains(name, ".") {
			return true
		}
	}
	return false
}

// splitAt splits code and says where each chunk begins.
func splitAt(code string) ([]chunk, []int) {
	chunks := split(code, 0)
	starts := make([]int, len(chunks))
	at := 0
	for i, c := range chunks {
		if found := strings.Index(code[at:], c.text); found >= 0 && i > 0 {
			starts[i] = at + found
			at = starts[i] + len(c.text)
		} else if found >= 0 {
			at = found + len(c.text)
		}
	}
	return chunks, starts
}
