package plugin

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// foreignPrefix begins the names of functions that stand for foreign ones.
const foreignPrefix = "gradbook_foreign__"

// Target is the name of a function in a program whose calls become calls of a foreign one, with
// whole numbers as settings. GoMLX knows only the calls of a program's functions, so that one of
// the same inputs and outputs stands for it. id tells functions of a program apart.
func Target(name string, settings []int, id int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s__%d", foreignPrefix, name, id)
	for _, s := range settings {
		fmt.Fprintf(&b, "_%d", s)
	}
	return b.String()
}

var call = regexp.MustCompile(`"func\.call"(\([^)]*\)) ?\{ ?callee = @` + foreignPrefix + `([a-z0-9]+(?:_[a-z0-9]+)*?)__[0-9]+((?:_[0-9]+)*) ?\}`)

// rewritten is a program's text with calls of foreign functions; nil if it has none.
func rewritten(text []byte) []byte {
	if !bytes.Contains(text, []byte("@"+foreignPrefix)) {
		return nil
	}
	out := call.ReplaceAllFunc(text, func(found []byte) []byte {
		m := call.FindSubmatch(found)
		config := "{}"
		if len(m[3]) > 0 {
			config = "{settings = array<i64: " + strings.ReplaceAll(string(m[3][1:]), "_", ", ") + ">}"
		}
		return fmt.Appendf(nil, `"stablehlo.custom_call"%s {call_target_name = %q, api_version = 4 : i32, backend_config = %s}`, m[1], m[2], config)
	})
	// What stands for a foreign function computes nothing. A call of it that is left is one of a
	// function that is not there, which the compiler refuses by this name.
	return bytes.ReplaceAll(out, []byte("callee = @"+foreignPrefix), []byte("callee = @not_understood__"))
}
