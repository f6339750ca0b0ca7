// Package mapping turns tensors of other programs' files into weights.
package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
)

// Match says whether a name fits a pattern, in which * stands for anything but a slash, and
// what each stands for.
func Match(pattern, name string) (stars []string, ok bool) {
	before, rest, has := strings.Cut(pattern, "*")
	if !has {
		return nil, pattern == name
	}
	if !strings.HasPrefix(name, before) {
		return nil, false
	}
	name = name[len(before):]
	for n := 0; n <= len(name); n++ {
		if n > 0 && name[n-1] == '/' {
			return nil, false
		}
		if more, ok := Match(rest, name[n:]); ok && n > 0 {
			return append([]string{name[:n]}, more...), true
		}
	}
	return nil, false
}

// Fill puts what stars stand for into a name, in turn.
func Fill(name string, stars []string) string {
	for _, s := range stars {
		name = strings.Replace(name, "*", s, 1)
	}
	return name
}

// Apply is a part of a tensor as float32, with its axes in another order.
func Apply(t *tensors.Tensor, axes []int, parts, part int) (*tensors.Tensor, error) {
	values, err := floats(t)
	if err != nil {
		return nil, err
	}
	dims := slices.Clone(t.Shape().Dimensions)
	if parts > 0 {
		if len(dims) == 0 || dims[0]%parts != 0 || part < 0 || part >= parts {
			return nil, fmt.Errorf("shape %v cannot be cut into %d parts of which %d is taken", dims, parts, part)
		}
		dims[0] /= parts
		n := len(values) / parts
		values = values[part*n : (part+1)*n]
	}
	out := tensors.FromFlatDataAndDimensions(values, dims...)
	if axes == nil {
		return out, nil
	}
	sorted := slices.Sorted(slices.Values(axes))
	for i, a := range sorted {
		if a != i || len(axes) != len(dims) {
			return nil, fmt.Errorf("expected each of %d axes once, got %v", len(dims), axes)
		}
	}
	return Permuted(out, axes), nil
}

// Fit is a tensor in a shape: its own, or one of as many numbers if that is wanted.
func Fit(name string, t *tensors.Tensor, dims []int, reshape bool) (*tensors.Tensor, error) {
	got := t.Shape().Dimensions
	if slices.Equal(got, dims) {
		return t, nil
	}
	if !reshape || t.Size() != shapes.Make(dtypes.Float32, dims...).Size() {
		return nil, fmt.Errorf("tensor %q has shape %v", name, got)
	}
	values, err := floats(t)
	if err != nil {
		return nil, err
	}
	return tensors.FromFlatDataAndDimensions(values, dims...), nil
}

// NotNumbers is how many values of a tensor of float32 are none.
func NotNumbers(t *tensors.Tensor) (n int) {
	t.MustConstFlatData(func(flat any) {
		values, _ := flat.([]float32)
		for _, v := range values {
			if v != v {
				n++
			}
		}
	})
	return n
}

func floats(t *tensors.Tensor) (out []float32, err error) {
	e := t.ConstFlatData(func(flat any) {
		switch v := flat.(type) {
		case []float32:
			out = slices.Clone(v)
		case []float64:
			for _, x := range v {
				out = append(out, float32(x))
			}
		case []float16.Float16:
			for _, x := range v {
				out = append(out, x.Float32())
			}
		case []bfloat16.BFloat16:
			for _, x := range v {
				out = append(out, x.Float32())
			}
		default:
			err = fmt.Errorf("expected floats, got %s", t.DType())
		}
	})
	if e != nil {
		err = e
	}
	return out, err
}
