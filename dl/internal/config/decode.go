package config

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"strings"
)

// idle are keys that say nothing about what is computed, or only how Keras should
// go about it.
var idle = map[string]bool{
	"name": true, "trainable": true, "dtype": true, "build_config": true, "registered_name": true,
	"module": true, "implementation": true, "unroll": true, "use_cudnn": true,
	"autocast": true, "jit_compile": true, "is_legacy_optimizer": true, "cache_shape": true, "synchronized": true,
	"seed": true, "flash_attention": true, "fused": true, "input_length": true,
	"lora_rank": true, "lora_alpha": true, "reduction": true, "encoding": true, "loss_scale_factor": true,
	"bounding_box_format": true, "data_format": true,
}

const channelsFirst = "channels_first"

// channelsLast are the values of data_format that dl can take: its layers want
// channels last.
var channelsLast = map[any]bool{nil: true, "channels_last": true}

// Decode makes the value that an object describes, of the interface or type T.
func Decode[T any](o Object) (T, error) {
	var zero T
	v, err := decodeObject(o, reflect.TypeFor[T]())
	if err != nil {
		return zero, err
	}
	return v.Interface().(T), nil
}

// DecodeAny is Decode for a value as JSON gives it: a name, or an object.
func DecodeAny[T any](raw any) (T, error) {
	var out T
	err := decode(reflect.ValueOf(&out).Elem(), raw)
	return out, err
}

func decodeObject(o Object, want reflect.Type) (reflect.Value, error) {
	if wrap := wrapper(want); wrap != nil && o.Config["data_format"] == channelsFirst {
		o.Config = maps.Clone(o.Config)
		delete(o.Config, "data_format")
		v, err := decodeObject(o, want)
		if err != nil {
			return v, err
		}
		return reflect.ValueOf(wrap(v.Interface())), nil
	}
	t, ok := lookup(o.Class)
	if !ok {
		if class, found := camel(o.Class); found {
			t, ok = lookup(class)
		}
	}
	if instead := insteads[o.Class]; !ok && instead != "" {
		return reflect.Value{}, fmt.Errorf("class %q is not supported in a model: %s", o.Class, instead)
	}
	if !ok {
		return reflect.Value{}, fmt.Errorf("unknown class %q; there are %s", o.Class, known(want))
	}
	p := reflect.New(t)
	if err := fill(p, o.Config); err != nil {
		return reflect.Value{}, fmt.Errorf("%s: %w", o.Class, err)
	}
	switch {
	case t.AssignableTo(want):
		return p.Elem(), nil
	case p.Type().AssignableTo(want):
		return p, nil
	}
	return reflect.Value{}, fmt.Errorf("expected a %s, got class %q", want.Name(), o.Class)
}

// fill sets the fields of the struct that p points to.
func fill(p reflect.Value, config map[string]any) error {
	left := make(map[string]any, len(config))
	for k, v := range config {
		left[k] = v
	}
	if err := readAll(p, left); err != nil {
		return err
	}
	if s := p.Elem(); s.Kind() == reflect.Struct {
		if err := fillFields(s, left); err != nil {
			return err
		}
	} else if value, ok := left[valueKey]; ok {
		delete(left, valueKey)
		if err := decode(s, value); err != nil {
			return err
		}
	}
	for k, v := range left {
		if k == "data_format" && !channelsLast[v] {
			return fmt.Errorf("expected data_format channels_last, got %v", v)
		}
		if !idle[k] && !blank(v) && !(k == "axis" && v == -1.0) {
			return fmt.Errorf("the setting %s = %v is not supported", k, v)
		}
	}
	return nil
}

// readAll lets a type, and those that it embeds, read what they know better.
func readAll(p reflect.Value, left map[string]any) error {
	if s := p.Elem(); s.Kind() == reflect.Struct {
		for i := range s.NumField() {
			if s.Type().Field(i).Anonymous && s.Type().Field(i).IsExported() && s.Field(i).Kind() == reflect.Struct {
				if err := readAll(s.Field(i).Addr(), left); err != nil {
					return err
				}
			}
		}
	}
	if read := reader(p.Type().Elem()); read != nil {
		return read(p.Interface(), left)
	}
	return nil
}

