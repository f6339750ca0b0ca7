package viz

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/tensor"
)

// ConvolutionConfig says how Convolution slides.
type ConvolutionConfig struct {
	// Stride is the step between two places, in cells; 0 means 1.
	Stride int
	// Flip turns the kernel by 180 degrees first: the convolution of mathematics.
	// Without it, it is the cross-correlation that frameworks compute.
	Flip bool
}

// maxPlaces is how many places of the kernel have a step of their own.
const maxPlaces = 144

// Convolution shows a kernel, [height, width], as it slides over an image,
// [height, width]: with a slider for its place, and at each place the products
// whose sum is the output's cell. There is no padding.
//
// Source: Dumoulin, Visin, A guide to convolution arithmetic for deep learning, 2016.
func Convolution(img, kernel *tensor.Tensor, c ConvolutionConfig) (*Chart, error) {
	in, err := matrixOf(img, "convolution: image")
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	k, err := matrixOf(kernel, "convolution: kernel")
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	if c.Stride == 0 {
		c.Stride = 1
	}
	if c.Stride < 0 || k.rows > in.rows || k.cols > in.cols {
		return nil, fmt.Errorf("viz: convolution: expected a positive stride and a kernel of at most %d × %d, got %d and %d × %d", in.rows, in.cols, c.Stride, k.rows, k.cols)
	}
	if c.Flip {
		k = newMatrix(k.rows, k.cols, func(i, j int) float64 { return k.at(k.rows-1-i, k.cols-1-j) })
	}
	rows, cols := (in.rows-k.rows)/c.Stride+1, (in.cols-k.cols)/c.Stride+1
	if rows*cols > maxPlaces {
		return nil, fmt.Errorf("viz: convolution: expected at most %d places for the kernel to be, got %d × %d; take a part of the image or a longer stride", maxPlaces, rows, cols)
	}
	out := newMatrix(rows, cols, func(i, j int) (sum float64) {
		for a := range k.rows {
			for b := range k.cols {
				sum += in.at(i*c.Stride+a, j*c.Stride+b) * k.at(a, b)
			}
		}
		return sum
	})
	return slide(in, k, out, c.Stride)
}

// slide is the chart of a convolution whose output is known.
func slide(in, k, out matrix, stride int) (*Chart, error) {
	var scales [3]scale
	for i, m := range []matrix{in, k, out} {
		var err error
		if scales[i], err = scaleOf(m.v, 0, 0); err != nil {
			return nil, fmt.Errorf("viz: convolution: %w", err)
		}
	}
	option := optionOf(panelled([]string{say("image"), say("kernel"), say("output")}))
	var maps array
	for i, m := range []matrix{in, k, out} {
		rows, _ := names(nil, m.rows, "rows")
		columns, _ := names(nil, m.cols, "columns")
		quiet := object{"axisTick": object{"show": false}, "axisLabel": object{"show": m.rows <= 30}, "axisLine": object{"show": false}}
		option.add("xAxis", categories("", columns, i, quiet))
		y := categories("", rows, i, quiet)
		y["inverse"] = true
		option.add("yAxis", y)
		cells := m.cells(scales[i], m.rows*m.cols <= 150, rows, columns)
		cells["xAxisIndex"], cells["yAxisIndex"], cells["id"] = i, i, fmt.Sprint(i)
		if i == 2 {
			cells["data"] = array{}
		}
		option.add("series", cells)
		v := scales[i].visualMap(object{"show": false, "seriesIndex": i})
		maps = append(maps, v)
	}
	option["visualMap"], option["tooltip"] = maps, tooltip("item")
	rows, _ := names(nil, out.rows, "rows")
	columns, _ := names(nil, out.cols, "columns")
	done, _ := out.cells(scales[2], out.rows*out.cols <= 150, rows, columns)["data"].(array)
	for _, panel := range []int{0, 2} {
		option.add("series", window(panel, 0, 0, 0, 0))
	}
	var frames []frame
	for place := range done {
		i, j := place/out.cols, place%out.cols
		top, left := i*stride, j*stride
		frames = append(frames, frame{
			say("place %d of %d: %s", place+1, len(done), product(in, k, top, left, out.at(i, j))),
			object{"series": array{
				object{"id": "2", "data": done[:place+1]},
				window(0, left, top, left+k.cols-1, top+k.rows-1), window(2, j, i, j, i),
			}},
		})
	}
	option["series"].(array)[2].(object)["data"] = done
	c, err := newChart(object(option), say("convolution of %d × %d with %d × %d, stride %d, to %d × %d", in.rows, in.cols, k.rows, k.cols, stride, out.rows, out.cols))
	if err != nil {
		return nil, err
	}
	option["series"].(array)[2].(object)["data"] = array{}
	c.panels = &panels{Columns: 3, Height: 220, Aspect: 1, Above: 4, Least: 200, Left: 30, Bottom: 30}
	c.frames, c.still = frames, len(frames)/2
	return c, nil
}

// window frames some cells of a panel.
func window(panel, x0, y0, x1, y1 int) object {
	return object{
		"type": "window", "id": fmt.Sprintf("window%d", panel), "xAxisIndex": panel, "yAxisIndex": panel, "z": 5,
		"cells": true, "color": validationColor, "data": array{array{x0, y0}, array{x1, y1}},
	}
}

// product is the sum at one place, as one writes it.
func product(in, k matrix, top, left int, sum float64) string {
	if k.rows*k.cols > 9 {
		return "= " + shortNumber(sum)
	}
	s := ""
	for a := range k.rows {
		for b := range k.cols {
			if s != "" {
				s += " + "
			}
			s += shortNumber(in.at(top+a, left+b)) + "·" + shortNumber(k.at(a, b))
		}
	}
	return s + " = " + shortNumber(sum)
}
