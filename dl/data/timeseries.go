package data

import (
	"fmt"
)

// TimeSeriesConfig says how windows are cut out of a series.
type TimeSeriesConfig struct {
	// SequenceLength is the number of steps of a window.
	SequenceLength int
	// SequenceStride is how far one window begins after the other; 0 means 1.
	SequenceStride int
	// SamplingRate takes every so manieth step into a window; 0 means 1.
	SamplingRate int
	// StartIndex and EndIndex bound the steps that are used; EndIndex 0 means the
	// end.
	StartIndex, EndIndex int
}

// TimeSeries makes a dataset of windows: inputs are SequenceLength steps of series, and
// the label of a window is what targets has at the place of its first step, so that
// targets[i] is what is to be foretold from the steps from i on. The inputs of series
// count steps; those of targets are labels, nil makes none.
//
// The windows share the series' values: nothing is copied.
//
// Source: https://keras.io/api/data_loading/timeseries/
func TimeSeries(series, targets *Dataset, c TimeSeriesConfig) (*Dataset, error) {
	stride, rate := max(c.SequenceStride, 1), max(c.SamplingRate, 1)
	if c.SequenceLength < 1 || c.SequenceStride < 0 || c.SamplingRate < 0 {
		return nil, fmt.Errorf("data: expected SequenceLength of at least 1, SequenceStride and SamplingRate of at least 1 (or 0 for 1), got %d, %d and %d", c.SequenceLength, c.SequenceStride, c.SamplingRate)
	}
	for _, d := range []*Dataset{series, targets} {
		if d == nil {
			continue
		}
		if d.err != nil {
			return nil, d.err
		}
		if d.source.Stream != nil || d.source.Steps != nil {
			return nil, fmt.Errorf("data: expected a table without maps for a TimeSeries; Cache makes one of a stream")
		}
	}
	if series == nil {
		return nil, fmt.Errorf("data: expected a series, got nil")
	}
	s := series.compact()
	end := c.EndIndex
	if end == 0 {
		end = s.Len()
	}
	if c.StartIndex < 0 || end > s.Len() || c.StartIndex >= end {
		return nil, fmt.Errorf("data: expected StartIndex and EndIndex within the %d steps of the series, got %d and %d", s.Len(), c.StartIndex, c.EndIndex)
	}
	window := make([]int32, c.SequenceLength)
	for i := range window {
		window[i] = int32(i * rate)
	}
	last := end - int(window[len(window)-1]) - 1
	out := &Dataset{batch: series.batch}
	for _, x := range s.source.X {
		out.source.X = append(out.source.X, x.Windowed(window))
	}
	if targets != nil {
		t := targets.compact()
		last = min(last, t.Len()-1)
		// Rows of both are the same places; the shorter one bounds them.
		out.source.Y = append(out.source.Y, t.source.X...)
	}
	for at := c.StartIndex; at <= last; at += stride {
		out.source.Rows = append(out.source.Rows, int32(at))
	}
	if len(out.source.Rows) == 0 {
		return nil, fmt.Errorf("data: expected a series of at least %d steps for one window, got %d", int(window[len(window)-1])+1, end-c.StartIndex)
	}
	return out, nil
}
