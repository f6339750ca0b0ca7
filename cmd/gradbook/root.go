package main

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gradbook/gradbook/kernel/install"
)

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gradbook",
		Short: "Deep learning in Go, as notebooks",
		Long: `Gradbook runs Go notebooks with a Keras-like deep-learning package.

Everything it installs is in the checkout's folder .gradbook, if there is one, and in the
user's cache folder; both can be removed at any time.`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(setupCmd(), labCmd(), runCmd(), exportCmd(), serveCmd(), scriptCmd(), notebookCmd(), pageCmd(), bookCmd(), studentCmd(), installCmd(), removeCmd(), doctorCmd(), kernelCmd(), guardCmd(), packCmd())
	return cmd
}

// stamp is the version that a release was built with.
var stamp string

func version() string {
	if stamp != "" {
		return stamp
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// layout finds the checkout from the working directory.
func layout() (install.Layout, error) {
	dir, err := os.Getwd()
	if err != nil {
		return install.Layout{}, err
	}
	l, err := install.Find(dir)
	if err != nil {
		return l, err
	}
	return l, l.Enter()
}

// ready sets up what is missing, so that no command needs another first.
func ready(cmd *cobra.Command) (install.Layout, error) {
	l, err := layout()
	if err != nil {
		return l, err
	}
	return l, install.Setup(cmd.Context(), l, install.NewProgress(os.Stderr))
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
