package viz

import (
	"fmt"
	"math"
)

// Landscape is a loss over a plane, with the paths that optimizers take on it.
type Landscape struct {
	// Loss is the height at a point.
	Loss func(x, y float64) float64
	// X and Y are the ranges that are drawn; zero means from −1 to 1.
	X, Y [2]float64
	// Points is the number of points along each side; 0 means 40.
	Points int
	// Paths are the steps of optimizers, [x, y] each.
	Paths []Path
	// Log draws the logarithm of the loss: for valleys with steep walls.
	Log bool
}

// Path is where an optimizer went.
type Path struct {
	Name  string
	Steps [][2]float64
}

func (l Landscape) grid() (m matrix, xs, ys []float64, err error) {
	if l.Loss == nil {
		return m, nil, nil, fmt.Errorf("viz: landscape: expected a Loss, got nil")
	}
	n := l.Points
	if n == 0 {
		n = 40
	}
	if n < 2 || n > 200 {
		return m, nil, nil, fmt.Errorf("viz: landscape: expected from 2 to 200 points along a side, got %d", n)
	}
	along := func(r [2]float64) []float64 {
		if r == [2]float64{} {
			r = [2]float64{-1, 1}
		}
		v := make([]float64, n)
		for i := range v {
			v[i] = r[0] + (r[1]-r[0])*float64(i)/float64(n-1)
		}
		return v
	}
	xs, ys = along(l.X), along(l.Y)
	m = newMatrix(n, n, func(i, j int) float64 { return l.height(xs[j], ys[i]) })
	if _, _, found := span(m.v); !found {
		return m, nil, nil, fmt.Errorf("viz: landscape: expected at least one finite loss, got none")
	}
	return m, xs, ys, nil
}

func (l Landscape) height(x, y float64) float64 {
	v := l.Loss(x, y)
	if l.Log {
		return math.Log10(v)
	}
	return v
}

func (l Landscape) words() string {
	text := say("loss landscape")
	for _, p := range l.Paths {
		if n := len(p.Steps); n > 0 {
			end := p.Steps[n-1]
			text += fmt.Sprintf("; %s: %d steps to (%s, %s), loss %s", p.Name, n-1, shortNumber(end[0]), shortNumber(end[1]), shortNumber(l.Loss(end[0], end[1])))
		}
	}
	return text
}

// Contour draws the landscape from above, with lines of equal loss.
func (l Landscape) Contour() (*Chart, error) {
	m, xs, ys, err := l.grid()
	if err != nil {
		return nil, err
	}
	if _, err := scaleOf(m.v, 0, 0); err != nil {
		return nil, fmt.Errorf("viz: landscape: %w", err)
	}
	low, high, _ := span(m.v)
	s := scale{low, high, array{"#1e3a8a", "#3b82f6", "#a5f3fc", "#fef3c7", "#f97316"}}
	if !(s.high > s.low) {
		s.high = s.low + max(1, math.Abs(s.low)*1e-9)
	}
	// Rows of a picture go down, an axis goes up.
	up := newMatrix(m.rows, m.cols, func(i, j int) float64 { return m.at(m.rows-1-i, j) })
	n := len(xs)
	option := optionOf{
		"tooltip": tooltip("item"), "legend": object{"show": len(l.Paths) > 0, "top": 0},
		"xAxis": axis("", 0, object{"min": xs[0], "max": rounded(xs[n-1]), "splitLine": object{"show": false}, "axisLine": object{"onZero": false}}),
		"yAxis": axis("", 0, object{"min": ys[0], "max": rounded(ys[n-1]), "splitLine": object{"show": false}, "axisLine": object{"onZero": false}}),
		"grid":  object{"left": 48, "right": 20, "top": 34, "bottom": 30},
	}
	option.add("series", object{
		"type": "raster", "image": dataURL(up.fine(4).picture(s, 1)), "opacity": 0.75,
		"data": array{array{xs[0], ys[0]}, array{xs[n-1], ys[n-1]}},
	})
	const levels = 10
	for i := range levels {
		level := s.low + (s.high-s.low)*math.Pow((float64(i)+0.5)/levels, 2) // closer together in the valley
		option.add("series", object{
			"type": "lines", "coordinateSystem": "cartesian2d", "polyline": true, "silent": true, "z": 2,
			"data": contour(m, xs, ys, level), "lineStyle": object{"color": "#0f172a", "opacity": 0.35, "width": 1},
		})
	}
	for i, p := range l.Paths {
		option.add("series", pathSeries(p, i, func(x, y float64) array { return array{rounded(x), rounded(y)} }, "line"))
	}
	c, err := newChart(object(option), l.words())
	if err != nil {
		return nil, err
	}
	c.height, c.staticWidth, c.fixed = 460, 560, true
	return c, nil
}

