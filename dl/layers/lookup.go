package layers

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// lookup is what StringLookup and IntegerLookup have in common.
type lookup[T cmp.Ordered] struct {
	layer          string
	maxTokens, oov int // oov: how many numbers stand for what is not in the vocabulary
	mask           *T
	oovToken       T
	mode           string
	pad            bool
	vocabulary     []T
	idf            []float64
	bucket         func(v T, buckets int) int
}

func (l lookup[T]) errorf(format string, args ...any) error {
	return fmt.Errorf("layers."+l.layer+": "+format, args...)
}

func (l lookup[T]) check() error {
	if !slices.Contains([]string{"", "int", "one_hot", "multi_hot", "count", "tf_idf"}, l.mode) {
		return l.errorf("expected OutputMode int, one_hot, multi_hot, count or tf_idf, got %q", l.mode)
	}
	if l.oov < 0 {
		return l.errorf("expected NumOOVIndices of at least 1 (or 0, which means it), got %d", l.oov)
	}
	if l.maxTokens != 0 && l.maxTokens <= l.first() {
		return l.errorf("expected MaxTokens above %d (or 0, for no bound), got %d", l.first(), l.maxTokens)
	}
	if l.pad && l.maxTokens == 0 {
		return l.errorf("expected MaxTokens to pad to, got none")
	}
	return nil
}

func (l lookup[T]) numbers() bool { return l.mode == "" || l.mode == "int" }

// firstOOV is the first of the numbers for what is not in the vocabulary: 0 is the mask's.
func (l lookup[T]) firstOOV() int { return boolInt(l.mask != nil && l.numbers()) }

// first is the number of the vocabulary's first value.
func (l lookup[T]) first() int { return l.firstOOV() + l.oov }

// adapt finds the vocabulary: all values, by how often they occur, and backwards by their own
// order where that is equal.
func (l lookup[T]) adapt(rows [][]T) (vocabulary []T, idf []float64, err error) {
	if err := l.check(); err != nil {
		return nil, nil, err
	}
	count, documents := make(map[T]int), make(map[T]int)
	for _, row := range rows {
		seen := make(map[T]bool)
		for _, v := range row {
			if l.mask != nil && v == *l.mask || v == l.oovToken {
				continue
			}
			count[v]++
			if !seen[v] {
				seen[v] = true
				documents[v]++
			}
		}
	}
	for v := range count {
		vocabulary = append(vocabulary, v)
	}
	slices.SortFunc(vocabulary, func(a, b T) int { return cmp.Or(count[b]-count[a], cmp.Compare(b, a)) })
	if bound := l.maxTokens - l.first(); l.maxTokens > 0 && len(vocabulary) > bound {
		vocabulary = vocabulary[:bound]
	}
	for _, v := range vocabulary {
		idf = append(idf, math.Log(1+float64(len(rows))/(1+float64(documents[v]))))
	}
	return vocabulary, idf, nil
}

// transform turns rows of values into numbers, or into vectors with a place for each value.
func (l lookup[T]) transform(rows [][]T) ([][]float32, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	at, err := l.places()
	if err != nil {
		return nil, err
	}
	weights, err := l.weights()
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(rows))
	for i, row := range rows {
		numbers, err := l.numbersOf(row, at)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		if l.mode == "one_hot" && len(row) != 1 {
			return nil, l.errorf("row %d: expected one value for a one_hot vector, got %d", i, len(row))
		}
		out[i] = counts(numbers, l.mode, len(weights), weights)
	}
	return out, nil
}

