package cell

import (
	"go/types"
	"iter"
	"slices"
	"strings"
)

// parts are the types that one is made of, but not what is behind the names of types.
func parts(t types.Type) iter.Seq[types.Type] {
	return func(yield func(types.Type) bool) {
		switch t := t.(type) {
		case *types.Alias:
			t.TypeArgs().Types()(yield)
		case *types.Named:
			t.TypeArgs().Types()(yield)
		case *types.Map:
			_ = yield(t.Key()) && yield(t.Elem())
		case interface{ Elem() types.Type }: // pointers, slices, arrays, channels
			yield(t.Elem())
		case *types.Signature:
			for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
				for v := range tuple.Variables() {
					if !yield(v.Type()) {
						return
					}
				}
			}
		case *types.Struct:
			for f := range t.Fields() {
				if !yield(f.Type()) {
					return
				}
			}
		case *types.Interface:
			for m := range t.Methods() {
				if !yield(m.Type()) {
					return
				}
			}
			t.EmbeddedTypes()(yield)
		case *types.Union:
			for term := range t.Terms() {
				if !yield(term.Type()) {
					return
				}
			}
		}
	}
}

// walk visits a type and all that it is made of, each once; visit says whether to go on.
func walk(t types.Type, visit func(types.Type) bool) bool {
	seen := map[types.Type]bool{}
	var each func(types.Type) bool
	each = func(t types.Type) bool {
		if t == nil || seen[t] {
			return true
		}
		seen[t] = true
		if !visit(t) {
			return false
		}
		for part := range parts(t) {
			if !each(part) {
				return false
			}
		}
		return true
	}
	return each(t)
}

// typeName is the name of a type that has one.
func typeName(t types.Type) *types.TypeName {
	if t, ok := t.(interface{ Obj() *types.TypeName }); ok {
		return t.Obj()
	}
	return nil
}

// typeParams is how many parameters a type has.
func typeParams(t types.Type) int {
	if t, ok := t.(interface{ TypeParams() *types.TypeParamList }); ok {
		return t.TypeParams().Len()
	}
	return 0
}

// ownTypes are the names of the notebook's own types in t.
func ownTypes(t types.Type) map[string]bool {
	names := map[string]bool{}
	walk(t, func(t types.Type) bool {
		if o := typeName(t); o != nil && o.Pkg() != nil && o.Pkg().Path() == packagePath {
			if _, isParam := t.(*types.TypeParam); !isParam {
				names[o.Name()] = true
			}
		}
		return true
	})
	return names
}

// keepable says whether a variable of type t can be declared in another cell, which
// must be able to name the type; own are the types of the package.
func keepable(t types.Type, own *types.Scope) bool {
	accessible := func(o types.Object) bool { return o.Exported() || o.Pkg() == nil || o.Pkg().Path() == packagePath }
	return walk(t, func(t types.Type) bool {
		switch t := t.(type) {
		case *types.TypeParam:
			return false
		case *types.Basic:
			return t.Kind() != types.UntypedNil && t.Kind() != types.Invalid
		case *types.Struct:
			for f := range t.Fields() {
				if !accessible(f) {
					return false
				}
			}
		case *types.Interface:
			for m := range t.Methods() {
				if !accessible(m) {
					return false
				}
			}
		}
		o := typeName(t)
		switch {
		case o == nil || o.Pkg() == nil:
			return true
		case o.Pkg().Path() == packagePath:
			return o.Parent() == own
		}
		return o.Exported() && importable(o.Pkg().Path())
	})
}

// importable says whether a cell may import path.
func importable(path string) bool {
	return !slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool { return part == "internal" || part == "vendor" })
}

// typeText writes a type in the author's names. alias names the packages of other
// types.
func typeText(t types.Type, alias func(*types.Package) string) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p.Path() == packagePath {
			return ""
		}
		return alias(p)
	})
}
