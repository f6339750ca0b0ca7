package dl

import (
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Tensor is an array of numbers; see package tensor for how to make one.
type Tensor = tensor.Tensor

// Node is a tensor that a graph will compute; see package ops for what to do with it.
type Node = tensor.Node

// Logs holds the loss and the metrics by name.
type Logs = callbacks.Logs
