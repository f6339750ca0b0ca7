package book

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/kernel/notebook"
)

// answers are what a student is to find: parts of a text that open, and what a tutorial
// claims of them, in a comment.
var (
	answers = regexp.MustCompile(`(?s)\n*<!-- claims\n.*?-->`)
	opening = regexp.MustCompile(`\n*<details\b[^>]*>|</details>`)
)

// unanswered is a text without its answers.
func unanswered(text string) string {
	text = answers.ReplaceAllString(text, "")
	kept, depth, end := "", 0, 0
	for _, m := range opening.FindAllStringIndex(text, -1) {
		closes := strings.HasPrefix(text[m[0]:m[1]], "</")
		if !closes {
			if depth == 0 {
				kept += text[end:m[0]]
			}
			depth++
		} else if depth > 0 {
			if depth--; depth == 0 {
				end = m[1]
			}
		}
	}
	if depth > 0 {
		return kept // it is never closed
	}
	return kept + text[end:]
}

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
			text := notebook.Text(unanswered(string(c.Source)))
			if raw[i]["source"], err = json.Marshal(text); err != nil {
				return err
			}
		case "code":
			raw[i]["outputs"], raw[i]["execution_count"] = json.RawMessage("[]"), json.RawMessage("null")
		}
		kept = append(kept, raw[i])
		if slices.Contains(c.Metadata.Tags, "exercise") {
			room := map[string]json.RawMessage{
				"cell_type": json.RawMessage(`"code"`), "execution_count": json.RawMessage("null"),
				"metadata": json.RawMessage(`{"tags": ["answer"]}`), "outputs": json.RawMessage("[]"), "source": json.RawMessage(`""`),
			}
			if c.ID != "" { // older formats have none
				if room["id"], err = json.Marshal(c.ID + "-answer"); err != nil {
					return err
				}
			}
			kept = append(kept, room)
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
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(file, '\n'))
	return errors.Join(err, f.Close())
}
