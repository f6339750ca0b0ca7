package book

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/gradbook/gradbook/kernel/notebook"
)

// answers are what a student is to find: parts of a text that open, and what a tutorial
// claims of them, in a comment.
var answers = regexp.MustCompile(`(?s)\n*<details>.*?</details>|\n*<!-- claims\n.*?-->`)

// Students writes copies of a folder's notebooks, and of their translations, into another
// folder, for a class: without outputs, and without what is hidden in <details>, which is
// solutions and answers. Behind each exercise there is an empty cell for the answer.
// It returns the paths of the copies. Files that are there already are not written over:
// someone may have worked in them.
func Students(dir, out string) (copies []string, err error) {
	names, languages, err := list(dir, out)
	if err != nil {
		return nil, err
	}
	for _, lang := range languages {
		for _, name := range names {
			from, to := filepath.Join(dir, lang, name+".ipynb"), filepath.Join(out, lang, name+".ipynb")
			if !exists(from) {
				continue
			}
			if exists(to) {
				return copies, fmt.Errorf("%s is there already, perhaps with somebody's work; choose another folder", to)
			}
			if err := student(from, to); err != nil {
				return copies, err
			}
			copies = append(copies, to)
		}
	}
	return copies, nil
}

func student(from, to string) error {
	d, raw, cells, err := open(from)
	if err != nil {
		return err
	}
	var kept []map[string]json.RawMessage
	for i, c := range cells {
		switch c.Type {
		case "markdown":
			text := notebook.Text(answers.ReplaceAllString(string(c.Source), ""))
			if raw[i]["source"], err = json.Marshal(text); err != nil {
				return err
			}
		case "code":
			raw[i]["outputs"], raw[i]["execution_count"] = json.RawMessage("[]"), json.RawMessage("null")
		}
		kept = append(kept, raw[i])
		if slices.Contains(c.Metadata.Tags, "exercise") {
			id, err := json.Marshal(c.ID + "-answer")
			if err != nil {
				return err
			}
			kept = append(kept, map[string]json.RawMessage{
				"cell_type": json.RawMessage(`"code"`), "execution_count": json.RawMessage("null"), "id": id,
				"metadata": json.RawMessage(`{"tags": ["answer"]}`), "outputs": json.RawMessage("[]"), "source": json.RawMessage(`""`),
			})
		}
	}
	if d["cells"], err = json.Marshal(kept); err != nil {
		return err
	}
	file, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, append(file, '\n'), 0o644)
}
