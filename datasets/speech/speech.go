// Package speech has spoken digits: zero to nine in English, said by eSpeak NG in 56
// voices. speech.py made them.
package speech

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/gradbook/gradbook/dl/data"
)

// Rate is how many samples a second has, Samples how many a sound has: half a second.
const (
	Rate    = 8000
	Samples = 4000
)

var (
	//go:embed digits.ulaw.gz
	sounds []byte
	//go:embed voices.csv
	voices []byte
)

// Digits returns 1,120 spoken digits in three parts, of which no two share a voice: 760
// to learn from, 160 to validate with and 200 to be tested with. Inputs are float32
// [4000], samples from −1 to 1; labels are the digits.
//
// Source: https://github.com/espeak-ng/espeak-ng, of the wheel espeakng-loader 0.2.4.
func Digits() (train, validation, test *data.Dataset, err error) {
	x, err := samples()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("speech: %w", err)
	}
	lines, err := csv.NewReader(bytes.NewReader(voices)).ReadAll()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("speech: %w", err)
	}
	labels, parts := []int32{}, map[string][]int{}
	for i, line := range lines[1:] {
		digit, err := strconv.ParseInt(line[0], 10, 32)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("speech: line %d: %w", i+2, err)
		}
		labels = append(labels, int32(digit))
		parts[line[5]] = append(parts[line[5]], i)
	}
	all, err := data.FromFlat(x, []int{Samples}, labels, nil)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("speech: %w", err)
	}
	all = all.ClassNames("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
	return all.Select(parts["train"]...), all.Select(parts["validation"]...), all.Select(parts["test"]...), nil
}

// samples decodes µ-law.
//
// Source: ITU-T G.711, with its curve instead of its segments.
func samples() ([]float32, error) {
	z, err := gzip.NewReader(bytes.NewReader(sounds))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	var of [256]float32
	for i := range of {
		y := float64(i)/127.5 - 1
		of[i] = float32(math.Copysign((math.Pow(256, math.Abs(y))-1)/255, y))
	}
	x := make([]float32, len(raw))
	for i, b := range raw {
		x[i] = of[b]
	}
	return x, nil
}
