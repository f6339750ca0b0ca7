package cell

import "go/types"

// sameText says whether two types are written alike, though they may be of the notebook
// at different times. The names of parameters do not matter.
func sameText(a, b types.Type) bool { return fullText(unnamed(a)) == fullText(unnamed(b)) }

// fullText is a type as text, with the import paths of packages.
func fullText(t types.Type) string { return types.TypeString(t, (*types.Package).Path) }

// unnamed is a type in whose signatures no parameter has a name.
func unnamed(t types.Type) types.Type {
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		return types.NewPointer(unnamed(t.Elem()))
	case *types.Slice:
		return types.NewSlice(unnamed(t.Elem()))
	case *types.Array:
		return types.NewArray(unnamed(t.Elem()), t.Len())
	case *types.Chan:
		return types.NewChan(t.Dir(), unnamed(t.Elem()))
	case *types.Map:
		return types.NewMap(unnamed(t.Key()), unnamed(t.Elem()))
	case *types.Tuple:
		return unnamedTuple(t)
	case *types.Signature:
		return types.NewSignatureType(nil, nil, nil, unnamedTuple(t.Params()), unnamedTuple(t.Results()), t.Variadic())
	case *types.Struct:
		fields, tags := make([]*types.Var, t.NumFields()), make([]string, t.NumFields())
		for i := range fields {
			f := t.Field(i)
			fields[i], tags[i] = types.NewField(f.Pos(), f.Pkg(), f.Name(), unnamed(f.Type()), f.Embedded()), t.Tag(i)
		}
		return types.NewStruct(fields, tags)
	case *types.Interface:
		if !t.IsMethodSet() {
			return t
		}
		methods := make([]*types.Func, t.NumMethods())
		for i := range methods {
			m := t.Method(i)
			methods[i] = types.NewFunc(m.Pos(), m.Pkg(), m.Name(), unnamed(m.Signature()).(*types.Signature))
		}
		return types.NewInterfaceType(methods, nil).Complete()
	case *types.Named:
		if t.TypeArgs().Len() == 0 {
			return t
		}
		args := make([]types.Type, t.TypeArgs().Len())
		for i := range args {
			args[i] = unnamed(t.TypeArgs().At(i))
		}
		if instance, err := types.Instantiate(nil, t.Origin(), args, false); err == nil {
			return instance
		}
		return t
	default:
		return t
	}
}

func unnamedTuple(t *types.Tuple) *types.Tuple {
	vars := make([]*types.Var, t.Len())
	for i := range vars {
		vars[i] = types.NewParam(t.At(i).Pos(), t.At(i).Pkg(), "", unnamed(t.At(i).Type()))
	}
	return types.NewTuple(vars...)
}