func pathSeries(p Path, i int, at func(x, y float64) array, kind string) object {
	var data array
	y := make([]float64, len(p.Steps))
	for k, s := range p.Steps {
		y[k] = s[1]
	}
	for _, k := range extremes(y, curvePoints) {
		data = append(data, at(p.Steps[k][0], p.Steps[k][1]))
	}
	color := []string{wrongColor, "#7c3aed", "#059669", "#db2777", "#b45309"}[i%5]
	return object{
		"type": kind, "name": visible(p.Name), "data": data, "color": color, "z": 4, "symbol": "circle", "symbolSize": 5, "showSymbol": len(p.Steps) <= 60, "showAllSymbol": true,
		"lineStyle": object{"width": 2.5, "color": color},
	}
}

func pathNames(paths []Path) array {
	all := array{}
	for _, p := range paths {
		all = append(all, visible(p.Name))
	}
	return all
}

// Surface draws the landscape in space. It can be turned with the pointer.
func (l Landscape) Surface() (*Chart, error) {
	if l.Points == 0 {
		l.Points = 24
	}
	m, xs, ys, err := l.grid()
	if err != nil {
		return nil, err
	}
	low, high, _ := span(m.v)
	var data array
	for i, y := range ys {
		for j, x := range xs {
			if v := rounded(m.at(i, j)); v != nil {
				data = append(data, array{rounded(x), rounded(y), v})
			}
		}
	}
	name := say("loss")
	if l.Log {
		name = say("log₁₀ loss")
	}
	option := optionOf{
		"tooltip": tooltip("item"), "legend": object{"show": len(l.Paths) > 0, "top": 0},
		"xAxis3D":   object{"name": "x", "min": xs[0], "max": rounded(xs[len(xs)-1])},
		"yAxis3D":   object{"name": "y", "min": ys[0], "max": rounded(ys[len(ys)-1])},
		"zAxis3D":   object{"name": name},
		"grid3D":    object{},
		"visualMap": object{"show": false, "type": "continuous", "min": number(low), "max": number(max(high, low+1e-12)), "inRange": object{"color": array{"#1e3a8a", "#3b82f6", "#a5f3fc", "#fef3c7", "#f97316"}}},
	}
	option["legend"].(object)["data"] = pathNames(l.Paths)
	option.add("series", object{"type": "surface", "name": name, "data": data})
	lift := (high - low) / 60
	for i, p := range l.Paths {
		option.add("series", pathSeries(p, i, func(x, y float64) array {
			return array{rounded(x), rounded(y), rounded(l.height(x, y) + lift)}
		}, "line3D"))
	}
	c, err := newChart(object(option), l.words())
	if err != nil {
		return nil, err
	}
	c.height, c.staticWidth, c.fixed = 460, 620, true
	return c, nil
}

// fine is a matrix with more points in between.
func (m matrix) fine(factor int) matrix {
	rows, cols := m.rows*factor, m.cols*factor
	return newMatrix(rows, cols, func(i, j int) float64 {
		return m.smooth((float64(i)+0.5)/float64(rows), (float64(j)+0.5)/float64(cols))
	})
}

// contour finds where a matrix crosses a level, as short lines in the cells
// between its points.
//
// Source: marching squares, https://en.wikipedia.org/wiki/Marching_squares
func contour(m matrix, xs, ys []float64, level float64) array {
	var out array
	cross := func(x0, y0, a, x1, y1, b float64) (array, bool) {
		if (a < level) == (b < level) || math.IsNaN(a) || math.IsNaN(b) || math.IsInf(a, 0) || math.IsInf(b, 0) {
			return nil, false
		}
		t := (level - a) / (b - a)
		return array{rounded(x0 + t*(x1-x0)), rounded(y0 + t*(y1-y0))}, true
	}
	for i := range m.rows - 1 {
		for j := range m.cols - 1 {
			x0, x1, y0, y1 := xs[j], xs[j+1], ys[i], ys[i+1]
			a, b, c, d := m.at(i, j), m.at(i, j+1), m.at(i+1, j+1), m.at(i+1, j)
			var ends array
			for _, side := range [4][6]float64{{x0, y0, a, x1, y0, b}, {x1, y0, b, x1, y1, c}, {x1, y1, c, x0, y1, d}, {x0, y1, d, x0, y0, a}} {
				if p, ok := cross(side[0], side[1], side[2], side[3], side[4], side[5]); ok {
					ends = append(ends, p)
				}
			}
			for k := 0; k+1 < len(ends); k += 2 {
				out = append(out, object{"coords": array{ends[k], ends[k+1]}})
			}
		}
	}
	return out
}
