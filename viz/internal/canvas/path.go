package canvas

import "math"

func (c *Context) at(x, y float64) (float64, float64) { return c.m.TransformPoint(x, y) }

// BeginPath starts an empty path.
func (c *Context) BeginPath() { c.path = c.path[:0:0] }

// MoveTo starts a part of the path.
func (c *Context) MoveTo(x, y float64) {
	x, y = c.at(x, y)
	c.path = append(c.path, segment{'M', [6]float64{x, y}})
}

// LineTo goes on in a line.
func (c *Context) LineTo(x, y float64) {
	op := byte('L')
	if len(c.path) == 0 {
		op = 'M'
	}
	x, y = c.at(x, y)
	c.path = append(c.path, segment{op, [6]float64{x, y}})
}

// BezierCurveTo goes on in a cubic curve.
func (c *Context) BezierCurveTo(x1, y1, x2, y2, x, y float64) {
	var s segment
	s.op = 'C'
	s.p[0], s.p[1] = c.at(x1, y1)
	s.p[2], s.p[3] = c.at(x2, y2)
	s.p[4], s.p[5] = c.at(x, y)
	c.path = append(c.path, s)
}

// QuadraticCurveTo goes on in a quadratic curve.
func (c *Context) QuadraticCurveTo(x1, y1, x, y float64) {
	if len(c.path) == 0 {
		c.MoveTo(x1, y1)
	}
	last := c.path[len(c.path)-1]
	fromX, fromY := last.p[0], last.p[1]
	if last.op == 'C' {
		fromX, fromY = last.p[4], last.p[5]
	}
	mx, my := c.at(x1, y1)
	ex, ey := c.at(x, y)
	c.path = append(c.path, segment{'C', [6]float64{
		fromX + 2*(mx-fromX)/3, fromY + 2*(my-fromY)/3, ex + 2*(mx-ex)/3, ey + 2*(my-ey)/3, ex, ey,
	}})
}

// ClosePath goes back to where the part began.
func (c *Context) ClosePath() { c.path = append(c.path, segment{op: 'Z'}) }

// Rect adds a rectangle.
func (c *Context) Rect(x, y, w, h float64) {
	c.MoveTo(x, y)
	c.LineTo(x+w, y)
	c.LineTo(x+w, y+h)
	c.LineTo(x, y+h)
	c.ClosePath()
}

// Arc adds a part of a circle.
func (c *Context) Arc(x, y, r, start, end float64, anticlockwise bool) {
	c.Ellipse(x, y, r, r, 0, start, end, anticlockwise)
}

// Ellipse adds a part of an ellipse, in cubic curves of at most a quarter turn.
func (c *Context) Ellipse(x, y, rx, ry, turn, start, end float64, anticlockwise bool) {
	sweep := end - start
	switch {
	case !anticlockwise && sweep >= 2*math.Pi, anticlockwise && sweep <= -2*math.Pi:
		sweep = math.Copysign(2*math.Pi, sweep)
	case !anticlockwise:
		sweep = math.Mod(math.Mod(sweep, 2*math.Pi)+2*math.Pi, 2*math.Pi)
	default:
		sweep = -math.Mod(math.Mod(-sweep, 2*math.Pi)+2*math.Pi, 2*math.Pi)
	}
	cos, sin := math.Cos(turn), math.Sin(turn)
	place := func(u, v float64) (float64, float64) { return x + u*rx*cos - v*ry*sin, y + u*rx*sin + v*ry*cos }
	px, py := place(math.Cos(start), math.Sin(start))
	c.LineTo(px, py)
	n := int(math.Ceil(math.Abs(sweep) / (math.Pi / 2)))
	for i := range n {
		a, b := start+sweep*float64(i)/float64(n), start+sweep*float64(i+1)/float64(n)
		k := 4.0 / 3 * math.Tan((b-a)/4)
		x1, y1 := place(math.Cos(a)-k*math.Sin(a), math.Sin(a)+k*math.Cos(a))
		x2, y2 := place(math.Cos(b)+k*math.Sin(b), math.Sin(b)-k*math.Cos(b))
		x3, y3 := place(math.Cos(b), math.Sin(b))
		c.BezierCurveTo(x1, y1, x2, y2, x3, y3)
	}
}

// ArcTo is not called by echarts' shapes with a radius that matters.
func (c *Context) ArcTo(x1, y1, x2, y2, _ float64) {
	c.LineTo(x1, y1)
	c.LineTo(x2, y2)
}
