// Package beam has models work on data that one machine does not hold, by Apache Beam: predictions,
// evaluation, features, what preprocessing layers learn of data, and searches for hyperparameters.
//
//	p, s := beam.NewPipelineWithRoot()
//	examples := …                                            // a PCollection of Example
//	predictions := dlbeam.Predict(s, "digits.keras", examples)
//	err := beamx.Run(ctx, p)                                 // on Prism, in this process
//
// The same pipeline runs on Flink, Spark or Dataflow by the flags of beamx.Run; docs/scale.md has
// the commands. A model is loaded once in each worker's process, and elements are computed in
// batches, of which each bundle holds one at a time. A bundle that fails, or whose worker is killed,
// is computed again by the runner.
//
// It is a module of its own, so that nobody else has Beam's dependencies.
//
// Source: https://beam.apache.org/documentation/programming-guide/
package beam

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
)

// Example is an element: the numbers of a model's input, in rows, and of its label if it has one.
// Key is the caller's, and comes back with what is computed.
type Example struct {
	Key  string
	X, Y []float32
}

// Prediction is what a model returns for an example.
type Prediction struct {
	Key string
	Y   []float32
}

func init() {
	beam.RegisterType(reflect.TypeFor[Example]())
	beam.RegisterType(reflect.TypeFor[Prediction]())
	beam.RegisterCoder(reflect.TypeFor[Example](), encodeExample, decodeExample)
	beam.RegisterCoder(reflect.TypeFor[Prediction](), encodePrediction, decodePrediction)
}

// Numbers are encoded as they lie in memory, little-endian, with their count before them.

func appendFloats(b []byte, x []float32) []byte {
	b = binary.AppendUvarint(b, uint64(len(x)))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

var errShort = errors.New("dl/beam: an element ends too soon")

func cutFloats(b []byte) (x []float32, rest []byte, err error) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k)/4 {
		return nil, nil, errShort
	}
	b = b[k:]
	x = make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x, b[4*n:], nil
}

func appendKey(b []byte, key string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(key))), key...)
}

func cutKey(b []byte) (key string, rest []byte, err error) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return "", nil, errShort
	}
	return string(b[k : k+int(n)]), b[k+int(n):], nil
}

func encodeExample(e Example) []byte {
	return appendFloats(appendFloats(appendKey(make([]byte, 0, len(e.Key)+4*len(e.X)+4*len(e.Y)+16), e.Key), e.X), e.Y)
}

func decodeExample(b []byte) (e Example, err error) {
	if e.Key, b, err = cutKey(b); err != nil {
		return e, err
	}
	if e.X, b, err = cutFloats(b); err != nil {
		return e, err
	}
	e.Y, b, err = cutFloats(b)
	return e, ended(b, err)
}

func encodePrediction(p Prediction) []byte { return appendFloats(appendKey(nil, p.Key), p.Y) }

func decodePrediction(b []byte) (p Prediction, err error) {
	if p.Key, b, err = cutKey(b); err != nil {
		return p, err
	}
	p.Y, b, err = cutFloats(b)
	return p, ended(b, err)
}

func ended(rest []byte, err error) error {
	if err == nil && len(rest) > 0 {
		return fmt.Errorf("dl/beam: an element has %d bytes too many: %w", len(rest), io.ErrUnexpectedEOF)
	}
	return err
}