func fillFields(s reflect.Value, left map[string]any) error {
	for i := range s.NumField() {
		f := s.Type().Field(i)
		if embeds(f) {
			if err := fillFields(s.Field(i), left); err != nil {
				return err
			}
			continue
		}
		key, not := tag(f)
		raw, ok := left[key]
		if key == "" || !ok {
			continue
		}
		delete(left, key)
		if raw == nil {
			continue
		}
		if err := decode(s.Field(i), raw); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if not {
			s.Field(i).SetBool(!s.Field(i).Bool())
		}
		if def, ok := f.Tag.Lookup("zero"); ok && s.Field(i).IsZero() {
			return fmt.Errorf("%s = 0 cannot be expressed: in dl, 0 means the default, %s", key, def)
		}
	}
	return nil
}

func blank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

type textUnmarshaler interface{ UnmarshalText(text []byte) error }

// decode sets a field to what JSON says.
func decode(field reflect.Value, raw any) error {
	if text, ok := raw.(string); ok && field.CanAddr() {
		if u, ok := field.Addr().Interface().(textUnmarshaler); ok {
			return u.UnmarshalText([]byte(text))
		}
	}
	switch field.Kind() {
	case reflect.Interface:
		if raw == nil {
			field.SetZero()
			return nil
		}
		return decodeInterface(field, raw)
	case reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
		return decode(field.Elem(), raw)
	case reflect.Bool:
		if v, ok := raw.(bool); ok {
			field.SetBool(v)
			return nil
		}
	case reflect.String:
		if v, ok := raw.(string); ok {
			field.SetString(v)
			return nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float64, reflect.Float32:
		if decodeNumber(field, raw) {
			return nil
		}
	case reflect.Slice:
		list, ok := raw.([]any)
		if !ok {
			list = []any{raw}
		}
		field.Set(reflect.MakeSlice(field.Type(), len(list), len(list)))
		return decodeAll(field, list)
	case reflect.Array:
		list, ok := raw.([]any)
		if !ok { // one number for all axes
			list = make([]any, field.Len())
			for i := range list {
				list[i] = raw
			}
		}
		if len(list) == field.Len() {
			return decodeAll(field, list)
		}
	}
	return fmt.Errorf("expected %v, got %v", field.Type(), raw)
}

// decodeNumber sets a field to a number, and says whether it fits.
func decodeNumber(field reflect.Value, raw any) bool {
	if list, ok := raw.([]any); ok && len(list) == 1 && field.CanInt() { // a window of one axis
		raw = list[0]
	}
	var v float64
	switch n := raw.(type) {
	case float64:
		v = n
	case int:
		v = float64(n)
	default:
		return false
	}
	if field.CanFloat() {
		field.SetFloat(v)
		return true
	}
	switch {
	case v != math.Trunc(v):
		return false
	case field.CanUint():
		if v < 0 || field.OverflowUint(uint64(v)) {
			return false
		}
		field.SetUint(uint64(v))
	default:
		if field.OverflowInt(int64(v)) {
			return false
		}
		field.SetInt(int64(v))
	}
	return true
}

func decodeAll(field reflect.Value, list []any) error {
	for i, raw := range list {
		if err := decode(field.Index(i), raw); err != nil {
			return err
		}
	}
	return nil
}

func decodeInterface(field reflect.Value, raw any) error {
	if field.NumMethod() == 0 { // any
		field.Set(reflect.ValueOf(raw))
		return nil
	}
	switch v := raw.(type) {
	case string:
		if find := finder(field.Type()); find != nil {
			found, err := find(v)
			if err != nil {
				return err
			}
			field.Set(reflect.ValueOf(found))
			return nil
		}
		if found, ok := valueOf(v, field.Type()); ok {
			field.Set(reflect.ValueOf(found))
			return nil
		}
		class, ok := camel(v)
		if !ok {
			return fmt.Errorf("unknown %s %q; there are %s", field.Type().Name(), v, known(field.Type()))
		}
		return decodeInto(field, Object{Class: class})
	case Object:
		return decodeInto(field, v)
	case map[string]any:
		o := Object{}
		o.Class, _ = v["class_name"].(string)
		switch config := v["config"].(type) {
		case map[string]any:
			o.Config = config
		case string: // a function by its name
			return decodeInterface(field, config)
		}
		if o.Class == "" {
			return fmt.Errorf("expected an object with class_name, got %v", raw)
		}
		return decodeInto(field, o)
	}
	return fmt.Errorf("expected a %s, got %v", strings.ToLower(field.Type().Name()), raw)
}

func decodeInto(field reflect.Value, o Object) error {
	v, err := decodeObject(o, field.Type())
	if err != nil {
		return err
	}
	field.Set(v)
	return nil
}
