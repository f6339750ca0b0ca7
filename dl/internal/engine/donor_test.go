package engine

import (
	"reflect"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/device"
)

// TestDonation counts the outputs of a program that lie where its inputs did: all of those that
// are donated, and none of the others. It fails where a new GoMLX no longer lets inputs be
// marked, which would have all weights written anew in every step.
func TestDonation(t *testing.T) {
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	if d.Kind != "cpu" {
		t.Skip("memory can be looked at on a CPU only")
	}
	const n, size = 10, 1 << 16
	shape := shapes.Make(dtypes.Float32, size)
	for _, donated := range []bool{true, false} {
		var params []Param
		var in []compute.Buffer
		before := make(map[uintptr]bool)
		for range n {
			params = append(params, Param{Name: "w", Shape: shape, Donated: donated})
			b, err := Upload(d, make([]float32, size), shape)
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, b)
			before[address(t, b)] = true
		}
		p, err := Compile(d, "donation", params, func(in []*graph.Node) (out []*graph.Node) {
			for _, x := range in {
				out = append(out, graph.AddScalar(x, 1))
			}
			return out
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		same := 0
		for _, b := range out {
			if before[address(t, b)] {
				same++
			}
		}
		want := 0
		if donated {
			want = n
		}
		if same != want {
			t.Errorf("donated %v: expected %d of %d outputs where inputs were, got %d", donated, want, n, same)
		}
		Free(out...)
		if !donated {
			Free(in...)
		}
	}
}

// address is where a buffer's values are.
func address(t *testing.T, b compute.Buffer) uintptr {
	t.Helper()
	data, err := b.Data()
	if err != nil {
		t.Fatal(err)
	}
	return reflect.ValueOf(data).Pointer()
}
