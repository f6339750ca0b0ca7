package train

import (
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/internal/source"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
)

// accept checks a dataset against the model, and builds the model if it is not
// built yet. what says what the dataset is for. It reports everything about the
// data that can go wrong later.
func (m *Model) accept(what string, ds *data.Dataset, d *device.Device, labels bool) error {
	if ds == nil {
		return fmt.Errorf("expected a dataset to %s, got nil", what)
	}
	if ds.Err() != nil {
		return ds.Err()
	}
	if ds.Len() == 0 {
		return fmt.Errorf("expected at least one example to %s, got an empty dataset", what)
	}
	s := source.Of(ds)
	var info source.Info
	err := m.Lock.Released(func() (err error) {
		if info, err = s.Info(d, 1); err == nil && !m.Built() && len(info.X) == 1 {
			err = m.Ensure(info.X[0].Dimensions[1:])
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(info.X) != len(m.Inputs) {
		return fmt.Errorf("expected %d inputs an example for model %q, got a dataset with %d", len(m.Inputs), m.Name, len(info.X))
	}
	for i, in := range m.Inputs {
		if got := layers.Shape(info.X[i].Dimensions[1:]); !in.Shape.Equal(got) {
			taker := m.Taker(in)
			return &fault.ShapeError{
				Layer: taker.Name, Expected: in.Shape, Got: got,
				Text: fmt.Sprintf("%s: expected input of shape %v, got a dataset with inputs of shape %v", taker, in.Shape, got),
			}
		}
	}
	if err := m.checkInputs(s, info); err != nil {
		return err
	}
	if !labels {
		return nil
	}
	return m.acceptLabels(what, d, s, info)
}

func (m *Model) checkInputs(s *source.Source, info source.Info) error {
	if s.Stream != nil {
		return nil
	}
	for _, x := range s.X {
		if err := finite("inputs", x, s.Rows); err != nil {
			return err
		}
	}
	if !info.InputsKept {
		return nil
	}
	for i, in := range m.Inputs {
		l := m.Taker(in)
		if c, ok := l.Config.(layers.ClassReader); ok {
			if err := inRange(fmt.Sprintf("inputs of %s", l), s.X[i], s.Rows, c.Classes(), true); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Model) acceptLabels(what string, d *device.Device, s *source.Source, info source.Info) error {
	if m.compiled == nil {
		return &fault.NotCompiledError{Model: m.Name, Doing: what}
	}
	if m.compiled.Step != nil {
		return m.layStep(d, s)
	}
	if len(info.Y) == 0 {
		return fmt.Errorf("expected a dataset with labels to %s, got one without", what)
	}
	var shapes []layers.Shape
	for _, y := range info.Y {
		shapes = append(shapes, y.Dimensions[1:])
	}
	if err := m.checkLabels(shapes); err != nil {
		return err
	}
	if s.Stream != nil {
		return nil
	}
	names := m.OutputNames()
	for i, o := range m.trained() {
		if i >= len(s.Y) {
			break
		}
		if err := finite("labels", s.Y[i], s.Rows); err != nil {
			return err
		}
		if classes, ok := m.compiled.lossOf(names[o]).(losses.Classes); ok && info.LabelsKept {
			n, whole := classes.NumClasses(m.Outputs[o].Shape)
			if err := inRange("labels", s.Y[i], s.Rows, n, whole); err != nil {
				return fmt.Errorf("%w, for an output of %d classes", err, n)
			}
		}
	}
	return nil
}

// checkLabels reports labels that the losses or metrics cannot compare with the
// model's outputs, and lays out what is measured.
func (m *Model) checkLabels(labels []layers.Shape) error {
	if m.compiled.Step != nil {
		return nil
	}
	if err := m.checkOutputs(); err != nil {
		return err
	}
	trained, names := m.trained(), m.OutputNames()
	if len(labels) != len(trained) {
		return fmt.Errorf("expected %d labels an example, one for each output with a loss, got %d", len(trained), len(labels))
	}
	for i, o := range trained {
		s := m.Outputs[o]
		loss := m.compiled.lossOf(names[o])
		if err := loss.Check(labels[i], s.Shape); err != nil {
			return fmt.Errorf("loss %s, output of layer %q: %w", loss.Name(), s.From.Layer.Name, err)
		}
		for _, metric := range slices.Concat(m.compiled.Metrics, m.compiled.WeightedMetrics, m.compiled.OutputMetrics[names[o]]) {
			if err := metric.Check(labels[i], s.Shape); err != nil {
				return fmt.Errorf("metric %s, output of layer %q: %w", metric.Name(), s.From.Layer.Name, err)
			}
		}
	}
	m.lay(labels)
	return nil
}

// wantBatch reports a batch size that cannot be, and returns the one to use.
func wantBatch(size int, ds *data.Dataset) (int, error) {
	switch {
	case size < 0:
		return 0, fmt.Errorf("expected BatchSize of at least 1 (or 0 for the dataset's), got %d", size)
	case size == 0:
		return ds.BatchSize(), nil
	}
	return size, nil
}
