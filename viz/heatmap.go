package viz

import (
	"fmt"
	"maps"
	"math"

	"github.com/gradbook/gradbook/dl/tensor"
)

// HeatmapConfig says how Heatmap draws.
type HeatmapConfig struct {
	// Rows and Columns name the rows and columns; nil means numbers from 0.
	Rows, Columns []string
	// RowsName and ColumnsName name the axes.
	RowsName, ColumnsName string
	// NoValues leaves the numbers out of the cells. They are left out of matrices
	// with more than 400 cells anyway.
	NoValues bool
	// Min and Max are the ends of the colours' scale. If both are 0, the scale is
	// that of the values: around zero where there are negative ones.
	Min, Max float64
}

const (
	maxValues = 400  // cells with numbers in them
	maxCells  = 4000 // cells that are drawn and pointed at one by one
)

// Heatmap draws a tensor of shape [rows, columns] as coloured cells with their
// values. Large tensors become a picture. What is no number is left white.
func Heatmap(t *tensor.Tensor, c HeatmapConfig) (*Chart, error) {
	m, err := matrixOf(t, "heat map")
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	return heatmap(m, c)
}

func heatmap(m matrix, c HeatmapConfig) (*Chart, error) {
	rows, err := names(c.Rows, m.rows, "rows")
	if err != nil {
		return nil, fmt.Errorf("viz: heat map: %w", err)
	}
	columns, err := names(c.Columns, m.cols, "columns")
	if err != nil {
		return nil, fmt.Errorf("viz: heat map: %w", err)
	}
	scale, err := scaleOf(m.v, c.Min, c.Max)
	if err != nil {
		return nil, fmt.Errorf("viz: heat map: %w", err)
	}
	values := !c.NoValues && m.rows*m.cols <= maxValues
	gap := 16 + 7*longestOf(rows)
	side := cellSize(m, values)
	below, label := 26, object{}
	if long := longestOf(columns); 7*long > side.x && side.x >= 14 { // aslant, each
		label = object{"rotate": 40, "width": 100, "interval": 0, "hideOverlap": false}
		below += 4 * long
	}
	option := object{
		"tooltip":   tooltip("item"),
		"xAxis":     categories(c.ColumnsName, columns, 0, object{"position": "bottom", "nameGap": below, "axisTick": object{"show": false}, "axisLabel": label}),
		"yAxis":     categories(c.RowsName, rows, 0, object{"inverse": true, "nameGap": gap, "axisTick": object{"show": false}, "axisLabel": object{"width": 100}}),
		"grid":      object{"left": gap + 30, "right": 72, "top": 16, "bottom": below + 26},
		"visualMap": scale.visualMap(object{"right": 4, "top": "middle", "itemHeight": 90, "itemWidth": 10, "calculable": false}),
		"series":    array{m.cells(scale, values, rows, columns)},
	}
	chart, err := newChart(option, say("heat map of %d × %d values from %s to %s", m.rows, m.cols, shortNumber(scale.low), shortNumber(scale.high)))
	if err != nil {
		return nil, err
	}
	chart.height = min(max(side.y*m.rows+42+below, 140), 900)
	chart.staticWidth, chart.fixed = min(max(side.x*m.cols+gap+102, 240), 1000), true
	return chart, nil
}

type point struct{ x, y int }

// cellSize is the size of a cell in pixels.
func cellSize(m matrix, values bool) point {
	if values {
		return point{48, 30}
	}
	s := min(max(480/m.rows, 2), max(700/m.cols, 2), 28)
	return point{s, s}
}

// scale is what colours mean.
type scale struct {
	low, high float64
	ramp      array
}

// scaleOf chooses a scale for values: around zero if some are negative.
func scaleOf(v []float64, low, high float64) (scale, error) {
	if low != 0 || high != 0 {
		if !(high > low) || math.IsInf(high-low, 0) {
			return scale{}, fmt.Errorf("expected a scale from Min to a greater Max, got %g to %g", low, high)
		}
		if low < 0 {
			return scale{low, high, signedRamp}, nil
		}
		return scale{low, high, amountRamp}, nil
	}
	var found bool
	if low, high, found = span(v); !found {
		return scale{}, fmt.Errorf("expected at least one finite value, got none")
	}
	if low < 0 {
		far := max(-low, high)
		if far == 0 {
			far = 1
		}
		return scale{-far, far, signedRamp}, nil
	}
	if !(high > low) {
		if low > 0 {
			low = 0
		}
		if !(high > low) {
			high = low + max(1, math.Abs(low)*1e-9)
		}
	}
	return scale{low, high, amountRamp}, nil
}

