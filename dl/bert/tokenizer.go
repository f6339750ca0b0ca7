package bert

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/go-huggingface/tokenizers/api"
	"github.com/gomlx/go-huggingface/tokenizers/hftokenizer"
)

// tokenizer cuts texts into the tokens that a model knows.
type tokenizer struct {
	t       *hftokenizer.Tokenizer
	longest int
}

func readTokenizer(folder string, longest int) (*tokenizer, error) {
	text, err := os.ReadFile(filepath.Join(folder, "tokenizer.json"))
	if err != nil {
		return nil, err
	}
	settings := &api.Config{}
	if found, err := read(folder, "tokenizer_config.json", settings); err != nil {
		return nil, err
	} else if !found {
		settings = nil
	}
	return newTokenizer(text, settings, longest)
}

func newTokenizer(text []byte, settings *api.Config, longest int) (out *tokenizer, err error) {
	defer func() {
		if r := recover(); r != nil { // the library's, on what it does not expect
			out, err = nil, fmt.Errorf("tokenizer.json: its parts do not fit each other (%v)", r)
		}
	}()
	if err := checkAdded(text); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	t, err := hftokenizer.NewFromContent(settings, text)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	if err := t.With(api.EncodeOptions{AddSpecialTokens: true}); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	return &tokenizer{t, longest}, nil
}

// checkAdded refuses an added token without content: the library would find it at every
// place of a text, without end.
func checkAdded(text []byte) error {
	var file struct {
		AddedTokens []hftokenizer.AddedToken `json:"added_tokens"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	for i, added := range file.AddedTokens {
		if added.Content == "" {
			return fmt.Errorf("added_tokens[%d], with id %d, has no content", i, added.ID)
		}
	}
	return nil
}

// encode cuts a text that is too long, and keeps its last token, which marks the end.
func (t *tokenizer) encode(text string) []int {
	ids := t.t.Encode(text)
	if len(ids) > t.longest {
		ids = append(ids[:t.longest-1:t.longest-1], ids[len(ids)-1])
	}
	return ids
}
