package language

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gradbook/gradbook/kernel/cell"
	"github.com/gradbook/gradbook/kernel/dialect"
)

// Config says what a server works with.
type Config struct {
	// Gopls returns the command that starts gopls, Start starts it.
	Gopls func() *exec.Cmd
	// Doc returns go doc with arguments; nil if there is none.
	Doc   func(args ...string) *exec.Cmd
	Start func(*exec.Cmd) error
	// Workspace is the module whose requirements the file has; Dir is a folder
	// for it.
	Workspace, Dir string
	// Context is what the notebook has declared, Packages what can be imported.
	Context  func() *cell.Context
	Packages cell.Packages
}

// Match is a candidate of a completion.
type Match struct{ Text, Kind, Signature string }

// Server answers questions about code at an offset in bytes. If gopls ends, the next
// question starts it again.
type Server struct {
	config Config
	mu     sync.Mutex
	client *client
	failed time.Time
}

// patience is how long a question may take.
const patience = 8 * time.Second

// New prepares a server. The first question, or Warm, starts gopls, which takes a while.
func New(c Config) (*Server, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	mod, err := os.ReadFile(filepath.Join(c.Workspace, "go.mod"))
	if err != nil {
		return nil, err
	}
	sum, err := os.ReadFile(filepath.Join(c.Workspace, "go.sum"))
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{"go.mod": mod, "go.sum": sum, "main.go": []byte("package main\n")} {
		if err := os.WriteFile(filepath.Join(c.Dir, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	return &Server{config: c}, nil
}

// Warm prepares for the first question: it loads what every notebook needs.
func (s *Server) Warm() { s.Complete("dl.", 3) }

// connect returns the connection; s.mu is held.
func (s *Server) connect() (*client, error) {
	if s.client != nil {
		select {
		case <-s.client.done:
			s.client = nil
		default:
			return s.client, nil
		}
	}
	if time.Since(s.failed) < 5*time.Second {
		return nil, errGone
	}
	cmd := s.config.Gopls()
	cmd.Dir = s.config.Dir
	c, err := dial(cmd, s.config.Start, s.config.Dir)
	if err != nil {
		s.failed = time.Now()
		return nil, err
	}
	s.client = c
	return c, nil
}

// ask shows gopls the code and asks about a place in it.
func (s *Server) ask(method, code string, offset int) (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.connect()
	if err != nil {
		return nil, err
	}
	text, at := s.config.Context().Document(dialect.Parse(code).Blank(), offset, s.config.Packages)
	uri, err := c.show(s.config.Dir, text)
	if err != nil {
		return nil, err
	}
	line := strings.Count(text[:at], "\n")
	column := len(utf16.Encode([]rune(text[strings.LastIndexByte(text[:at], '\n')+1 : at])))
	return c.ask(method, map[string]any{
		"textDocument": map[string]any{"uri": uri},
		"position":     map[string]any{"line": line, "character": column},
	}, patience)
}

func isName(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// word is the part of a name before and, with whole, after an offset.
func word(code string, offset int, whole bool) (start, end int) {
	start, end = offset, offset
	for start > 0 {
		r, n := utf8.DecodeLastRuneInString(code[:start])
		if !isName(r) {
			break
		}
		start -= n
	}
	for whole && end < len(code) {
		r, n := utf8.DecodeRuneInString(code[end:])
		if !isName(r) {
			break
		}
		end += n
	}
	return start, end
}

// kinds are LSP's kinds of completions, as Jupyter calls them.
var kinds = map[int]string{
	2: "function", 3: "function", 4: "function", 5: "property", 6: "instance", 7: "class", 8: "class", 9: "module", 13: "class",
	14: "keyword", 21: "constant", 22: "class", 25: "class",
}

// Complete returns candidates for what begins at start and ends at end.
func (s *Server) Complete(code string, offset int) (matches []Match, start, end int) {
	if line, ok := dialect.Parse(code).CommandAt(offset); ok {
		texts, replaced := dialect.Complete(s, line)
		for _, text := range texts {
			matches = append(matches, Match{Text: text, Kind: "magic"})
		}
		return matches, offset - replaced, offset
	}
	if matches, start, ok := s.importPaths(code, offset); ok {
		return matches, start, offset
	}
	if matches, start, ok := inString(code, offset); ok {
		return matches, start, offset
	}
	start, end = word(code, offset, false)
	prefix := code[start:end]
	if prefix != "" && (start == 0 || code[start-1] != '.') {
		matches = s.packages(prefix)
	}
	raw, err := s.ask("textDocument/completion", code, offset)
	if err != nil {
		return matches, start, end
	}
	var list struct {
		Items []struct {
			Label, Detail, SortText string
			Kind                    int
		}
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return matches, start, end
	}
	sort.SliceStable(list.Items, func(i, j int) bool {
		a, b := list.Items[i], list.Items[j]
		// Of what is begun, the nearest comes first: De is Dense before DefaultInterpolation.
		if as, bs := strings.HasPrefix(a.Label, prefix), strings.HasPrefix(b.Label, prefix); prefix != "" && as != bs {
			return as
		} else if prefix != "" && len(a.Label) != len(b.Label) {
			return len(a.Label) < len(b.Label)
		}
		return a.SortText < b.SortText
	})
	seen := map[string]bool{}
	for _, m := range matches {
		seen[m.Text] = true
	}
	for _, i := range list.Items {
		if !seen[i.Label] && !strings.Contains(i.Label, "ʹ") && hasPrefixFold(i.Label, prefix) {
			seen[i.Label] = true
			matches = append(matches, Match{Text: i.Label, Kind: kinds[i.Kind], Signature: aliases.ReplaceAllString(strings.TrimPrefix(i.Detail, "func"), ".")})
		}
	}
	return matches, start, end
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// packages are the names of packages that begin with prefix.
func (s *Server) packages(prefix string) []Match {
	names := map[string]string{}
	for path, name := range s.config.Packages.Names() {
		own := strings.HasPrefix(path, "github.com/gradbook/gradbook/") && !strings.Contains(path, "/kernel/")
		if strings.HasPrefix(name, prefix) && (own || !strings.Contains(path, ".")) {
			if old, ok := names[name]; !ok || len(path) < len(old) {
				names[name] = path
			}
		}
	}
	var list []Match
	for name, path := range names {
		list = append(list, Match{Text: name, Kind: "module", Signature: path})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Text < list[j].Text })
	return list
}

// Declared implements [dialect.Names].
func (s *Server) Declared() []string { return s.config.Context().Declared() }

// importing is the beginning of a path in an import.
var importing = regexp.MustCompile(`(?m)(?:^\s*import\s+(?:[\w.]+\s+)?|^import\s*\((?:[^)]*\n)?\s*(?:[\w.]+\s+)?)"([^"\n]*)$`)

// importPaths complete the path of an import.
func (s *Server) importPaths(code string, offset int) (matches []Match, start int, ok bool) {
	m := importing.FindStringSubmatchIndex(code[:offset])
	if m == nil {
		return nil, 0, false
	}
	prefix := code[m[2]:m[3]]
	for path, name := range s.config.Packages.Names() {
		if strings.HasPrefix(path, prefix) && !strings.Contains(path, "/kernel/") {
			matches = append(matches, Match{Text: path, Kind: "module", Signature: name})
		}
	}
	sort.Slice(matches, func(i, j int) bool { return matches[i].Text < matches[j].Text })
	return matches, m[2], true
}

// aliases are the ends of the names that packages have in declarations of earlier cells.
var aliases = regexp.MustCompile(`ʹp\d*\.`)

var links = regexp.MustCompile(`\n*\[[^\]]*\]\(https://pkg\.go\.dev[^)]*\)\s*$`)

// Inspect returns the documentation of what is at an offset, as Markdown; "" if there is
// none.
func (s *Server) Inspect(code string, offset int) string {
	start, end := word(code, offset, true)
	if start == end && start > 0 { // behind a parenthesis, what is called
		if i := strings.LastIndexAny(code[:start], "("); i > 0 {
			start, end = word(code, i, false)
		}
	}
	if start == end {
		return ""
	}
	var hover struct{ Contents struct{ Value string } }
	if raw, err := s.ask("textDocument/hover", code, start); err == nil && json.Unmarshal(raw, &hover) == nil && hover.Contents.Value != "" {
		return strings.TrimSpace(links.ReplaceAllString(aliases.ReplaceAllString(hover.Contents.Value, "."), ""))
	}
	return s.doc(code, start, end)
}
