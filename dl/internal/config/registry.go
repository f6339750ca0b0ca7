package config

import (
	"fmt"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"sync"
)

var registry = struct {
	sync.Mutex
	types   map[string]reflect.Type // by class name
	values  map[string][]any        // that go by a name alone, of different interfaces
	own     map[string]bool         // what dl itself has registered
	aliases map[string]bool         // other names of it, plain
	reads   map[reflect.Type]func(v any, config map[string]any) error
	finds   map[reflect.Type]func(name string) (any, error) // by interface
	wraps   map[reflect.Type]func(v any) any                // by interface
}{
	types: make(map[string]reflect.Type), values: make(map[string][]any), own: make(map[string]bool), aliases: make(map[string]bool),
	reads: make(map[reflect.Type]func(any, map[string]any) error), finds: make(map[reflect.Type]func(string) (any, error)),
	wraps: make(map[reflect.Type]func(any) any),
}

// Register makes dl's own types and named values known under their own names.
func Register(values ...any) {
	for _, v := range values {
		if n, ok := v.(named); ok {
			RegisterAs(n.byName(), v)
			continue
		}
		RegisterAs(reflect.TypeOf(v).Name(), v)
	}
}

// RegisterAs makes one of dl's own types or named values known under a name.
func RegisterAs(name string, value any) {
	registry.Lock()
	defer registry.Unlock()
	registry.own[name] = true
	put(name, value)
}

// Reads makes a type known that knows better how to read its own configuration. read is
// called on a new value before the keys are read; it may change the map to what the general
// rules can read, and deletes keys that it has dealt with.
func Reads[T any](read func(v *T, config map[string]any) error) {
	registry.Lock()
	defer registry.Unlock()
	registry.reads[reflect.TypeFor[T]()] = func(v any, config map[string]any) error { return read(v.(*T), config) }
}

// Finds tells how values of an interface are found by the names that Keras's files give them.
func Finds[T any](find func(name string) (T, error)) {
	registry.Lock()
	defer registry.Unlock()
	registry.finds[reflect.TypeFor[T]()] = func(name string) (any, error) { return find(name) }
}

// Wraps tells what a value of an interface is wrapped in if a file says of it that channels come
// first.
func Wraps[T any](wrap func(v T) T) {
	registry.Lock()
	defer registry.Unlock()
	registry.wraps[reflect.TypeFor[T]()] = func(v any) any { return wrap(v.(T)) }
}

func wrapper(t reflect.Type) func(v any) any {
	registry.Lock()
	defer registry.Unlock()
	return registry.wraps[t]
}

func finder(t reflect.Type) func(name string) (any, error) {
	registry.Lock()
	defer registry.Unlock()
	return registry.finds[t]
}

func reader(t reflect.Type) func(v any, config map[string]any) error {
	registry.Lock()
	defer registry.Unlock()
	return registry.reads[t]
}

// isOwn says whether dl has registered a type.
func isOwn(t reflect.Type) bool {
	registry.Lock()
	defer registry.Unlock()
	return registry.own[t.Name()] && registry.types[t.Name()] == t
}

// RegisterUser makes a user's type or named value known, under its own name if name is "".
// One that was registered before under the name is replaced, as happens when a notebook's
// cell runs again; dl's own cannot be.
func RegisterUser(name string, v any) error {
	if v == nil {
		return fmt.Errorf("expected a value of the type to register, got nil")
	}
	n, isNamed := v.(named)
	if name == "" {
		if isNamed {
			name = n.byName()
		} else {
			name = structOf(reflect.TypeOf(v)).Name()
		}
	} else if isNamed && name != n.byName() {
		return fmt.Errorf("expected %q to be registered under its own name, got %q", n.byName(), name)
	}
	if name == "" {
		return fmt.Errorf("expected a type with a name to register, got %T", v)
	}
	registry.Lock()
	defer registry.Unlock()
	if why := unwritable[structOf(reflect.TypeOf(v))]; why != "" {
		return fmt.Errorf("a %T cannot be registered: %s", v, why)
	}
	if taken(name, v) {
		return fmt.Errorf("expected a name that dl does not use itself to register %T, got %q", v, name)
	}
	put(name, v)
	return nil
}

// taken says whether dl, or Keras in its files, knows something by a name that differs in no
// more than case and underscores, and that could be meant by it. A function is taken for a type
// only if the type does what it does. It is called under the lock.
func taken(name string, v any) bool {
	if registry.own[name] || registry.aliases[plain(name)] {
		return true
	}
	for own := range registry.own {
		if plain(own) != plain(name) {
			continue
		}
		if t, ok := registry.types[own]; ok && does(t, reflect.TypeOf(v)) {
			return true
		}
		for _, other := range registry.values[own] {
			if does(reflect.TypeOf(other), reflect.TypeOf(v)) {
				return true
			}
		}
	}
	return false
}

func isTaken(name string, v any) bool {
	registry.Lock()
	defer registry.Unlock()
	return taken(name, v)
}

