package cell

import (
	"fmt"
	"go/format"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// versioned is a name with a version, or that of a package, as cells are compiled;
// indirect is a variable behind a pointer.
var (
	versioned = regexp.MustCompile(`([\pL_][\pL\pN_]*?)ʹ(p\d*|\d+)`)
	indirect  = regexp.MustCompile(`\(\*([\pL_][\pL\pN_]*?)ʹ(\d+)\)`)
	word      = regexp.MustCompile(`[\pL_][\pL\pN_]*`)
)

// Source is the program, as gofmt has it. about are lines of its first comment.
func (s *Script) Source(about ...string) ([]byte, error) {
	w := &scriptWriter{Script: s}
	w.merge()
	if err := w.refuseIndirect(); err != nil {
		return nil, err
	}
	w.findLocals()
	body := w.body()
	text := w.declarations() + body
	if strings.Contains(text, checkName+"(") {
		text = fmt.Sprintf("// %[1]s ends the program with an error, as it would end a cell.\nfunc %[1]s(err error) {\nif err != nil {\n%[2]s.Fatal(err)\n}\n}\n", checkName, s.state.alias("log", "log")) + text
	}
	text, imports := w.named(text)
	var b strings.Builder
	for _, line := range about {
		b.WriteString(strings.TrimRight("// "+line, " ") + "\n")
	}
	b.WriteString("package main\n\n" + imports + text)
	out, err := format.Source([]byte(b.String()))
	if err != nil {
		return []byte(b.String()), fmt.Errorf("the program does not parse: %w", err)
	}
	return out, nil
}

type scriptWriter struct {
	*Script
	merged map[string]bool // names whose versions are all the same
	local  map[string]bool // variables that := of main declares
}

// merge finds the names whose versions say the same: a type that has got methods, what
// depends on it.
func (w *scriptWriter) merge() {
	versions := map[string]map[int]bool{}
	note := func(name string, version int) {
		if versions[name] == nil {
			versions[name] = map[int]bool{}
		}
		versions[name][version] = true
	}
	for _, d := range w.decls {
		note(d.owner(), d.version)
	}
	for _, v := range w.vars {
		note(v.name, v.version)
	}
	w.merged = map[string]bool{}
	for name, all := range versions {
		w.merged[name] = len(all) > 1
	}
	for again := true; again; {
		again = false
		texts := map[string]map[string]string{} // of what, by name
		differ := func(name, what, text string) {
			if texts[name] == nil {
				texts[name] = map[string]string{}
			}
			if before, ok := texts[name][what]; ok && before != text && w.merged[name] {
				w.merged[name], again = false, true
			}
			texts[name][what] = text
		}
		for _, d := range w.decls {
			differ(d.owner(), d.name, w.normal(d.text))
			differ(d.owner(), "", map[bool]string{true: "type", false: d.name}[d.kind == typeDecl || d.base != ""])
		}
		for _, v := range w.vars {
			differ(v.name, v.name, w.normal(v.typ))
			differ(v.name, "", "variable")
		}
	}
}

func (d scriptDecl) owner() string {
	if d.base != "" {
		return d.base
	}
	return d.name
}

// normal is a text without the versions that say the same.
func (w *scriptWriter) normal(text string) string {
	strip := func(pattern *regexp.Regexp, text string) string {
		return pattern.ReplaceAllStringFunc(text, func(s string) string {
			if m := pattern.FindStringSubmatch(s); w.merged[m[1]] && m[2][0] != 'p' {
				return m[1]
			}
			return s
		})
	}
	return strip(versioned, strip(indirect, text))
}

// refuseIndirect names a variable whose values would have to become those of another type.
func (w *scriptWriter) refuseIndirect() error {
	for _, p := range w.sections {
		if m := indirect.FindStringSubmatch(w.normal(p.text)); m != nil {
			return fmt.Errorf("%s: a type of which %s is a value has other methods than before, which a program cannot have: declare its methods once", p.mark, m[1])
		}
	}
	return nil
}

// findLocals finds the variables that only main has: a := declares all that it names, or
// none.
func (w *scriptWriter) findLocals() {
	w.local = map[string]bool{}
	for name, v := range w.vars {
		read := v.read || slices.ContainsFunc(w.sections, func(p section) bool { return strings.Contains(p.text, checkName+"("+name+")") })
		w.local[name] = !v.global && v.declared > 0 && read && !w.merged[v.name]
	}
	for again := true; again; {
		again = false
		w.eachDefine(func(names, fresh []string) {
			all := !slices.ContainsFunc(names, func(name string) bool { return name != "_" && !w.local[name] })
			for _, name := range fresh {
				if w.local[name] && !all {
					w.local[name], again = false, true
				}
			}
		})
	}
}

// eachDefine calls f with the names of each := of main in turn, and those of them that it
// would declare.
func (w *scriptWriter) eachDefine(f func(names, fresh []string)) {
	seen := map[string]bool{}
	for i, p := range w.sections {
		parts := strings.Split(p.text, defineMark)
		for j := 1; j < len(parts); j += 2 {
			names := strings.Fields(parts[j])
			var fresh []string
			for _, name := range names {
				if v := w.vars[name]; v != nil && v.declared == i+1 && !seen[name] {
					fresh, seen[name] = append(fresh, name), true
				}
			}
			f(names, fresh)
		}
	}
}

// body is main.
func (w *scriptWriter) body() string {
	var defines []string
	w.eachDefine(func(_, fresh []string) {
		if slices.ContainsFunc(fresh, func(name string) bool { return w.local[name] }) {
			defines = append(defines, ":=")
		} else {
			defines = append(defines, "=")
		}
	})
	var b strings.Builder
	b.WriteString("\nfunc main() {")
	for _, p := range w.sections {
		if p.text == "" && len(p.comment) == 0 && w.declares(p.mark) {
			continue
		}
		b.WriteString("\n// %% " + p.mark + "\n")
		for _, line := range p.comment {
			b.WriteString(strings.TrimRight("// "+line, " ") + "\n")
		}
		parts := strings.Split(p.text, defineMark)
		var text strings.Builder
		for j, part := range parts {
			if j%2 == 0 {
				text.WriteString(part)
				continue
			}
			text.WriteString(defines[0])
			defines = defines[1:]
		}
		if p.wrapped {
			b.WriteString("func() {\n" + text.String() + "\n}()\n")
		} else {
			b.WriteString(text.String() + "\n")
		}
	}
	b.WriteString("}\n")
	return b.String()
}

func (w *scriptWriter) declares(mark string) bool {
	return slices.ContainsFunc(w.decls, func(d scriptDecl) bool { return d.mark == mark })
}

// declarations are the package's, below the marks of their cells: variables that functions
// share, types, functions.
func (w *scriptWriter) declarations() string {
	var b strings.Builder
	done := map[string]bool{}
	add := func(text string) {
		if text = w.normal(text); !done[text] {
			done[text] = true
			b.WriteString(text)
		}
	}
	for _, p := range w.sections {
		if len(p.comment) > 0 && p.text == "" && !w.declares(p.mark) && p.fresh == nil {
			continue
		}
		before := b.Len()
		head := "\n// %% " + p.mark + "\n"
		b.WriteString(head)
		for _, name := range w.order {
			if v := w.vars[name]; v.mark == p.mark && !w.local[name] {
				add(fmt.Sprintf("\nvar %s %s\n", name, v.typ))
			}
		}
		for _, d := range w.decls {
			if d.mark == p.mark {
				add("\n" + d.text + "\n")
			}
		}
		if text := b.String(); len(text) == before+len(head) {
			b.Reset()
			b.WriteString(text[:before])
		}
	}
	return b.String()
}

// named gives all names those that a person would, and says what to import.
func (w *scriptWriter) named(text string) (out, imports string) {
	text = w.normal(text)
	taken := map[string]bool{}
	for _, name := range word.FindAllString(versioned.ReplaceAllString(text, " "), -1) {
		taken[name] = true
	}
	own := map[string]bool{} // what the notebook itself declares at the package's level, or in main
	for _, v := range w.vars {
		own[v.name] = true
	}
	for _, d := range w.decls {
		own[d.name] = true
	}
	names := map[string]string{}
	free := func(name string, number int, ok func(string) bool) string {
		for !ok(name) {
			number++
			name = strings.TrimRight(name, "0123456789") + strconv.Itoa(number)
		}
		taken[name] = true
		return name
	}
	paths := map[string]string{}
	for p, alias := range w.state.aliases {
		paths[alias] = p
	}
	used := map[string]string{} // paths by alias
	for _, m := range versioned.FindAllStringSubmatch(text, -1) {
		if names[m[0]] != "" {
			continue
		}
		switch n, _ := strconv.Atoi(m[2]); {
		case m[2][0] == 'p':
			names[m[0]] = free(m[1], 1, func(name string) bool { return !own[name] && used[name] == "" })
			used[names[m[0]]] = paths[m[0]]
		case n == 0:
			names[m[0]] = free(m[1], 1, func(name string) bool { return !taken[name] && !reserved(name) })
		default:
			names[m[0]] = free(m[1]+strconv.Itoa(n+1), n+1, func(name string) bool { return !taken[name] })
		}
	}
	text = versioned.ReplaceAllStringFunc(text, func(s string) string { return names[s] })
	return text, w.imports(used)
}

func (w *scriptWriter) imports(used map[string]string) string {
	var std, others []string
	add := func(alias, p string) {
		line := strings.TrimSpace(fmt.Sprintf("%s %q", alias, p)) + "\n"
		if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
			others = append(others, line)
		} else {
			std = append(std, line)
		}
	}
	for _, alias := range slices.SortedFunc(maps.Keys(used), func(a, b string) int { return strings.Compare(used[a], used[b]) }) {
		p := used[alias]
		if last := path.Base(p); alias == last || majorVersion.MatchString(last) && alias == path.Base(path.Dir(p)) {
			add("", p)
		} else {
			add(alias, p)
		}
	}
	for _, p := range w.dots {
		add(".", p)
	}
	for _, p := range w.blank {
		add("_", p)
	}
	if len(std)+len(others) == 0 {
		return ""
	}
	return "import (\n" + strings.Join(std, "") + "\n" + strings.Join(others, "") + ")\n\n"
}

var majorVersion = regexp.MustCompile(`^v\d+$`)
