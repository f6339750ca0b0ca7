package dialect

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// topics are what commands are about, in the order of %help. A command of no topic is
// listed under the last.
var topics = []struct{ name, about string }{
	{"session", "variables and declarations"},
	{"shell", "programs, folders and files"},
	{"time", "how long code takes, and what it allocates"},
	{"show", "a cell as what it is"},
	{"modules", "packages of others"},
	{"gonb", "programs of GoNB's, apart from the session"},
	{"more", "what has no topic"},
}

// about returns the commands of a topic.
func about(topic string) (list []Command) {
	for _, c := range table {
		if c.Topic == topic || c.Topic == "" && topic == "more" {
			list = append(list, c)
		}
	}
	return list
}

const helpEnd = `
A cell's variables and functions live on, and the value of its last expression is shown.
NAME? tells of a name, Tab completes it. %help session tells of a topic, %help %who of a command.
`

func help(h Host, s Segment) error {
	name := strings.TrimSpace(s.Args)
	if name == "" {
		var b strings.Builder
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, t := range topics {
			if list := about(t.name); len(list) > 0 {
				fmt.Fprintf(w, "%s\t%s\n", t.name, names(list))
			}
		}
		_ = w.Flush() // to a string
		h.Print(b.String() + helpEnd)
		return nil
	}
	for _, t := range topics {
		if list := about(name); t.name == name && len(list) > 0 {
			h.Print(t.name + ": " + t.about + "\n\n" + described(list))
			return nil
		}
	}
	at := slices.IndexFunc(table, func(c Command) bool { return c.Name == name || strings.TrimLeft(c.Name, "%!") == name })
	if at < 0 {
		return fmt.Errorf("there is no topic and no command %s%s", name, similar(name))
	}
	h.Print(described(table[at : at+1]))
	return nil
}

func names(list []Command) string {
	var all []string
	for _, c := range list {
		all = append(all, c.Name)
	}
	return strings.Join(all, "  ")
}

func described(list []Command) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, c := range list {
		fmt.Fprintf(w, "%s\t%s\n", strings.TrimSpace(c.Name+" "+c.Args), c.Help)
	}
	_ = w.Flush() // to a string
	return b.String()
}

func helpTopics(_ Names, word string) (list []string) {
	for _, t := range topics {
		if strings.HasPrefix(t.name, word) {
			list = append(list, t.name)
		}
	}
	for _, c := range table {
		if strings.HasPrefix(c.Name, word) {
			list = append(list, c.Name)
		}
	}
	return list
}
