// Package safetensors reads tensors by name from files of Hugging Face's format, one at a time
// and in their own types:
//
//	r, err := safetensors.Open("model.safetensors")
//	t, err := r.Tensor("embeddings.word_embeddings.weight")
//
// A model takes its weights from one by Model.SetWeightsFrom.
//
// Source: https://github.com/huggingface/safetensors#format
package safetensors

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/safetensors"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Reader is a file, or several that hold the tensors of one model.
type Reader struct {
	files  []*safetensors.Source
	places map[string]place
	meta   map[string]string
}

type place struct {
	file *safetensors.Source
	info safetensors.Info
}

// Open opens a file, or all files that an index, model.safetensors.index.json, names. Only
// their headers are read. A file whose tensors overlap, leave gaps, or have anything behind
// them is refused, as is a name that is there twice: the error is a *dl.FormatError.
func Open(path string) (*Reader, error) {
	r, err := open(path)
	if err != nil {
		if errors.As(err, new(*os.PathError)) {
			return nil, fmt.Errorf("safetensors: %w", err)
		}
		return nil, &dl.FormatError{Path: path, Err: fmt.Errorf("safetensors: cannot open %s: %w", path, err)}
	}
	return r, nil
}

func open(path string) (*Reader, error) {
	r := &Reader{places: make(map[string]place), meta: make(map[string]string)}
	paths := []string{path}
	if strings.HasSuffix(path, ".json") {
		var err error
		if paths, err = shards(path); err != nil {
			return nil, err
		}
	}
	for _, p := range paths {
		if err := r.add(p); err != nil {
			_ = r.Close()
			if len(paths) > 1 {
				err = fmt.Errorf("%s: %w", filepath.Base(p), err)
			}
			return nil, err
		}
	}
	return r, nil
}

// shards are the files that an index names, beside it.
func shards(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil || len(index.WeightMap) == 0 {
		return nil, fmt.Errorf("expected an index with a weight_map, got %.40q", text)
	}
	names := make(map[string]bool)
	for _, name := range index.WeightMap {
		if !filepath.IsLocal(name) {
			return nil, fmt.Errorf("expected files beside the index, got %q", name)
		}
		names[filepath.Join(filepath.Dir(path), name)] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}

func (r *Reader) add(path string) error {
	s, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	r.files = append(r.files, s)
	maps.Copy(r.meta, s.Metadata)
	for _, i := range s.Infos {
		if _, doubled := r.places[i.Name]; doubled {
			return fmt.Errorf("tensor %q is in two files", i.Name)
		}
		r.places[i.Name] = place{s, i}
	}
	return nil
}

// Close closes the files. Tensors that were read stay.
func (r *Reader) Close() error {
	var all []error
	for _, f := range r.files {
		all = append(all, f.Close())
	}
	return errors.Join(all...)
}

// Metadata are the strings that the files carry.
func (r *Reader) Metadata() map[string]string { return maps.Clone(r.meta) }

// Names are the tensors' names, sorted.
func (r *Reader) Names() []string { return slices.Sorted(maps.Keys(r.places)) }

// types are the types of numbers that tensors can have here.
var types = map[string]tensor.DType{
	"BOOL": dtypes.Bool, "U8": dtypes.Uint8, "I8": dtypes.Int8, "I16": dtypes.Int16, "U16": dtypes.Uint16, "F16": dtypes.Float16,
	"BF16": dtypes.BFloat16, "I32": dtypes.Int32, "U32": dtypes.Uint32, "F32": dtypes.Float32, "F64": dtypes.Float64,
	"I64": dtypes.Int64, "U64": dtypes.Uint64,
}

// Shape is a tensor's type and dimensions, without reading it. The error says which names
// there are, or that the type is not supported.
func (r *Reader) Shape(name string) (tensor.Shape, error) {
	p, ok := r.places[name]
	if !ok {
		return tensor.Shape{}, fmt.Errorf("safetensors: expected one of %s, got %q", few(r.Names()), name)
	}
	d, ok := types[p.info.DType]
	if !ok {
		return tensor.Shape{}, fmt.Errorf("safetensors: tensor %q: numbers of type %s are not supported", name, p.info.DType)
	}
	return shapes.Make(d, p.info.Shape...), nil
}

// few are the first of many names.
func few(names []string) string {
	if len(names) > 8 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:8], ", "), len(names)-8)
	}
	return strings.Join(names, ", ")
}

// Tensor reads a tensor, in its own type.
func (r *Reader) Tensor(name string) (*tensor.Tensor, error) {
	s, err := r.Shape(name)
	if err != nil {
		return nil, err
	}
	p := r.places[name]
	t := tensors.FromShape(s)
	if p.info.Size() == 0 {
		return t, nil
	}
	if e := t.MutableBytes(func(b []byte) { err = p.file.Read(p.info, b) }); e != nil {
		err = e
	}
	if err != nil {
		return nil, fmt.Errorf("safetensors: tensor %q: %w", name, err)
	}
	return t, nil
}