// visualMap is the scale as echarts' option.
func (s scale) visualMap(more object) object {
	v := object{
		"type": "continuous", "min": number(s.low), "max": number(s.high), "dimension": 2, "inRange": object{"color": s.ramp},
		"text": array{shortNumber(s.high), shortNumber(s.low)}, "textGap": 4,
	}
	maps.Copy(v, more)
	return v
}

// cells is a matrix as a series of cells or, if it has many, as a picture.
func (m matrix) cells(s scale, values bool, rows, columns []string) object {
	if m.rows*m.cols > maxCells {
		return object{
			"type": "raster", "image": dataURL(m.picture(s, enlarge(m))),
			"data": array{array{0, 0}, array{m.cols - 1, m.rows - 1}}, "cells": true,
		}
	}
	data := make(array, 0, len(m.v))
	for i := range m.rows {
		for j := range m.cols {
			v := m.at(i, j)
			item := array{j, i, rounded(v)}
			if number(v) == nil {
				data = append(data, object{"value": array{j, i, "-"}, "words": fmt.Sprintf("%s, %s: %v", visible(rows[i]), visible(columns[j]), v)})
				continue
			}
			data = append(data, item)
		}
	}
	label := object{"show": values}
	if values {
		label["fontSize"] = 11
		for k, item := range data { // two digits are what fits
			if tuple, ok := item.(array); ok {
				data[k] = object{"value": tuple, "label": object{"formatter": shortNumber(m.v[k])}}
			}
		}
	}
	return object{
		"type": "heatmap", "data": data, "label": label,
		"emphasis": object{"itemStyle": object{"borderColor": "#0f172a", "borderWidth": 1}},
	}
}

// shortNumber is a number in as few characters as a cell has room for.
func shortNumber(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Sprint(v)
	case v == math.Trunc(v) && a < 1e6:
		return fmt.Sprintf("%.0f", v)
	case a >= 1e5 || a < 1e-3:
		return fmt.Sprintf("%.0e", v)
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a < 0.1:
		return fmt.Sprintf("%.3f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// AttentionMap draws attention scores: a row for each query, a column for each
// key. scores is [queries, keys], or [heads, queries, keys] for a slider through
// the heads. queries and keys name them; nil means numbers from 0.
//
// Source: Bahdanau et al., Neural Machine Translation by Jointly Learning to
// Align and Translate, 2014, figure 3.
func AttentionMap(scores *tensor.Tensor, queries, keys []string) (*Chart, error) {
	heads, err := slices2(scores, "attention map")
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	config := HeatmapConfig{Rows: queries, Columns: keys, RowsName: say("query"), ColumnsName: say("key"), NoValues: heads[0].rows*heads[0].cols > 100, Max: 1}
	c, err := heatmap(heads[0], config)
	if err != nil || len(heads) == 1 {
		return c, err
	}
	scale := scale{0, 1, amountRamp}
	rows, _ := names(queries, heads[0].rows, "queries")
	columns, _ := names(keys, heads[0].cols, "keys")
	for i, h := range heads {
		c.frames = append(c.frames, frame{say("head %d of %d", i+1, len(heads)), object{"series": array{h.cells(scale, !config.NoValues, rows, columns)}}})
	}
	c.still = 0
	c.text = say("attention of %d heads; ", len(heads)) + c.text
	return c, nil
}

// longestOf is how many characters the longest of names has that are shown.
func longestOf(names []string) (n int) {
	for _, name := range names {
		n = max(n, min(len([]rune(name)), 14))
	}
	return n
}

// slices2 reads a tensor of rank 2 as one matrix, of rank 3 as several.
func slices2(t *tensor.Tensor, what string) ([]matrix, error) {
	v, err := floats(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	d := t.Shape().Dimensions
	if len(d) == 2 {
		d = append([]int{1}, d...)
	}
	if len(d) != 3 || d[0]*d[1]*d[2] == 0 {
		return nil, fmt.Errorf("%s: expected a tensor of rank 2 or 3 with at least one value, got %v", what, t.Shape())
	}
	var all []matrix
	for i := range d[0] {
		all = append(all, matrix{d[1], d[2], v[i*d[1]*d[2] : (i+1)*d[1]*d[2]]})
	}
	return all, nil
}

// HiddenStates draws the states of a recurrent layer through time: a column for
// each step, a row for each unit. states is [steps, units], as a layer with
// ReturnSequences computes for one sequence; steps names the steps (the
// characters that were read, say), nil means numbers from 0.
func HiddenStates(states *tensor.Tensor, steps []string) (*Chart, error) {
	m, err := matrixOf(states, "hidden states")
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	return heatmap(m.transpose(), HeatmapConfig{Columns: steps, ColumnsName: say("step"), RowsName: say("unit"), NoValues: true})
}
