package layers

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(StackedRNNCells{}) }

// StackedRNNCells is a cell of several, each of which reads what the one before returns.
//
// Source: https://keras.io/api/layers/recurrent_layers/stacked_rnn_cell/
type StackedRNNCells struct {
	Cells []Cell
	Name  string
}

func cellPart(i int) string { return fmt.Sprintf("cell_%d", i) }

// BuildCell implements Cell. The states are those of the first cell, then of the next.
func (l StackedRNNCells) BuildCell(in Shape) (CellSpec, error) {
	if len(l.Cells) == 0 {
		return CellSpec{}, errors.New("expected at least one of Cells, got none")
	}
	all := CellSpec{Output: in}
	for i, cell := range l.Cells {
		if cell == nil {
			return CellSpec{}, fmt.Errorf("expected a cell as Cells[%d], got nil", i)
		}
		s, err := cell.BuildCell(all.Output)
		if err != nil {
			return CellSpec{}, fmt.Errorf("cell %d of the stack: %w", i, err)
		}
		var part Spec
		part.Include(cellPart(i), Spec{Weights: s.Weights})
		all.Output, all.States, all.Weights = s.Output, append(all.States, s.States...), append(all.Weights, part.Weights...)
	}
	return all, nil
}

// Step implements Cell.
func (l StackedRNNCells) Step(c *Context, x *tensor.Node, states []*tensor.Node) (y *tensor.Node, next []*tensor.Node) {
	return l.each(c, x, states, func(c *Context, cell Cell, x *tensor.Node, own []*tensor.Node) (*tensor.Node, []*tensor.Node) {
		return cell.Step(c, x, own)
	}, 1)
}

// Steps implements SequenceCell.
func (l StackedRNNCells) Steps(c *Context, x, mask *tensor.Node, states []*tensor.Node) (y *tensor.Node, last []*tensor.Node) {
	return l.each(c, x, states, func(c *Context, cell Cell, x *tensor.Node, own []*tensor.Node) (*tensor.Node, []*tensor.Node) {
		return stepsOf(c, cell, x, mask, own)
	}, 2)
}

// each runs one cell after the other, where the shape of a step is behind so many axes of x.
func (l StackedRNNCells) each(c *Context, x *tensor.Node, states []*tensor.Node, run func(c *Context, cell Cell, x *tensor.Node, own []*tensor.Node) (*tensor.Node, []*tensor.Node), axes int) (y *tensor.Node, next []*tensor.Node) {
	for i, cell := range l.Cells {
		s, err := cell.BuildCell(x.Shape().Dimensions[axes:])
		if err != nil {
			panic(err)
		}
		own := states[:len(s.States)]
		states = states[len(own):]
		x, own = run(c.Part(cellPart(i)), cell, x, own)
		next = append(next, own...)
	}
	return x, next
}

// cellPath is where Keras keeps a weight of a cell, below the cell.
func cellPath(cell Cell, weight string) string {
	stack, ok := cell.(StackedRNNCells)
	if !ok {
		return ""
	}
	part, rest, _ := strings.Cut(weight, "/")
	count := make(map[string]int)
	for i, inner := range stack.Cells {
		name := config.KerasSnake(reflect.Indirect(reflect.ValueOf(inner)).Type().Name())
		n := count[name]
		count[name]++
		if part != cellPart(i) {
			continue
		}
		if n > 0 {
			name = fmt.Sprintf("%s_%d", name, n)
		}
		return "/cells/" + name + cellPath(inner, rest)
	}
	return ""
}
