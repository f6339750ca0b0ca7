package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// The mistakes that there are hints for, in go/types' words.
var (
	undefinedIn   = regexp.MustCompile(`^undefined: (\w+)\.(\w+)$`)
	undefinedName = regexp.MustCompile(`^undefined: (\w+)$`)
	unknownField  = regexp.MustCompile(`^unknown field (\w+) in struct literal`)
	noFieldOrFunc = regexp.MustCompile(`^\S+ undefined \(type .* has no field or method (\w+)`)
	wrongString   = regexp.MustCompile(`^cannot use ("(?:[^"\\]|\\.)*") .* as (\w+)\.(\w+) value in `)
	noPower       = regexp.MustCompile(`cannot indirect [0-9.]+ `)
	noIndex       = regexp.MustCompile(`cannot index .*data\.Dataset\)`)
)

// hint is a sentence that leads on from a mistake; "" if there is none.
func (k *checker) hint(e types.Error) string {
	switch {
	case undefinedIn.MatchString(e.Msg):
		m := undefinedIn.FindStringSubmatch(e.Msg)
		return k.ofPackage(m[1], m[2])
	case undefinedName.MatchString(e.Msg):
		return k.ofName(undefinedName.FindStringSubmatch(e.Msg)[1], e.Pos)
	case unknownField.MatchString(e.Msg):
		return didYouMean(nearest(unknownField.FindStringSubmatch(e.Msg)[1], k.fieldsAt(e.Pos)))
	case noFieldOrFunc.MatchString(e.Msg):
		return didYouMean(nearest(noFieldOrFunc.FindStringSubmatch(e.Msg)[1], k.membersBefore(e.Pos)))
	case wrongString.MatchString(e.Msg):
		m := wrongString.FindStringSubmatch(e.Msg)
		return k.insteadOfString(strings.Trim(m[1], `"`), m[2], m[3])
	case noPower.MatchString(e.Msg):
		return "a power is math.Pow(x, 2)"
	case noIndex.MatchString(e.Msg):
		return "a dataset's examples come from Batches, Images or Labels; of some of them, Take(1) and Select(3) are datasets"
	}
	return ""
}

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return "did you mean " + name + "?"
}

// plain is a name without what spellings differ in: Keras's kernel_size is Go's KernelSize.
func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// nearest is the candidate that is most like a name; "" if none is much like it.
func nearest(name string, candidates []string) string {
	best, least := "", max(len(name)/3, 1)+1
	for _, c := range candidates {
		if c == name {
			continue
		}
		d := levenshtein.ComputeDistance(plain(name), plain(c))
		if d < least || d == least && best != "" && len(c) > len(best) {
			best, least = c, d
		}
	}
	return best
}

// ofPackage looks for a name that a package does not export: in it, and in Gradbook's others.
func (k *checker) ofPackage(name, missing string) string {
	path := k.imports.byName[name]
	if path == "" {
		return ""
	}
	own := nearest(missing, k.exported(path))
	if plain(own) == plain(missing) {
		return didYouMean(name + "." + own)
	}
	if other := k.elsewhere(missing); other != "" {
		return didYouMean(other)
	}
	if own == "" {
		return ""
	}
	return didYouMean(name + "." + own)
}

// exported are the names that a package exports.
func (k *checker) exported(path string) []string {
	p, err := k.packages.Import(path)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(p.Scope().Names(), func(n string) bool { return !token.IsExported(n) })
}

// home are Gradbook's packages in which names of Keras are looked for.
const home = "github.com/gradbook/gradbook/"

// homes are those packages, by path.
func (k *checker) homes() map[string]string {
	all := map[string]string{}
	for path, name := range k.packages.Names() {
		if rest, ok := strings.CutPrefix(path, home); ok && !strings.Contains(rest, "internal") && !strings.HasPrefix(rest, "kernel") && !strings.HasPrefix(rest, "cmd") {
			all[path] = name
		}
	}
	return all
}

// elsewhere is a name, whatever its spelling, in one of Gradbook's packages: with its package.
func (k *checker) elsewhere(name string) string {
	homes := k.homes()
	for _, path := range slices.Sorted(maps.Keys(homes)) {
		for _, n := range k.exported(path) {
			if plain(n) == plain(name) {
				return homes[path] + "." + n
			}
		}
	}
	return ""
}

// ofName looks for what stands where nothing of that name is known.
func (k *checker) ofName(name string, pos token.Pos) string {
	if s := foreign[name]; s != "" {
		return s
	}
	if k.assigns(name, pos) {
		return fmt.Sprintf("%s := … declares it; = gives what there is another value", name)
	}
	if k.beforeDot(pos) {
		if s := modules[name]; s != "" {
			return fmt.Sprintf(`import %q first, in the cell, after !*go get %s`, s, s)
		}
		known := map[string]bool{}
		for _, n := range k.homes() {
			known[n] = true
		}
		for path, n := range k.packages.Names() {
			if !strings.Contains(path, ".") && !strings.Contains(path, "internal") {
				known[n] = true
			}
		}
		if near := nearest(name, slices.Sorted(maps.Keys(known))); near != "" && plain(near) != plain(name) {
			return didYouMean(near)
		}
	}
	if near := nearest(name, k.session()); near != "" {
		return didYouMean(near)
	}
	return didYouMean(k.elsewhere(name))
}

