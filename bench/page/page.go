// Package page puts what was measured into pages.
package page

import (
	"fmt"
	"os"
	"strings"
)

// Write puts text between the marks of a page, which name the command that it is of.
func Write(page, command, text string) error {
	begin, end := fmt.Sprintf("<!-- begin: %s -->", command), fmt.Sprintf("<!-- end: %s -->", command)
	content, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(content), begin)
	_, after, has := strings.Cut(rest, end)
	if !ok || !has {
		return fmt.Errorf("expected %s and %s in %s", begin, end, page)
	}
	return os.WriteFile(page, []byte(before+begin+"\n\n"+text+"\n"+end+after), 0o644)
}
