package layers

import (
	"github.com/dgryski/go-farm"

	"github.com/gradbook/gradbook/dl/internal/config"
)

func init() {
	for _, class := range []string{"StringLookup", "IntegerLookup", "Hashing", "TextVectorization"} {
		config.Instead(class, "apply layers."+class+" to the data, and save the model in Keras without the layer")
	}
}

// StringLookup turns categories that are words into numbers. XLA knows no text, so it is no layer
// of a model, but is applied to the data before:
//
//	l := layers.StringLookup{}
//	err := l.Adapt(rows)          // or Vocabulary: []string{"red", "green"}
//	numbers, err := l.Transform(rows)
//
// Source: https://keras.io/api/layers/preprocessing_layers/categorical/string_lookup/
type StringLookup struct {
	// MaxTokens is the size of the vocabulary at most, with the numbers that no word has; 0
	// means that there is no bound.
	MaxTokens int
	// NumOOVIndices is how many numbers stand for words that are not in the vocabulary, which
	// FarmHash64 deals out; 0 means 1.
	NumOOVIndices int
	// ForbidOOV makes a word that is not in the vocabulary an error, and leaves no number for it:
	// Keras's num_oov_indices of 0.
	ForbidOOV bool
	// MaskToken is a word that stands for none: it has the number 0, and no place in vectors; nil
	// is none.
	MaskToken *string
	// OOVToken is what Invert returns for what is not in the vocabulary; "" means "[UNK]". Adapt
	// leaves it out.
	OOVToken string
	// OutputMode is "int" (a number for each word; "" means it), "one_hot" (a vector for rows of
	// one word), "multi_hot" (1 for each word that occurs), "count" (how often) or "tf_idf" (how
	// often, times how rare the word is).
	OutputMode string
	// PadToMaxTokens makes vectors of MaxTokens places, even if there are fewer words.
	PadToMaxTokens bool
	// Vocabulary is the words in the order of their numbers, which begin behind those for the
	// mask and for words that are not in it; Adapt sets it.
	Vocabulary []string
	// IDFWeights say for tf_idf how rare each word of the Vocabulary is; Adapt sets them.
	IDFWeights []float64
}

// IntegerLookup turns categories that are whole numbers of any size into numbers from 0 on; it is
// applied to the data, like StringLookup.
//
// Source: https://keras.io/api/layers/preprocessing_layers/categorical/integer_lookup/
type IntegerLookup struct {
	// MaxTokens is the size of the vocabulary at most, with the numbers that no category has; 0
	// means that there is no bound.
	MaxTokens int
	// NumOOVIndices is how many numbers stand for what is not in the vocabulary: v modulo
	// NumOOVIndices; 0 means 1.
	NumOOVIndices int
	// ForbidOOV makes what is not in the vocabulary an error, and leaves no number for it: Keras's
	// num_oov_indices of 0.
	ForbidOOV bool
	// MaskToken is a value that stands for none: it has the number 0, and no place in vectors; nil is none.
	MaskToken *int64
	// OOVToken is what Invert returns for what is not in the vocabulary; nil means −1. Adapt
	// leaves it out.
	OOVToken *int64
	// OutputMode and PadToMaxTokens are those of StringLookup.
	OutputMode     string
	PadToMaxTokens bool
	// Vocabulary is the values in the order of their numbers; Adapt sets it.
	Vocabulary []int64
	// IDFWeights say for tf_idf how rare each value of the Vocabulary is; Adapt sets them.
	IDFWeights []float64
}

// Adapt finds the vocabulary of rows: all words, by how often they occur, and by the alphabet
// backwards where that is equal, as Keras orders them.
func (l *StringLookup) Adapt(rows [][]string) (err error) {
	l.Vocabulary, l.IDFWeights, err = l.lookup().adapt(rows)
	return err
}

// Adapt finds the vocabulary of rows: all values, by how often they occur, the largest first where
// that is equal, as Keras orders them.
func (l *IntegerLookup) Adapt(rows [][]int64) (err error) {
	l.Vocabulary, l.IDFWeights, err = l.lookup().adapt(rows)
	return err
}

// Transform turns rows of words into rows of numbers: of words in mode "int", and otherwise with a
// place for each of the vocabulary.
func (l *StringLookup) Transform(rows [][]string) ([][]float32, error) {
	return l.lookup().transform(rows)
}

// Transform turns rows of values into rows of numbers: of values in mode "int", and otherwise with
// a place for each of the vocabulary.
func (l *IntegerLookup) Transform(rows [][]int64) ([][]float32, error) {
	return l.lookup().transform(rows)
}

// Invert turns numbers, as Transform makes them in mode "int", back into words: Keras's invert.
func (l *StringLookup) Invert(rows [][]float32) ([][]string, error) { return l.lookup().invert(rows) }

// Invert turns numbers, as Transform makes them in mode "int", back into values: Keras's invert.
func (l *IntegerLookup) Invert(rows [][]float32) ([][]int64, error) { return l.lookup().invert(rows) }

func (l *StringLookup) lookup() lookup[string] {
	token := l.OOVToken
	if token == "" {
		token = "[UNK]"
	}
	return lookup[string]{
		layer: "StringLookup", maxTokens: l.MaxTokens, oov: oovIndices(l.NumOOVIndices, l.ForbidOOV), mask: l.MaskToken, oovToken: token,
		mode: l.OutputMode, pad: l.PadToMaxTokens, vocabulary: l.Vocabulary, idf: l.IDFWeights, bucket: farmBucket,
	}
}

func (l *IntegerLookup) lookup() lookup[int64] {
	token := int64(-1)
	if l.OOVToken != nil {
		token = *l.OOVToken
	}
	return lookup[int64]{
		layer: "IntegerLookup", maxTokens: l.MaxTokens, oov: oovIndices(l.NumOOVIndices, l.ForbidOOV), mask: l.MaskToken, oovToken: token,
		mode: l.OutputMode, pad: l.PadToMaxTokens, vocabulary: l.Vocabulary, idf: l.IDFWeights,
		bucket: func(v int64, buckets int) int { return int((v%int64(buckets) + int64(buckets)) % int64(buckets)) },
	}
}

func oovIndices(n int, none bool) int {
	if none {
		return 0
	}
	return orInt(n, 1)
}

// farmBucket is TensorFlow's to_hash_bucket_fast.
func farmBucket(v string, buckets int) int {
	return int(farm.Fingerprint64([]byte(v)) % uint64(buckets))
}
