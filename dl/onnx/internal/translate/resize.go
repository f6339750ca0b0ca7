package translate

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

func init() {
	add(map[string]operator{
		"Resize": {
			Attributes: "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value keep_aspect_ratio_policy mode nearest_mode",
			Inputs:     4, Types: numeric, Rule: resize,
		},
		"Upsample": {Attributes: "mode scales height_scale width_scale", Inputs: 2, Types: numeric, Rule: upsample},
	})
}

// scaling is how one axis is resized.
type scaling struct {
	mode, transform, nearest string
	in, out                  int
	scale                    float64
	roi                      [2]float64
	cubic                    float64
	antialias, inside        bool
}

// resize goes through the axes one by one: what each number of the output is made of
// depends on its place in each axis alone.
func resize(c *call) []*value {
	in := c.value(0).shape().Dimensions
	axes := from(0, len(in))
	if a, ok := c.attribute("axes"); ok {
		axes = axesOf(narrow(a.Ints), len(in))
	}
	base := scaling{
		mode:      c.text("mode", "nearest", "linear", "cubic"),
		transform: c.text("coordinate_transformation_mode", "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize", "tf_half_pixel_for_nn"),
		nearest:   c.text("nearest_mode", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
		cubic:     c.float("cubic_coeff_a", -0.75), antialias: c.flag("antialias"), inside: c.flag("exclude_outside"),
	}
	scalesAt, sizesAt, roiAt := 2, 3, 1
	if c.opset < 11 { // opset 10 had scales right behind the input, and one way
		scalesAt, sizesAt, roiAt = 1, -1, -1
		base.transform, base.nearest = "asymmetric", "floor"
	}
	var roi []float64
	if base.transform == "tf_crop_and_resize" && c.has(roiAt) {
		roi = Reals(c.known(roiAt))
	}
	if base.transform == "tf_crop_and_resize" && len(roi) != 2*len(axes) {
		panic(fmt.Errorf("expected a roi of %d numbers, got %d", 2*len(axes), len(roi)))
	}
	sizes, scales := c.resizeTo(scalesAt, sizesAt, in, axes)
	all := make(map[int]scaling)
	for i, axis := range axes {
		s := base
		s.in, s.out, s.scale = in[axis], sizes[i], scales[i]
		if c.opset < 11 && s.scale < 1 { // what onnxruntime does for files of that time
			s.nearest = "ceil"
		}
		if roi != nil {
			s.roi = [2]float64{roi[i], roi[len(axes)+i]}
		}
		if s.in != s.out || s.scale != 1 || roi != nil {
			all[axis] = s
		}
	}
	return c.resized(all)
}

// resizeTo are the sizes and scales of axes that are to be resized.
func (c *call) resizeTo(scalesAt, sizesAt int, in, axes []int) (sizes []int, scales []float64) {
	if c.has(scalesAt) && c.value(scalesAt).shape().Size() > 0 {
		scales = Reals(c.known(scalesAt))
	}
	if sizesAt >= 0 && c.has(sizesAt) && c.value(sizesAt).shape().Size() > 0 {
		sizes = c.ints(sizesAt)
	}
	if (scales == nil) == (sizes == nil) || max(len(scales), len(sizes)) != len(axes) {
		panic(fmt.Errorf("expected %d scales or sizes, got %v and %v", len(axes), scales, sizes))
	}
	if scales != nil {
		for i, axis := range axes {
			if !(scales[i] > 0) || scales[i]*float64(in[axis]) > 1<<40 {
				panic(fmt.Errorf("expected scales above 0, got %v", scales))
			}
			sizes = append(sizes, int(float32(in[axis])*float32(scales[i])))
		}
		return sizes, scales
	}
	sizes = slices.Clone(sizes)
	policy := c.text("keep_aspect_ratio_policy", "stretch", "not_larger", "not_smaller")
	if policy != "stretch" {
		scale := float64(sizes[0]) / float64(in[axes[0]])
		for i, axis := range axes {
			s := float64(sizes[i]) / float64(in[axis])
			if policy == "not_larger" {
				scale = math.Min(scale, s)
			} else {
				scale = math.Max(scale, s)
			}
		}
		for i, axis := range axes {
			sizes[i] = int(math.Floor(scale*float64(in[axis]) + 0.5))
			scales = append(scales, scale)
		}
		return sizes, scales
	}
	for i, axis := range axes {
		scales = append(scales, float64(sizes[i])/float64(in[axis]))
	}
	return sizes, scales
}

// resized leaves channels where they are.
func (c *call) resized(all map[int]scaling) []*value {
	v := c.value(0)
	x, last := v.node, v.last
	if !last {
		x = c.node(v)
	}
	rank := x.Rank()
	dims := slices.Clone(v.shape().Dimensions)
	for axis, s := range all {
		dims[axis] = s.out
	}
	c.fits(sized(x.DType(), dims))
	kind := x.DType()
	whole := kind.IsInt() && slices.ContainsFunc(slices.Collect(mapValues(all)), func(s scaling) bool { return s.mode != "nearest" })
	if whole {
		x = graph.ConvertDType(x, dtypes.Float32)
	}
	extra := c.float("extrapolation_value", 0)
	var outside *graph.Node // where a crop has nothing
	for axis := range rank {
		s, ok := all[axis]
		if !ok {
			continue
		}
		at := axis
		if last {
			at = atLast(axis, rank)
		}
		var out []bool
		x, out = s.along(x, at)
		if slices.Contains(out, true) {
			d := ones(rank)
			d[at] = len(out)
			o := graph.Reshape(graph.Const(c.g, out), d...)
			if outside == nil {
				outside = o
			} else {
				outside = graph.LogicalOr(outside, o)
			}
		}
	}
	if outside != nil {
		x = graph.Where(graph.BroadcastToDims(outside, x.Shape().Dimensions...), filled(x, extra), x)
	}
	if whole {
		x = graph.ConvertDType(x, kind) // towards zero, as onnxruntime does
	}
	return []*value{{node: x, last: last}}
}

func mapValues(m map[int]scaling) func(yield func(scaling) bool) {
	return func(yield func(scaling) bool) {
		for _, s := range m {
			if !yield(s) {
				return
			}
		}
	}
}
