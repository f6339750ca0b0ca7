package viz

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
)

// Flame is a part of a whole: a function, and what it calls.
type Flame struct {
	Name string
	// Value is what the part takes, with its children; less than they take together
	// counts as that.
	Value    float64
	Children []Flame
}

// flameShare is the share of the whole below which a part is not drawn.
const flameShare = 0.001

// flameColors are light enough for dark text in any theme.
var flameColors = array{"#fdba74", "#fcd34d", "#fca5a5", "#fde68a", "#f9a8d4", "#d9f99d"}

// FlameChart draws a flame graph from above: the whole, below it its parts, as wide as
// their shares, and so on. format writes a value; nil writes it as a number.
//
// Source: Gregg, "The Flame Graph", Communications of the ACM 59(6), 2016.
func FlameChart(root Flame, format func(float64) string) (*Chart, error) {
	if format == nil {
		format = shortNumber
	}
	f := flames{format: format}
	f.total = f.size(root)
	if f.total <= 0 || math.IsInf(f.total, 0) || math.IsNaN(f.total) {
		return nil, fmt.Errorf("viz: flame chart: expected a whole above 0, got %v", f.total)
	}
	f.add(root, 0, 0)
	hidden := object{"show": false}
	option := object{
		"tooltip": tooltip("item"),
		"grid":    object{"left": 8, "right": 8, "top": 8, "bottom": 8},
		"xAxis":   object{"type": "value", "min": 0, "max": f.total, "show": false, "splitLine": hidden},
		"yAxis":   object{"type": "value", "min": 0, "max": f.depth, "inverse": true, "show": false, "splitLine": hidden},
		"series":  array{object{"type": "flame", "data": f.data}},
	}
	c, err := newChart(option, f.words(root))
	if err != nil {
		return nil, err
	}
	c.height = min(max(f.depth*22+16, 120), 1200)
	return c, nil
}

type flames struct {
	format func(float64) string
	total  float64
	depth  int
	data   array
}

// size is what a part takes: its value, or that of its children together.
func (f *flames) size(p Flame) float64 {
	sum := 0.0
	for _, c := range p.Children {
		sum += f.size(c)
	}
	return max(p.Value, sum)
}

// add adds a part that begins at a place.
func (f *flames) add(p Flame, from float64, depth int) {
	size := f.size(p)
	if size < flameShare*f.total {
		return
	}
	f.depth = max(f.depth, depth+1)
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.Name)) // it never fails
	f.data = append(f.data, object{
		"value": array{from, from + size, depth}, "name": visible(p.Name), "color": flameColors[int(h.Sum32())%len(flameColors)],
		"words": fmt.Sprintf("%s\n%s, %.1f %%", visible(p.Name), f.format(size), 100*size/f.total),
	})
	children := slices.Clone(p.Children)
	slices.SortStableFunc(children, func(a, b Flame) int { return strings.Compare(a.Name, b.Name) })
	for _, c := range children {
		f.add(c, from, depth+1)
		from += f.size(c)
	}
}

// words are the parts that take the most by themselves.
func (f *flames) words(root Flame) string {
	own := map[string]float64{}
	var walk func(Flame)
	walk = func(p Flame) {
		rest := f.size(p)
		for _, c := range p.Children {
			rest -= f.size(c)
			walk(c)
		}
		own[p.Name] += rest
	}
	walk(root)
	var names []string
	for name := range own {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if own[a] != own[b] {
			return int(math.Copysign(1, own[b]-own[a]))
		}
		return strings.Compare(a, b)
	})
	parts := []string{say("%s in all", f.format(f.total))}
	for _, name := range names[:min(5, len(names))] {
		if own[name] >= flameShare*f.total {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", visible(name), 100*own[name]/f.total))
		}
	}
	return say("flame chart: ") + strings.Join(parts, "; ")
}