// plain is a name as Keras's files are read: MeanSquaredError, mean_squared_error and
// metrics.MeanSquaredError are the same.
func plain(name string) string {
	if _, after, ok := strings.Cut(name, "."); ok {
		name = after
	}
	return fold(name)
}

// fold is a name without what Go's and Keras's spellings of it differ in.
func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// does says whether a type has all exported methods of another, but those of Named.
func does(t, all reflect.Type) bool {
	for m := range all.NumMethod() {
		name := all.Method(m).Name
		if name == "Name" {
			continue
		}
		if _, ok := reflect.PointerTo(structOf(t)).MethodByName(name); !ok {
			return false
		}
	}
	return true
}

// Alias says that files know something of dl's by other names, too, so that no type or function
// of a user's may have them.
func Alias(names ...string) {
	registry.Lock()
	defer registry.Unlock()
	for _, name := range names {
		registry.aliases[plain(name)] = true
	}
}

// unwritable are types of which nothing can be written down, and what to do instead.
var unwritable = make(map[reflect.Type]string)

// Unwritable says that values of v's type cannot be described, and what to do instead. It is
// called when the program begins.
func Unwritable(v any, instead string) { unwritable[structOf(reflect.TypeOf(v))] = instead }

// insteads are classes of Keras's that files may have and dl does not, and what to do instead.
var insteads = make(map[string]string)

// Instead says what to do instead of a class of Keras's. It is called when the program begins.
func Instead(class, what string) { insteads[class] = what }

// put is called under the lock. Of a name there may be values of several types, as a metric
// has the name of its loss.
func put(name string, v any) {
	if _, ok := v.(named); !ok {
		registry.types[name] = structOf(reflect.TypeOf(v))
		return
	}
	all := registry.values[name]
	for i := range all {
		if reflect.TypeOf(all[i]) == reflect.TypeOf(v) {
			all[i] = v
			return
		}
	}
	registry.values[name] = append(all, v)
}

func structOf(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func lookup(class string) (reflect.Type, bool) {
	registry.Lock()
	defer registry.Unlock()
	t, ok := registry.types[class]
	return t, ok
}

// valueOf finds a named value of a type or interface.
func valueOf(name string, t reflect.Type) (any, bool) {
	registry.Lock()
	defer registry.Unlock()
	for _, v := range registry.values[name] {
		if reflect.TypeOf(v).AssignableTo(t) {
			return v, true
		}
	}
	return nil, false
}

// Value finds the named value of an interface, and says which names there are if it is not
// there.
func Value[T any](name string) (v T, others []string, ok bool) {
	if found, ok := valueOf(name, reflect.TypeFor[T]()); ok {
		return found.(T), nil, true
	}
	registry.Lock()
	defer registry.Unlock()
	for n, all := range registry.values {
		if slices.ContainsFunc(all, func(v any) bool { _, ok := v.(T); return ok }) {
			others = append(others, n)
		}
	}
	slices.Sort(others)
	return v, others, false
}

// ClassOf returns the name under which a value's type is registered, or the type's own.
func ClassOf(v any) string {
	t := structOf(reflect.TypeOf(v))
	registry.Lock()
	defer registry.Unlock()
	if registry.types[t.Name()] == t {
		return t.Name()
	}
	var classes []string
	for class, r := range registry.types {
		if r == t {
			classes = append(classes, class)
		}
	}
	if len(classes) == 0 {
		return t.Name()
	}
	return slices.Min(classes)
}

// Known says whether a value's type can be read back.
func Known(v any) bool {
	registered, ok := lookup(ClassOf(v))
	return ok && registered == structOf(reflect.TypeOf(v))
}

// camel finds the class of a name such as "glorot_uniform".
func camel(name string) (string, bool) {
	if _, ok := lookup(name); ok {
		return name, true
	}
	registry.Lock()
	defer registry.Unlock()
	for class := range registry.types {
		if fold(class) == fold(name) {
			return class, true
		}
	}
	return "", false
}

// known lists the registered classes that fit an interface.
func known(t reflect.Type) string {
	registry.Lock()
	defer registry.Unlock()
	var names []string
	for class, r := range registry.types {
		if r.Implements(t) || reflect.PointerTo(r).Implements(t) {
			names = append(names, class)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Own returns what dl has registered of its own and a program can write: names by the
// package that they are in.
func Own() map[string][]string {
	registry.Lock()
	defer registry.Unlock()
	all := make(map[string][]string)
	for name := range registry.own {
		if t, ok := registry.types[name]; ok && token.IsExported(t.Name()) {
			all[t.PkgPath()] = append(all[t.PkgPath()], t.Name())
		}
		for _, v := range registry.values[name] {
			pkg := structOf(reflect.TypeOf(v)).PkgPath()
			all[pkg] = append(all[pkg], name)
		}
	}
	for _, names := range all {
		slices.Sort(names)
	}
	return all
}
