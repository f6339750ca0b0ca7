package dl

import (
	"context"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/quantize"
	"github.com/gradbook/gradbook/dl/internal/train"
)

// QuantizeConfig says how Quantize goes about it. Its zero value takes all examples and all layers.
type QuantizeConfig struct {
	// Context ends it early; nil is context.Background.
	Context context.Context
	// BatchSize is the number of examples that are read together; 0 means the dataset's.
	BatchSize int
	// Steps ends it after so many batches; 0 means at the end. Some hundred examples are enough.
	Steps int
	// Keep are the names of layers that stay as they are, such as a last one whose rounding costs more
	// than its speed is worth.
	Keep []string
}

// Quantize makes a model for predicting of one that has been trained: in its Dense, Conv1D and Conv2D layers the
// weights are whole numbers of 8 bits, with a scale for each unit or filter, and inputs are rounded to whole
// numbers on the way in, in the range that they have for the examples of ds. That is a quarter of the memory, and
// on a CPU several times as fast; what it costs, Evaluate says. m stays as it is.
//
// Layers stay floats where whole numbers would be slower or are not supported: those in which a number is made of less
// than 32 products or more than 65,793, with Groups, or inside of wrappers such as TimeDistributed; so do all other types. Summary shows
// which are quantized. An input that is NaN is an error where kernels of whole numbers run.
//
// The model is compiled as m is, and can be saved, loaded and evaluated. What regularizers of quantized layers add to
// m's loss is not in its own. It cannot be trained.
//
// Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference, 2018, https://arxiv.org/abs/1712.05877
func Quantize(m *Model, ds *data.Dataset, config ...QuantizeConfig) (*Model, error) {
	c, err := the(config)
	if err != nil {
		return nil, edge(err)
	}
	made, err := quantize.Model(orBackground(c.Context), m.m, ds, train.PassConfig{BatchSize: c.BatchSize, Steps: c.Steps}, c.Keep, newNetwork)
	if err != nil {
		return nil, edge(err)
	}
	return faceOf(made), nil
}
