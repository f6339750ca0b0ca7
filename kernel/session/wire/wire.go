// Package wire is what the kernel and its session say to each other.
package wire

import "encoding/json"

// Request is a line to the session.
type Request struct {
	// Op is "run", "interrupt", "input", "variables", "inspect" (parts of a variable),
	// "show" (a variable as a cell shows it), "table", "setenv" or "comm".
	Op string `json:"op"`
	// N is the number of the cell's library, Library its path, if it is not
	// loaded yet.
	N       int    `json:"n,omitempty"`
	Library string `json:"library,omitempty"`
	// Args are the program's arguments, without its name.
	Args []string `json:"args,omitempty"`
	// Profile is "cpu" or "memory" if the cell runs under the profiler.
	Profile string `json:"profile,omitempty"`
	// AllowStdin is false if nobody can be asked for input.
	AllowStdin bool `json:"allow_stdin,omitempty"`
	// Again is the first line of the cell from which on to run again, if those on which
	// this one depends have not run once and in order.
	Again string `json:"again,omitempty"`
	// Milliseconds are how long an interrupted cell may take to end.
	Milliseconds int64 `json:"ms,omitempty"`
	// Value answers a request for input. Key and Value set the environment; the
	// key "PWD" changes the folder.
	Key   string `json:"key,omitempty"`
	Value string `json:"value,omitempty"`
	// Names are the variables asked for; ID is that of the answer.
	Names []string `json:"names,omitempty"`
	ID    int      `json:"id,omitempty"`
	// Path leads from a variable into it, to what "inspect" tells of: at each step the
	// index of a part.
	Path []int `json:"path,omitempty"`
	// Comm is a message to the session's widgets.
	Comm *Comm `json:"comm,omitempty"`
	// Table is which rows "table" tells of.
	Table *Table `json:"table,omitempty"`
}

// Table asks for rows of a table that was shown.
type Table struct {
	ID         string `json:"id"`
	Start      int    `json:"start"`
	Count      int    `json:"count"`
	Sort       int    `json:"sort"` // by a column, −1 as they are
	Descending bool   `json:"descending"`
	Search     string `json:"search"` // a part of one of their texts
}

// Comm is a message between the session's widgets and a page.
type Comm struct {
	// Type is "comm_open", "comm_msg" or "comm_close".
	Type     string          `json:"type"`
	Content  json.RawMessage `json:"content"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// Event is a line from the session.
type Event struct {
	// Event is "ready", "result", "display", "clear", "input", "variables",
	// "comm", "failure" (of a goroutine), "left" or "done".
	Event string `json:"event"`
	// Data are the forms of what is shown, by MIME type.
	Data map[string]any `json:"data,omitempty"`
	// Metadata and DisplayID belong to Data.
	Metadata  map[string]any `json:"metadata,omitempty"`
	DisplayID string         `json:"display_id,omitempty"`
	// Prompt and Password are of a request for input.
	Prompt   string `json:"prompt,omitempty"`
	Password bool   `json:"password,omitempty"`
	// Wait is true if the output is to be cleared when the next comes.
	Wait bool `json:"wait,omitempty"`
	// Milliseconds is how long the cell ran.
	Milliseconds float64 `json:"ms,omitempty"`
	// Failure is why the cell ended early.
	Failure *Failure `json:"failure,omitempty"`
	// Late is true of a failure after the cell's end, in a goroutine of it.
	Late bool `json:"late,omitempty"`
	// Variables answer the request with the ID; Busy says that something runs that
	// may change them.
	Variables []Variable `json:"variables,omitempty"`
	ID        int        `json:"id,omitempty"`
	// Reason is why there is no answer.
	Reason string `json:"reason,omitempty"`
	Busy   bool   `json:"busy,omitempty"`
	// Mark, if not 0, is the number of the event's place among what is printed.
	Mark int `json:"mark,omitempty"`
	// Left is how many runs are left behind: interrupted, but not ended.
	Left int `json:"left,omitempty"`
	// Comm is a message of the session's widgets.
	Comm *Comm `json:"comm,omitempty"`
}

// Marks in both of the session's outputs: MarkStart, their number, MarkEvent if there is
// an event with it, MarkEnd. What is printed behind a mark comes after all that is printed
// before it, and after the event.
const (
	MarkStart = "\x00\x01gradbook "
	MarkEvent = "e"
	MarkEnd   = "\x01\x00"
)

// Failure is an error that ended a cell.
type Failure struct {
	// Name is its kind: "panic", "error", "KeyboardInterrupt" or "exit".
	Name  string `json:"name"`
	Value string `json:"value"`
	// Frames are the cells' own lines that led there, innermost first.
	Frames []Frame `json:"frames,omitempty"`
	// Code is the exit status.
	Code int `json:"code,omitempty"`
	// Left is true of a cell that was interrupted and has not ended.
	Left bool `json:"left,omitempty"`
}

// Frame is a place in a cell.
type Frame struct {
	Function string `json:"function"`
	File     string `json:"file"` // such as cell[3]
	Line     int    `json:"line"`
}

// Variable describes a session variable.
type Variable struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Shape string `json:"shape,omitempty"` // or length
	Bytes int64  `json:"bytes"`
	Text  string `json:"text,omitempty"`
	// Inside is true of what has parts.
	Inside bool `json:"inside,omitempty"`
}
