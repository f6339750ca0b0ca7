// Package config turns values of dl, which are plain structs, into the JSON by
// which Keras describes the same thing, and back:
//
//	layers.Dense{Units: 3, NoBias: true}
//	{"class_name": "Dense", "config": {"units": 3, "use_bias": false}}
//
// A field's key is its name in snake case, unless its tag says otherwise:
//
//	NoBias bool `keras:"use_bias,not"` // the key means the opposite
//	Beta1 float64 `keras:"beta_1"`
//	seen int // not exported: not part of the configuration
//
// A field that is zero is left out, since zero means the default. What a file
// says and a type cannot express is an error, never ignored in silence.
package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Object is a value by class and configuration.
type Object struct {
	Class  string         `json:"class_name"`
	Config map[string]any `json:"config"`
}

// Namer is a value that goes by a name alone, as activations do.
type Namer interface{ Name() string }

// Reader is a type that knows better how to read its own configuration; it may
// change the map to what the general rules can read.
type Reader interface {
	// ReadConfig is called on a new value before the other keys are read. Keys
	// that it has dealt with it deletes.
	ReadConfig(config map[string]any) error
}

var registry struct {
	sync.Mutex
	types map[string]reflect.Type                    // by class name
	named map[reflect.Type]func(string) (any, error) // by interface
}

// Register makes types known under their own names.
func Register(values ...any) {
	for _, v := range values {
		RegisterAs(reflect.TypeOf(v).Name(), v)
	}
}

// RegisterAs makes a type known under a class name.
func RegisterAs(class string, value any) {
	registry.Lock()
	defer registry.Unlock()
	if registry.types == nil {
		registry.types = make(map[string]reflect.Type)
	}
	registry.types[class] = reflect.TypeOf(value)
}

// RegisterNames tells how values of an interface are found by name.
func RegisterNames[T any](find func(name string) (T, error)) {
	registry.Lock()
	defer registry.Unlock()
	if registry.named == nil {
		registry.named = make(map[reflect.Type]func(string) (any, error))
	}
	registry.named[reflect.TypeFor[T]()] = func(name string) (any, error) { return find(name) }
}

func lookup(class string) (reflect.Type, bool) {
	registry.Lock()
	defer registry.Unlock()
	t, ok := registry.types[class]
	return t, ok
}

// ClassOf returns the name under which a value's type is registered, or the
// type's own.
func ClassOf(v any) string {
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	registry.Lock()
	defer registry.Unlock()
	if registry.types[t.Name()] == t {
		return t.Name()
	}
	for class, r := range registry.types {
		if r == t {
			return class
		}
	}
	return t.Name()
}

// Known says whether a value's type can be read back.
func Known(v any) bool {
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	registered, ok := lookup(ClassOf(v))
	return ok && registered == t
}

// Encode describes a value.
func Encode(v any) (Object, error) {
	if !Known(v) {
		return Object{}, fmt.Errorf("type %T is not known by name: register it first (layers.Register)", v)
	}
	fields, err := Fields(v)
	return Object{ClassOf(v), fields}, err
}

// Fields describes the exported fields of a struct that are not zero.
func Fields(v any) (map[string]any, error) {
	out := make(map[string]any)
	s := reflect.Indirect(reflect.ValueOf(v))
	if s.Kind() != reflect.Struct {
		return out, nil
	}
	return out, encodeFields(out, s)
}

func encodeFields(out map[string]any, s reflect.Value) error {
	for i := range s.NumField() {
		f := s.Type().Field(i)
		if f.Anonymous {
			if err := encodeFields(out, s.Field(i)); err != nil {
				return err
			}
			continue
		}
		key, not := tag(f)
		if key == "" || s.Field(i).IsZero() {
			continue
		}
		if not {
			out[key] = false
			continue
		}
		value, err := encode(s.Field(i))
		if err != nil {
			return fmt.Errorf("%s.%s: %w", s.Type().Name(), f.Name, err)
		}
		out[key] = value
	}
	return nil
}

func encode(v reflect.Value) (any, error) {
	if t, ok := v.Interface().(fmt.Stringer); ok && v.Kind() == reflect.Int {
		return t.String(), nil
	}
	switch v.Kind() {
	case reflect.Interface:
		if n, ok := v.Interface().(Namer); ok && !Known(n) {
			return n.Name(), nil
		}
		return Encode(v.Interface())
	case reflect.Slice, reflect.Array:
		all := make([]any, v.Len())
		for i := range all {
			var err error
			if all[i], err = encode(v.Index(i)); err != nil {
				return nil, err
			}
		}
		return all, nil
	case reflect.Pointer:
		return encode(v.Elem())
	case reflect.Func, reflect.Chan, reflect.Map, reflect.Struct:
		return nil, fmt.Errorf("a %v cannot be saved", v.Type())
	}
	return v.Interface(), nil
}

// tag returns a field's key, "" if it is no part of the configuration, and
// whether the key means the opposite.
func tag(f reflect.StructField) (key string, not bool) {
	if !f.IsExported() {
		return "", false
	}
	key, option, _ := strings.Cut(f.Tag.Get("keras"), ",")
	if key == "-" {
		return "", false
	}
	if key == "" {
		key = Snake(f.Name)
	}
	return key, option == "not"
}

// Snake turns a Go name into Keras's: MaxPooling2D is max_pooling2d.
func Snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

var (
	word  = regexp.MustCompile(`(.)([A-Z][a-z]+)`)
	lower = regexp.MustCompile(`([a-z])([A-Z])`)
)

// KerasSnake is Keras's own rule, by which its files name layers: PReLU is p_re_lu.
func KerasSnake(name string) string {
	return strings.ToLower(lower.ReplaceAllString(word.ReplaceAllString(name, "${1}_${2}"), "${1}_${2}"))
}

// Parse reads JSON into the form that Decode takes.
func Parse(data []byte) (Object, error) {
	var o Object
	err := json.Unmarshal(data, &o)
	return o, err
}

// camel finds the class of a name such as "glorot_uniform".
func camel(name string) (string, bool) {
	if _, ok := lookup(name); ok {
		return name, true
	}
	registry.Lock()
	defer registry.Unlock()
	for class := range registry.types {
		if Snake(class) == name || strings.EqualFold(class, strings.ReplaceAll(name, "_", "")) {
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
