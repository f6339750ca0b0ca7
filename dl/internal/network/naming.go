package network

import (
	"fmt"
	"reflect"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/layers"
)

// givenName is the name in a layer's configuration: its field Name, or a network's own.
func givenName(l layers.Layer) (name string, given bool) {
	if n, ok := l.(*Network); ok {
		return n.Name, n.Named
	}
	v := reflect.Indirect(reflect.ValueOf(l))
	if v.Kind() == reflect.Struct {
		if f := v.FieldByName("Name"); f.IsValid() && f.Kind() == reflect.String && f.String() != "" {
			return f.String(), true
		}
	}
	return "", false
}

// baseName is the name that Keras would derive from a layer's type: Conv2D is conv2d,
// MaxPooling2D is max_pooling2d.
func (l *Layer) baseName() string {
	if n := l.Nested(); n != nil {
		return n.Name
	}
	if AsInput(l.Config) != nil {
		return "input_layer"
	}
	if n, ok := l.Config.(layers.KerasNamer); ok {
		_, name := n.KerasName()
		return name
	}
	return config.Snake(l.Type())
}

// NameLayers gives each layer a name of its own in a network.
func NameLayers(all []*Layer) error {
	used := make(map[string]*Layer)
	for _, l := range all {
		if l.Name == "" {
			continue
		}
		if other := used[l.Name]; other != nil && other != l {
			if l.Named || len(l.Weights) > 0 {
				return fmt.Errorf("expected a name of its own for each layer, got two named %q; set the Name of one", l.Name)
			}
			l.Name = "" // of another network, where it means as little
			continue
		}
		used[l.Name] = l
	}
	for _, l := range all {
		base := l.baseName()
		for n := 0; l.Name == ""; n++ {
			name := base
			if n > 0 {
				name = fmt.Sprintf("%s_%d", base, n)
			}
			if used[name] == nil {
				l.Name, used[name] = name, l
			}
		}
	}
	return nil
}
