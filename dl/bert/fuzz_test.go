package bert

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzTokenizer: whatever a tokenizer.json has in it, what comes of it makes numbers of a
// text, or is an error.
func FuzzTokenizer(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "tiny", "tokenizer.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := newTokenizer(text, nil, 8)
		if err != nil {
			return
		}
		if ids := k.encode("A cat sits, doesn't it? Ünder 東京."); len(ids) > 8 {
			t.Errorf("expected at most 8 tokens, got %v", ids)
		}
	})
}
