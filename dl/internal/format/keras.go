package format

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/internal/hdf5"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/internal/wholefile"
	"github.com/gradbook/gradbook/dl/layers"
)

// kerasFile is what a .keras file of Keras 3 holds: an archive with the architecture as
// JSON and the weights as HDF5.
//
// Source: https://keras.io/guides/serialization_and_saving/
type kerasFile struct {
	model   architecture
	compile map[string]any
	weights map[string]hdf5.Dataset
}

// An archive may say that its parts are larger than memory. Keras does not compress them, and
// others make little of weights; so what is large, and many times as large as it is in the
// archive, is refused. An architecture is never that large.
const (
	largeKerasPart = 64 << 20
	mostTimes      = 20
)

func wantPart(f *zip.File) error {
	size, packed := f.UncompressedSize64, max(f.CompressedSize64, 1)
	if size > largeKerasPart && (size/packed > mostTimes || f.Name == "config.json") {
		return fmt.Errorf("%s would have %d bytes, %d times what it has in the file", f.Name, size, size/packed)
	}
	if wholefile.TooLarge(size) {
		return fmt.Errorf("%s has %d bytes, for which there is too little memory", f.Name, size)
	}
	return nil
}

func readKeras(path string) (f kerasFile, err error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return f, fmt.Errorf("expected a .keras file, which is a zip archive: %w", err)
	}
	defer func() { _ = z.Close() }()
	part := func(name string) ([]byte, error) {
		i := slices.IndexFunc(z.File, func(f *zip.File) bool { return f.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("expected a .keras file of Keras 3, with a part %s", name)
		}
		if err := wantPart(z.File[i]); err != nil {
			return nil, err
		}
		r, err := z.File[i].Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		defer func() { _ = r.Close() }()
		text := make([]byte, z.File[i].UncompressedSize64) // which archive/zip holds the part to
		if _, err := io.ReadFull(r, text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return text, nil
	}
	text, err := part("config.json")
	if err != nil {
		return f, err
	}
	var file struct {
		architecture
		Compile map[string]any `json:"compile_config"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return f, fmt.Errorf("config.json: %w", err)
	}
	f.model, f.compile = file.architecture, file.Compile
	data, err := part("model.weights.h5")
	if err != nil {
		return f, err
	}
	if f.weights, err = hdf5.Read(data); err != nil {
		return f, fmt.Errorf("model.weights.h5: %w", err)
	}
	return f, nil
}

// readWeightsH5 reads a file of Keras's save_weights, NAME.weights.h5, which holds what a .keras
// file has as a part.
func readWeightsH5(path string) (f kerasFile, err error) {
	text, err := wholefile.Read(path)
	if err != nil {
		return f, err
	}
	f.weights, err = hdf5.Read(text)
	return f, err
}

// loadKeras makes the model that a .keras file holds. It is compiled as the file says, if dl
// knows all that it says, and goes on where its optimizer was.
func (create Create) loadKeras(path string, shapes map[string]layers.Shape) (*train.Model, error) {
	f, err := readKeras(path)
	if err != nil {
		return nil, err
	}
	if err := f.adapt(f.model.Config, "layers/"); err != nil {
		return nil, err
	}
	if err := setShapes(f.model.Config, shapes); err != nil {
		return nil, err
	}
	numbers := 0
	for _, d := range f.weights {
		numbers += len(d.Values)
	}
	n, err := create.within(numbers).construct(f.model)
	if err != nil {
		return nil, err
	}
	m := train.New(n)
	m.Lock.Lock()
	err = f.fill(n)
	m.Lock.Unlock()
	if err != nil {
		return nil, err
	}
	if c, err := constructCompiled(f.compile); err == nil && (c.Loss != nil || len(c.Losses) > 0) {
		if m.Compile(c) == nil { // not compiled otherwise
			m.Lock.Lock()
			defer m.Lock.Unlock()
			if err := f.restoreOptimizer(m); err != nil {
				return nil, fmt.Errorf("what the optimizer (%s) remembers: %w", c.Optimizer.Name(), err)
			}
		}
	}
	return m, nil
}

// fill sets all weights of a network to those of the file, or none.
func (f kerasFile) fill(m *network.Network) error {
	if m.Inputs == nil {
		return &fault.NotBuiltError{Model: m.Name}
	}
	paths := kerasPaths(m, "layers/")
	weights := make(map[*network.Variable][]float32)
	for _, w := range network.Kept(m.Weights) {
		path, ok := paths[w.Variable]
		if !ok {
			return fmt.Errorf("weight %q: Keras's name for it is not known", w.Name)
		}
		d, ok := f.weights[path]
		if !ok {
			return fmt.Errorf("expected weight %q of shape %v as %s, got none in the file", w.Name, w.Shape.Dimensions, path)
		}
		if !slices.Equal(d.Shape, w.Shape.Dimensions) {
			return fmt.Errorf("expected weight %q of shape %v, got %v", w.Name, w.Shape.Dimensions, d.Shape)
		}
		if err := w.Check(d.Values); err != nil {
			return fmt.Errorf("weight %q: %w", w.Name, err)
		}
		weights[w.Variable] = d.Values
	}
	for v, values := range weights {
		v.Set(values)
	}
	return nil
}

// kerasPaths says where in Keras's files the weights of a model are. Keras counts the
// layers of each class: dense, dense_1, whatever their names.
func kerasPaths(m *network.Network, prefix string) map[*network.Variable]string {
	paths := make(map[*network.Variable]string)
	inKerasOrder(m, prefix, func(l *network.Layer, path string) {
		at := make(map[string]int)
		for i, w := range l.Spec.Weights {
			if w.State {
				continue
			}
			within := kerasWithin(l.Config, w.Name)
			if !strings.Contains(within, "/vars/") {
				at[within]++
				within = fmt.Sprintf("%s/vars/%d", within, at[within]-1)
			}
			paths[l.Weights[i]] = path + within
		}
	})
	return paths
}

// inKerasOrder visits the layers of a network, and of those that are layers of it, in the order
// of Keras's files, with their paths there.
func inKerasOrder(m *network.Network, prefix string, visit func(l *network.Layer, path string)) {
	order := m.All()
	if m.Listed != nil {
		order = m.Listed
	}
	count := make(map[string]int)
	for _, l := range order {
		path := prefix + counted(count, fileName(l))
		if inner := l.Nested(); inner != nil {
			inKerasOrder(inner, path+"/layers/", visit)
		} else {
			visit(l, path)
		}
	}
}

// classOf is Keras's class of a layer.
func classOf(l *network.Layer) string {
	if l.Nested() != nil || network.AsInput(l.Config) != nil {
		return l.Type()
	}
	return config.ClassOf(l.Config)
}

// fileName is Keras's name of a layer in a file, before it is counted: that of its class.
func fileName(l *network.Layer) string {
	if n, ok := config.As[layers.KerasNamer](l.Config); ok {
		_, name := n.KerasName()
		return name
	}
	return config.KerasSnake(classOf(l))
}

// countedName is Keras's name of a layer in a file: that of its class, and counted.
func countedName(count map[string]int, class string) string {
	return counted(count, config.KerasSnake(class))
}

func counted(count map[string]int, name string) string {
	n := count[name]
	count[name]++
	if n > 0 {
		return fmt.Sprintf("%s_%d", name, n)
	}
	return name
}

// kerasWithin is the part of a layer's path that leads to a weight in it.
func kerasWithin(l layers.Layer, weight string) string {
	if p, ok := l.(layers.KerasPather); ok {
		return p.KerasPath(weight)
	}
	return ""
}

// adapt puts what Normalization layers have been adapted to, which Keras keeps among
// the weights, into their configurations.
func (f kerasFile) adapt(c map[string]any, prefix string) error {
	count := make(map[string]int)
	for i, raw := range list(c["layers"]) {
		entry, _ := raw.(map[string]any)
		class, _ := entry["class_name"].(string)
		fields, _ := entry["config"].(map[string]any)
		if _, graph := c["input_layers"]; !graph && i == 0 && class == "InputLayer" {
			continue
		}
		path := prefix + countedName(count, class)
		switch {
		case fields["layers"] != nil:
			if err := f.adapt(fields, path+"/layers/"); err != nil {
				return err
			}
		case class == "Normalization" && fields != nil && fields["mean"] == nil:
			for i, key := range []string{"mean", "variance"} {
				d, ok := f.weights[fmt.Sprintf("%s/vars/%d", path, i)]
				if !ok {
					return fmt.Errorf("layer %v (Normalization): expected its %s in the file, got none: it was not adapted", fields["name"], key)
				}
				var values []any
				for _, v := range d.Values {
					values = append(values, float64(v))
				}
				fields[key] = values
			}
		}
	}
	return nil
}
