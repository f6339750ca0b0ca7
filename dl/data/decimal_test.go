package data

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestDecimal: what decimal reads is what strconv reads, to the bit.
func TestDecimal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	texts := []string{"0", "-0", "+1.5", "1.", ".5", "999999999999999", "0.000000000000001", "123456789012345", "1.7976931348623"}
	for range 100000 {
		texts = append(texts, strconv.FormatFloat((r.Float64()-0.5)*float64(uint64(1)<<r.IntN(50)), 'f', r.IntN(12), 64))
	}
	read := 0
	for _, text := range texts {
		got, ok := decimal(text, '.')
		if !ok {
			continue
		}
		read++
		if want, err := strconv.ParseFloat(text, 64); err != nil || got != want {
			t.Fatalf("%s: got %v, want %v, %v", text, got, want, err)
		}
	}
	if read < len(texts)/2 {
		t.Errorf("expected most to be read, got %d of %d", read, len(texts))
	}
	for _, text := range []string{"", ".", "-", "1e5", "0x1", "1_0", "1.2.3", "1,5", "1234567890123456"} {
		if v, ok := decimal(text, '.'); ok {
			t.Errorf("%s: expected to leave it to strconv, got %s", text, fmt.Sprint(v))
		}
	}
}
