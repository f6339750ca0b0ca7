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
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode"
)

// Object is a value by class and configuration.
type Object struct {
	Class  string         `json:"class_name"`
	Config map[string]any `json:"config"`
}

// Named is embedded by what goes by a name alone: functions, of which nothing else can be
// written down. A name is not an identity: such a value is saved only if it is the very one
// that is registered under its name.
type Named struct{ name string }

// NewNamed makes the name of a value.
func NewNamed(name string) Named { return Named{name} }

// Name is the name.
func (n Named) Name() string { return n.name }

func (n Named) byName() string { return n.name }

type named interface{ byName() string }

// Reader is a type that knows better how to read its own configuration; it may
// change the map to what the general rules can read.
type Reader interface {
	// ReadConfig is called on a new value before the other keys are read. Keys
	// that it has dealt with it deletes.
	ReadConfig(config map[string]any) error
}

// Encode describes a value.
func Encode(v any) (Object, error) {
	if why := unwritable[structOf(reflect.TypeOf(v))]; why != "" {
		return Object{}, fmt.Errorf("a %T cannot be saved: %s", v, why)
	}
	if !Known(v) {
		return Object{}, fmt.Errorf("type %T is not registered, so that Load could not read it: call dl.Register first", v)
	}
	fields, err := Fields(v)
	if err != nil {
		return Object{}, err
	}
	o := Object{ClassOf(v), fields}
	return o, readsBack(v, o)
}

// readsBack reports what a file could not give back: the description is read, and the value that
// comes of it described.
func readsBack(v any, o Object) error {
	again, err := reread(v, o)
	if err != nil {
		return err
	}
	fields, err := Fields(again)
	if err != nil {
		return err
	}
	for key, value := range o.Config {
		was, _ := json.Marshal(value)
		is, _ := json.Marshal(fields[key])
		if !bytes.Equal(was, is) {
			return fmt.Errorf("%T cannot be saved: Load would read %s, %s, as %s", v, key, was, is)
		}
	}
	return nil
}

// Readable reports a description of v that could not be read.
func Readable(v any, o Object) error {
	_, err := reread(v, o)
	return err
}

func reread(v any, o Object) (any, error) {
	written, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("%T cannot be saved: %w", v, err)
	}
	read, err := Parse(written)
	if err != nil {
		return nil, fmt.Errorf("%T cannot be saved: %w", v, err)
	}
	again, err := decodeObject(read, reflect.TypeOf(v))
	if err != nil {
		return nil, fmt.Errorf("%T cannot be saved, as Load could not read it: %w", v, err)
	}
	return again.Interface(), nil
}

// EncodeAny is Encode for what may go by a name alone.
func EncodeAny(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	n, ok := v.(named)
	if !ok {
		return Encode(v)
	}
	known, ok := valueOf(n.byName(), reflect.TypeOf(v))
	switch {
	case !ok && !isTaken(n.byName(), v):
		return nil, fmt.Errorf("%q is not registered, so that Load could not find it: call dl.Register with it first", n.byName())
	case !ok || known != v:
		return nil, fmt.Errorf("%q is another than the one that Load would find under that name: give it a name of its own, and call dl.Register with it", n.byName())
	}
	return n.byName(), nil
}

// valueKey is the key of a value that is not a struct, of type Gain float64 say.
const valueKey = "value"

// Fields describes the exported fields of a struct that are not zero.
func Fields(v any) (map[string]any, error) {
	out := make(map[string]any)
	s := reflect.Indirect(reflect.ValueOf(v))
	if s.Kind() == reflect.Struct {
		var seen map[string]bool
		if !isOwn(s.Type()) { // dl's optimizers have a setting before that of their Options
			seen = make(map[string]bool)
		}
		return out, encodeFields(out, s, seen)
	}
	if s.IsZero() {
		return out, nil
	}
	value, err := encode(s)
	out[valueKey] = value
	return out, err
}

// embeds says whether a field is a struct whose fields are those of the one that it is in.
func embeds(f reflect.StructField) bool { return f.Anonymous && f.Type.Kind() == reflect.Struct }

// encodeFields describes the fields of s. seen, unless it is nil, are the keys so far, of which each may
// stand for one field only.
func encodeFields(out map[string]any, s reflect.Value, seen map[string]bool) error {
	for i := range s.NumField() {
		f := s.Type().Field(i)
		if embeds(f) {
			if err := encodeFields(out, s.Field(i), seen); err != nil {
				return err
			}
			continue
		}
		key, not := tag(f)
		if key != "" && seen[key] {
			return fmt.Errorf("%s has two fields that a file calls %q: name one of them otherwise", s.Type().Name(), key)
		}
		if seen != nil {
			seen[key] = true
		}
		if s.Field(i).IsZero() {
			continue
		}
		if !f.IsExported() && f.Tag.Get("keras") != "-" {
			return fmt.Errorf("%s.%s is not exported, so that it would be lost: export it, or tag it `keras:\"-\"` if it is no setting", s.Type().Name(), f.Name)
		}
		if key == "" {
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
	if t, ok := v.Interface().(fmt.Stringer); ok && v.Kind() == reflect.Int && reflect.PointerTo(v.Type()).Implements(reflect.TypeFor[textUnmarshaler]()) {
		return t.String(), nil
	}
	switch v.Kind() {
	case reflect.Interface:
		return EncodeAny(v.Interface())
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
