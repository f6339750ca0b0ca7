// Package frontend is where viz and what shows its charts meet. It imports nothing,
// so that a program with charts does not carry a notebook with it.
package frontend

// Frontend shows things below a notebook's cell.
type Frontend interface {
	// Live says whether the program runs in a notebook.
	Live() bool
	// Send shows data, by MIME type, in the place of what was shown with the same
	// id, if there is one. It returns when the notebook has it.
	Send(data map[string]string, id string) error
}

// Current is the front end of this program, or nil. It is set while the program
// starts and not later.
var Current Frontend

// Live says whether there is a notebook to show things in.
func Live() bool { return Current != nil && Current.Live() }
