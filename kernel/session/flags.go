package session

import (
	"flag"
	"io"
	"os"

	"github.com/gradbook/gradbook/kernel/session/calls"
)

// flags are those that cells have declared. Each cell gets a set of its own, or
// one that declares a flag could not run twice; at ParseFlags, the flags of the
// cells before join it.
var flags = map[string]*flag.Flag{}

func newFlags() {
	if flag.CommandLine != nil {
		flag.CommandLine.VisitAll(func(f *flag.Flag) { flags[f.Name] = f })
	}
	flag.CommandLine = flag.NewFlagSet("cell", flag.ContinueOnError)
}

// ParseFlags implements [calls.Session].
func (session) ParseFlags() {
	for name, f := range flags {
		if flag.Lookup(name) == nil {
			_ = f.Value.Set(f.DefValue) // what it was made from, and is the default again
			flag.Var(f.Value, name, f.Usage)
		}
	}
	flag.CommandLine.SetOutput(io.Discard)
	if err := flag.CommandLine.Parse(os.Args[1:]); err != nil {
		flag.CommandLine.SetOutput(os.Stderr)
		flag.CommandLine.PrintDefaults()
		panic(calls.Unhandled{Err: err})
	}
}
