package language

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/kernel/cell"
)

// doc is what go doc says of what gopls knows nothing of: packages, and the methods of a type by
// the type's name; "" if it is nothing of these.
func (s *Server) doc(code string, start, end int) string {
	for start > 0 && code[start-1] == '.' { // from the first name on
		if before, _ := word(code, start-1, false); before < start-1 {
			start = before
			continue
		}
		break
	}
	name, rest, dotted := strings.Cut(code[start:end], ".")
	if s.config.Doc == nil || slices.Contains(s.config.Context().Declared(), name) {
		return ""
	}
	var paths []string
	for path, own := range s.config.Packages.Names() {
		if own == name && !strings.Contains(path, "/kernel/") && !strings.Contains(path, "internal/") {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return ""
	}
	slices.SortFunc(paths, func(a, b string) int {
		return cmp.Or(cmp.Compare(cell.Rank(a), cell.Rank(b)), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	args := []string{paths[0]}
	if dotted {
		args = append(args, rest)
	}
	out, err := s.config.Doc(args...).Output()
	if err != nil {
		return ""
	}
	return "```go\n" + strings.TrimSpace(string(out)) + "\n```"
}
