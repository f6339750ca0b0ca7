package metrics

import "github.com/gradbook/gradbook/dl/losses"

// Base is for metrics of one's own to embed: its Check is that of a metric which compares
// number by number, and wants labels of the output's shape.
type Base struct{}

// Check implements Metric.
func (Base) Check(labels, output []int) error { return losses.Base{}.Check(labels, output) }