// session are the names of the notebook, and Go's own.
func (k *checker) session() (names []string) {
	names = append(names, types.Universe.Names()...)
	names = slices.AppendSeq(names, maps.Keys(k.before.vars))
	names = slices.AppendSeq(names, maps.Keys(k.before.owners))
	for _, id := range k.parsed.defined() {
		names = append(names, id.Name)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == "_" || strings.Contains(n, "ʹ") || len(n) < 3 })
}

// nodes calls f for the nodes of the cell.
func (k *checker) nodes(f func(n ast.Node)) {
	visit := func(n ast.Node) bool {
		if n != nil {
			f(n)
		}
		return true
	}
	for _, list := range [][]*decl{k.parsed.decls, k.parsed.vars, k.parsed.once} {
		for _, d := range list {
			ast.Inspect(d.node, visit)
		}
	}
	for _, s := range k.parsed.body {
		ast.Inspect(s, visit)
	}
}

// assigns says whether a name is assigned to at a position.
func (k *checker) assigns(name string, pos token.Pos) (found bool) {
	k.nodes(func(n ast.Node) {
		if a, ok := n.(*ast.AssignStmt); ok && a.Tok == token.ASSIGN {
			for _, l := range a.Lhs {
				id, ok := l.(*ast.Ident)
				found = found || ok && id.Name == name && id.Pos() == pos
			}
		}
	})
	return found
}

// beforeDot says whether a position is that of a name before a dot.
func (k *checker) beforeDot(pos token.Pos) (found bool) {
	k.nodes(func(n ast.Node) {
		if s, ok := n.(*ast.SelectorExpr); ok && s.X.Pos() == pos {
			_, name := s.X.(*ast.Ident)
			found = found || name
		}
	})
	return found
}

// fieldsAt are the fields of the literal around a position.
func (k *checker) fieldsAt(pos token.Pos) (names []string) {
	var inner *ast.CompositeLit
	for x := range k.info.Types {
		l, ok := x.(*ast.CompositeLit)
		if ok && l.Pos() <= pos && pos < l.End() && (inner == nil || l.Pos() > inner.Pos()) {
			inner = l
		}
	}
	if inner == nil {
		return nil
	}
	s, ok := deref(k.info.Types[inner].Type).Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	for i := range s.NumFields() {
		names = append(names, s.Field(i).Name())
	}
	return names
}

func deref(t types.Type) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// membersBefore are the fields and methods of what is before the dot at a position.
func (k *checker) membersBefore(pos token.Pos) (names []string) {
	var before ast.Expr
	k.nodes(func(n ast.Node) {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Pos() == pos {
			before = s.X
		}
	})
	if before == nil || k.info.Types[before].Type == nil {
		return nil
	}
	t := k.info.Types[before].Type
	if s, ok := deref(t).Underlying().(*types.Struct); ok {
		for i := range s.NumFields() {
			names = append(names, s.Field(i).Name())
		}
	}
	if _, pointer := t.Underlying().(*types.Pointer); !pointer && !types.IsInterface(t) {
		t = types.NewPointer(t)
	}
	set := types.NewMethodSet(t)
	for i := range set.Len() {
		names = append(names, set.At(i).Obj().Name())
	}
	return slices.DeleteFunc(names, func(n string) bool { return !token.IsExported(n) })
}

// insteadOfString is what a package has where Keras takes a string.
func (k *checker) insteadOfString(text, pkg, name string) string {
	if pkg == "viz" && name == "Viewable" {
		return "viz.Value(…) shows any value, and fmt.Println prints it"
	}
	homes := k.homes()
	for _, path := range slices.Sorted(maps.Keys(homes)) {
		if homes[path] != pkg {
			continue
		}
		p, err := k.packages.Import(path)
		if err != nil {
			continue
		}
		wanted := p.Scope().Lookup(name)
		if wanted == nil {
			continue
		}
		var fit []string
		for _, n := range p.Scope().Names() {
			if o := p.Scope().Lookup(n); o.Exported() && fits(o, wanted.Type()) {
				fit = append(fit, n)
			}
		}
		if near := nearest(text, fit); near != "" {
			n := pkg + "." + near
			if _, isType := p.Scope().Lookup(near).(*types.TypeName); isType {
				n += "{}"
			}
			return didYouMean(n)
		}
		if len(fit) > 0 {
			return fmt.Sprintf("expected a %s.%s, such as %s.%s", pkg, name, pkg, fit[0])
		}
	}
	return ""
}

// fits says whether an object, or a value of the type that it is, is of type t.
func fits(o types.Object, t types.Type) bool {
	switch o.(type) {
	case *types.Const, *types.Var:
		return types.AssignableTo(o.Type(), t)
	case *types.TypeName:
		return types.IsInterface(t) && !types.IsInterface(o.Type()) && types.AssignableTo(o.Type(), t)
	}
	return false
}
