package kerastest

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/config"
)

// Case is a line of dl/testdata/parity.jsonl, which parity.py writes.
type Case struct {
	Kind, Name       string
	Object           config.Object
	Training, Causal bool
	Scores           bool
	Arrays           map[string]packed
}

// Cases reads all cases, and tells of which Keras they are.
func Cases(t testing.TB) (all []*Case, versions string) {
	t.Helper()
	f, err := os.Open(filepath.Join(testdata(t), "parity.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			var head struct{ Keras, Tensorflow string }
			if err := json.Unmarshal(lines.Bytes(), &head); err != nil {
				t.Fatal(err)
			}
			versions = fmt.Sprintf("Keras %s on TensorFlow %s", head.Keras, head.Tensorflow)
			continue
		}
		c := new(Case)
		if err := json.Unmarshal(lines.Bytes(), c); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		all = append(all, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all, versions
}

// Get returns an array; nil if there is none.
func (c *Case) Get(name string) *tensors.Tensor { return c.Arrays[name].tensor }

// Numbered returns the arrays name0, name1, … that there are.
func (c *Case) Numbered(name string) (all []*tensors.Tensor) {
	for i := 0; ; i++ {
		x := c.Get(fmt.Sprintf("%s%d", name, i))
		if x == nil {
			return all
		}
		all = append(all, x)
	}
}

// packed is an array as its type, its shape and its bytes.
type packed struct{ tensor *tensors.Tensor }

// UnmarshalJSON implements json.Unmarshaler.
func (p *packed) UnmarshalJSON(text []byte) error {
	var kind, data string
	var shape []int
	if err := json.Unmarshal(text, &[]any{&kind, &shape, &data}); err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return err
	}
	switch kind {
	case "float32":
		p.tensor = tensors.FromFlatDataAndDimensions(each(raw, 4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }), shape...)
	case "int32":
		p.tensor = tensors.FromFlatDataAndDimensions(each(raw, 4, func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }), shape...)
	case "int64":
		p.tensor = tensors.FromFlatDataAndDimensions(each(raw, 8, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }), shape...)
	case "bool":
		p.tensor = tensors.FromFlatDataAndDimensions(each(raw, 1, func(b []byte) bool { return b[0] != 0 }), shape...)
	default:
		return fmt.Errorf("unexpected type %q", kind)
	}
	return nil
}

func each[T any](raw []byte, size int, of func(b []byte) T) []T {
	all := make([]T, len(raw)/size)
	for i := range all {
		all[i] = of(raw[i*size:])
	}
	return all
}
