package bert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// config is what config.json says of a model of the class BertModel.
//
// Source: https://huggingface.co/docs/transformers/model_doc/bert#transformers.BertConfig
type config struct {
	ModelType    string  `json:"model_type"`
	Hidden       int     `json:"hidden_size"`
	Layers       int     `json:"num_hidden_layers"`
	Heads        int     `json:"num_attention_heads"`
	Inner        int     `json:"intermediate_size"`
	Act          string  `json:"hidden_act"`
	Positions    int     `json:"max_position_embeddings"`
	PositionType string  `json:"position_embedding_type"`
	Types        int     `json:"type_vocab_size"`
	Vocabulary   int     `json:"vocab_size"`
	Epsilon      float64 `json:"layer_norm_eps"`
	PadToken     int     `json:"pad_token_id"`
}

func (c config) check() error {
	switch {
	case c.ModelType != "bert":
		return fmt.Errorf("expected a model_type of bert, got %q", c.ModelType)
	case c.Hidden < 1 || c.Layers < 1 || c.Heads < 1 || c.Inner < 1 || c.Positions < 1 || c.Types < 1 || c.Vocabulary < 1:
		return errors.New("expected sizes of at least 1")
	case c.Hidden%c.Heads != 0:
		return fmt.Errorf("expected a hidden_size that is a multiple of num_attention_heads, got %d and %d", c.Hidden, c.Heads)
	case c.Act != "gelu":
		return fmt.Errorf("expected a hidden_act of gelu, got %q, which is not supported", c.Act)
	case c.PositionType != "" && c.PositionType != "absolute":
		return fmt.Errorf("expected a position_embedding_type of absolute, got %q, which is not supported", c.PositionType)
	}
	return nil
}

// pooling is what makes one vector of those of all tokens.
type pooling struct {
	mean, cls, normalize bool
	longest              int // of a text, in tokens
}

// read reads a file of JSON in a folder; one that is not there leaves out as it is.
func read(folder, name string, out any) (found bool, err error) {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(text, out); err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}

// readPooling reads what sentence-transformers puts beside a model: the parts behind it. A
// folder without them is a model alone, whose vectors are averaged.
//
// Source: https://sbert.net/docs/sentence_transformer/usage/custom_models.html
func readPooling(folder string, c config) (p pooling, err error) {
	p = pooling{mean: true, longest: c.Positions}
	var length struct {
		Longest int `json:"max_seq_length"`
	}
	if _, err := read(folder, "sentence_bert_config.json", &length); err != nil {
		return p, err
	}
	if length.Longest > 0 {
		p.longest = min(length.Longest, c.Positions)
	}
	var modules []struct{ Path, Type string }
	if found, err := read(folder, "modules.json", &modules); err != nil || !found {
		return p, err
	}
	for _, m := range modules {
		switch m.Type {
		case "sentence_transformers.models.Transformer":
		case "sentence_transformers.models.Normalize":
			p.normalize = true
		case "sentence_transformers.models.Pooling":
			if !filepath.IsLocal(m.Path) {
				return p, fmt.Errorf("modules.json: expected a folder inside this one, got %q", m.Path)
			}
			if err := p.readKind(folder, m.Path); err != nil {
				return p, err
			}
		default:
			return p, fmt.Errorf("modules.json: the module %s is not supported", m.Type)
		}
	}
	return p, nil
}

func (p *pooling) readKind(folder, path string) error {
	var kinds map[string]any
	name := filepath.Join(path, "config.json")
	if found, err := read(folder, name, &kinds); err != nil || !found {
		return errors.Join(fmt.Errorf("expected a file %s", name), err)
	}
	on := func(kind string) bool { return kinds["pooling_mode_"+kind] == true }
	p.mean, p.cls = on("mean_tokens"), on("cls_token")
	if p.mean == p.cls || on("max_tokens") || on("mean_sqrt_len_tokens") || on("weightedmean_tokens") || on("lasttoken") {
		return fmt.Errorf("%s: expected a mean of all tokens, or the first one, got %v", name, kinds)
	}
	return nil
}