func (l lookup[T]) places() (map[T]int, error) {
	if len(l.vocabulary) == 0 {
		return nil, l.errorf("expected a Vocabulary, set or by Adapt, got none")
	}
	if size := l.first() + len(l.vocabulary); l.maxTokens > 0 && size > l.maxTokens {
		return nil, l.errorf("expected a Vocabulary of at most %d values, got %d", l.maxTokens-l.first(), len(l.vocabulary))
	}
	if len(l.vocabulary) > most-l.first() {
		return nil, l.errorf("expected a Vocabulary of at most %d values, which float32 can tell apart, got %d", most-l.first(), len(l.vocabulary))
	}
	at := make(map[T]int, len(l.vocabulary))
	for i, v := range l.vocabulary {
		if _, twice := at[v]; twice {
			return nil, l.errorf("expected each value once in the Vocabulary, got %v twice", v)
		}
		if l.mask != nil && v == *l.mask {
			return nil, l.errorf("expected a Vocabulary without the MaskToken %v", v)
		}
		at[v] = l.first() + i
	}
	return at, nil
}

// weights are by what each number's count is multiplied, 1 in all modes but tf_idf.
func (l lookup[T]) weights() ([]float64, error) {
	size := l.first() + len(l.vocabulary)
	w := slices.Repeat([]float64{1}, size)
	if l.mode == "tf_idf" {
		if len(l.idf) != len(l.vocabulary) {
			return nil, l.errorf("expected %d IDFWeights, set or by Adapt, one for each value of the Vocabulary, got %d", len(l.vocabulary), len(l.idf))
		}
		var mean float64 // of what is not in the vocabulary
		for i, v := range l.idf {
			w[l.first()+i] = v
			mean += v / float64(len(l.idf))
		}
		for i := range l.first() {
			w[i] = mean
		}
	}
	if l.pad {
		w = append(w, make([]float64, l.maxTokens-size)...)
	}
	return w, nil
}

func (l lookup[T]) numbersOf(row []T, at map[T]int) ([]int, error) {
	var all []int
	for _, v := range row {
		n, ok := at[v]
		switch {
		case l.mask != nil && v == *l.mask && l.numbers():
			n = 0
		case l.mask != nil && v == *l.mask:
			n = nothing
		case ok:
		case l.oov == 0:
			return nil, l.errorf("%v is not in the Vocabulary, and ForbidOOV is set", v)
		case l.oov == 1:
			n = l.firstOOV()
		default:
			n = l.firstOOV() + l.bucket(v, l.oov)
		}
		all = append(all, n)
	}
	return all, nil
}

// invert turns numbers back into values: those that stand for no value into the OOV token.
func (l lookup[T]) invert(rows [][]float32) ([][]T, error) {
	if !l.numbers() {
		return nil, l.errorf("expected OutputMode int, whose numbers stand for values, got %s", l.mode)
	}
	if _, err := l.places(); err != nil {
		return nil, errors.Join(l.check(), err)
	}
	out := make([][]T, len(rows))
	for i, row := range rows {
		for _, n := range row {
			switch at := int(n) - l.first(); {
			case n != float32(int(n)):
				return nil, l.errorf("row %d: expected whole numbers, got %g", i, n)
			case n == 0 && l.mask != nil:
				out[i] = append(out[i], *l.mask)
			case at >= 0 && at < len(l.vocabulary):
				out[i] = append(out[i], l.vocabulary[at])
			default:
				out[i] = append(out[i], l.oovToken)
			}
		}
	}
	return out, nil
}

// nothing is the number of a mask where vectors have no place for it.
const nothing = -1

// most is how many whole numbers float32 can tell apart.
const most = 1 << 24

// counts is what a mode makes of a row's numbers, below size.
func counts(numbers []int, mode string, size int, weights []float64) []float32 {
	if mode == "" || mode == "int" {
		out := make([]float32, len(numbers))
		for i, n := range numbers {
			out[i] = float32(n)
		}
		return out
	}
	out := make([]float32, size)
	for _, n := range numbers {
		if n != nothing {
			out[n]++
		}
	}
	for i := range out {
		switch mode {
		case "multi_hot":
			out[i] = min(out[i], 1)
		case "tf_idf":
			out[i] *= float32(weights[i])
		}
	}
	return out
}
