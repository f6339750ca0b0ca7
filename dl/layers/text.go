package layers

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
)

// TextVectorization turns texts into numbers of words. XLA knows no text, so it is no
// layer of a model, but is applied to the data before:
//
//	v := layers.TextVectorization{MaxTokens: 10_000, OutputSequenceLength: 100}
//	v.Adapt(texts)
//	ds, err := data.FromSlices(v.Transform(texts), labels)
//
// Source: https://keras.io/api/layers/preprocessing_layers/text/text_vectorization/
type TextVectorization struct {
	// MaxTokens is the size of the vocabulary at most, with the two entries that no
	// word has; 0 means that there is no bound.
	MaxTokens int
	// Standardize prepares a text; nil makes it lower case and takes punctuation
	// out.
	Standardize func(text string) string
	// Split cuts a text into words; nil cuts at blanks.
	Split func(text string) []string
	// Ngrams makes words of up to so many that follow each other; 0 means 1.
	Ngrams int
	// OutputMode is "int" (a number for each word; "" means it), "multi_hot" (1 for
	// each word that occurs), "count" (how often) or "tf_idf" (how often, times how
	// rare the word is).
	OutputMode string
	// OutputSequenceLength cuts "int" off, or fills it up with 0; 0 means the
	// longest text.
	OutputSequenceLength int
	// Vocabulary is the words, the most frequent first; Adapt sets it. The words'
	// numbers begin with 2: 0 is for filling up, 1 for words that are not in it. In
	// other modes than "int" there is no 0, and the words begin with 1.
	Vocabulary []string

	idf []float64
}

// Adapt finds the vocabulary of texts: all words, by how often they occur, and by the
// alphabet backwards where that is equal, as Keras orders them.
func (v *TextVectorization) Adapt(texts []string) error {
	if err := v.check(); err != nil {
		return err
	}
	count, documents := make(map[string]int), make(map[string]int)
	for _, t := range texts {
		seen := make(map[string]bool)
		for _, w := range v.words(t) {
			count[w]++
			if !seen[w] {
				seen[w] = true
				documents[w]++
			}
		}
	}
	v.Vocabulary = make([]string, 0, len(count))
	for w := range count {
		v.Vocabulary = append(v.Vocabulary, w)
	}
	slices.SortFunc(v.Vocabulary, func(a, b string) int {
		return cmp.Or(count[b]-count[a], strings.Compare(b, a))
	})
	if bound := v.MaxTokens - v.first(); v.MaxTokens > 0 && len(v.Vocabulary) > bound {
		v.Vocabulary = v.Vocabulary[:bound]
	}
	v.idf = make([]float64, len(v.Vocabulary))
	for i, w := range v.Vocabulary {
		v.idf[i] = math.Log(1 + float64(len(texts))/(1+float64(documents[w])))
	}
	return nil
}

func (v *TextVectorization) check() error {
	if !slices.Contains([]string{"", "int", "multi_hot", "count", "tf_idf"}, v.OutputMode) {
		return fmt.Errorf("layers.TextVectorization: expected OutputMode int, multi_hot, count or tf_idf, got %q", v.OutputMode)
	}
	if v.MaxTokens < 0 || v.MaxTokens > 0 && v.MaxTokens <= v.first() || v.OutputSequenceLength < 0 || v.Ngrams < 0 {
		return fmt.Errorf("layers.TextVectorization: expected MaxTokens above %d (or 0), and OutputSequenceLength and Ngrams of at least 0, got %d, %d and %d", v.first(), v.MaxTokens, v.OutputSequenceLength, v.Ngrams)
	}
	return nil
}

// first is the number of the first word.
func (v *TextVectorization) first() int {
	if v.OutputMode == "" || v.OutputMode == "int" {
		return 2
	}
	return 1
}

func (v *TextVectorization) words(text string) []string {
	if v.Standardize != nil {
		text = v.Standardize(text)
	} else {
		text = strings.Map(func(r rune) rune {
			if r < unicode.MaxASCII && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
				return -1
			}
			return unicode.ToLower(r)
		}, text)
	}
	split := v.Split
	if split == nil {
		split = strings.Fields
	}
	single := split(text)
	words := slices.Clone(single)
	for n := 2; n <= v.Ngrams; n++ {
		for i := 0; i+n <= len(single); i++ {
			words = append(words, strings.Join(single[i:i+n], " "))
		}
	}
	return words
}

// Transform turns texts into rows of numbers: of words in mode "int", and otherwise with
// a place for each of the vocabulary. It panics if there is no vocabulary yet.
func (v *TextVectorization) Transform(texts []string) [][]float32 {
	if v.Vocabulary == nil {
		panic("layers.TextVectorization: expected a Vocabulary, set or by Adapt, got none")
	}
	at := make(map[string]int, len(v.Vocabulary))
	for i, w := range v.Vocabulary {
		at[w] = v.first() + i
	}
	rows := make([][]float32, len(texts))
	longest := 0
	for i, t := range texts {
		for _, w := range v.words(t) {
			n, ok := at[w]
			if !ok {
				n = v.first() - 1
			}
			rows[i] = append(rows[i], float32(n))
		}
		longest = max(longest, len(rows[i]))
	}
	for i := range rows {
		if v.first() == 2 {
			rows[i] = fillUp(rows[i], v.OutputSequenceLength, longest)
		} else {
			rows[i] = v.bag(rows[i])
		}
	}
	return rows
}

func fillUp(row []float32, length, longest int) []float32 {
	if length == 0 {
		length = longest
	}
	out := make([]float32, length)
	copy(out, row)
	return out
}

// bag counts words.
func (v *TextVectorization) bag(row []float32) []float32 {
	size := len(v.Vocabulary) + 1
	if v.MaxTokens > 0 {
		size = v.MaxTokens
	}
	out := make([]float32, size)
	for _, n := range row {
		out[int(n)]++
	}
	var mean float64
	for _, w := range v.idf {
		mean += w / float64(len(v.idf))
	}
	for i := range out {
		switch v.OutputMode {
		case "multi_hot":
			out[i] = min(out[i], 1)
		case "tf_idf":
			weight := mean // of words that are not in the vocabulary
			if i > 0 && i <= len(v.idf) {
				weight = v.idf[i-1]
			}
			out[i] *= float32(weight)
		}
	}
	return out
}

// Words returns the words of a row that Transform made in mode "int": [UNK] for those
// that are not in the vocabulary; what was filled up is left out.
func (v *TextVectorization) Words(row []float32) []string {
	var words []string
	for _, n := range row {
		switch i := int(n) - 2; {
		case n == 0:
		case i < 0 || i >= len(v.Vocabulary):
			words = append(words, "[UNK]")
		default:
			words = append(words, v.Vocabulary[i])
		}
	}
	return words
}
