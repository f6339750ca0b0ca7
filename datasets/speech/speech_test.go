package speech_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/datasets/speech"
	"github.com/gradbook/gradbook/dl/data"
)

func ExampleDigits() {
	train, validation, test, err := speech.Digits()
	fmt.Println(train.Len(), validation.Len(), test.Len(), test.ClassName(7), err)
	// Output: 760 160 200 seven <nil>
}

// TestDigits: each part has each digit as often as the others, sounds are neither
// silent nor too loud, and no voice is in two parts.
func TestDigits(t *testing.T) {
	train, validation, test, err := speech.Digits()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*data.Dataset{train, validation, test} {
		labels, err := d.Labels()
		if err != nil {
			t.Fatal(err)
		}
		count := map[int]int{}
		for _, l := range labels {
			count[l]++
		}
		for digit := range 10 {
			if count[digit] != d.Len()/10 {
				t.Errorf("expected as many of each digit, %d, got %v", d.Len()/10, count)
			}
		}
		for batch, err := range d.Batch(1).Batches() {
			if err != nil {
				t.Fatal(err)
			}
			loudest, energy := 0.0, 0.0
			for _, v := range tensors.MustCopyFlatData[float32](batch.X) {
				loudest, energy = max(loudest, math.Abs(float64(v))), energy+float64(v)*float64(v)
			}
			if loudest < 0.8 || loudest > 1 || energy < 5 {
				t.Errorf("expected a sound, got one of %.2f at its loudest, energy %.2f", loudest, energy)
			}
		}
	}
	raw, err := os.ReadFile("voices.csv")
	if err != nil {
		t.Fatal(err)
	}
	part := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		f := strings.Split(strings.TrimSpace(line), ",")
		if old, ok := part[f[1]]; ok && old != f[5] {
			t.Errorf("voice %s is in the parts %s and %s", f[1], old, f[5])
		}
		part[f[1]] = f[5]
	}
}
