package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/install"
)

func labCmd() *cobra.Command {
	var port int
	var noBrowser bool
	cmd := &cobra.Command{
		Use:   "lab [FOLDER] [-- JUPYTERLAB-ARGUMENT…]",
		Short: "Open JupyterLab at the notebooks, or at a folder of your own",
		Long: `Lab opens JupyterLab: in a checkout at its notebooks, elsewhere at the folder you are in.
A notebook in a folder with a go.mod, or below one, can import that module's packages.`,
		Example: `  gradbook lab
  gradbook lab my/notebooks
  gradbook lab --port 9000 --no-browser
  gradbook lab -- --ip 0.0.0.0`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if port < 0 || port > 65535 {
				return errors.New("expected a port from 1 to 65535 (or 0 for a free one), got " + strconv.Itoa(port))
			}
			own, rest := args, []string(nil)
			if at := cmd.ArgsLenAtDash(); at >= 0 {
				own, rest = args[:at], args[at:]
			}
			if len(own) > 1 {
				return fmt.Errorf("expected at most one folder, got %q; JupyterLab's own options come after --", own)
			}
			l, err := layout()
			if err != nil {
				return err
			}
			if err := readyForLab(cmd.Context(), l); err != nil {
				return err
			}
			dir, err := labFolder(l, own)
			if err != nil {
				return err
			}
			all := []string{
				"-m", "jupyterlab", "--ServerApp.root_dir", dir, "--port", strconv.Itoa(port),
				"--LanguageServerManager.autodetect=False",
			}
			if noBrowser {
				all = append(all, "--no-browser")
			}
			if os.Geteuid() == 0 {
				all = append(all, "--allow-root")
			}
			lab := exec.CommandContext(cmd.Context(), l.Python(), append(all, rest...)...)
			lab.Env = l.JupyterEnv()
			lab.Stdin, lab.Stdout, lab.Stderr = os.Stdin, os.Stdout, os.Stderr
			// JupyterLab ends its kernels when it is asked to end.
			lab.Cancel = func() error { return lab.Process.Signal(syscall.SIGTERM) }
			lab.WaitDelay = 20 * time.Second
			if err := lab.Run(); cmd.Context().Err() == nil {
				return err
			}
			return nil // ended as asked
		},
	}
	cmd.Flags().IntVar(&port, "port", 8888, "port of the server; the next free one is taken if it is in use, 0 means any")
	cmd.Flags().BoolVar(&noBrowser, "no-browser", false, "do not open a browser")
	return cmd
}

// readyForLab returns when JupyterLab can be started. What cells need is set up while it
// starts, and they wait for it; what the first cell can do without, after that.
func readyForLab(ctx context.Context, l install.Layout) error {
	jupyter, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		err := install.ReadyWith(ctx, l, install.NewProgress(os.Stderr), func() { close(jupyter) })
		if ended <- err; err != nil {
			return
		}
		if err := install.Rest(ctx, l, install.NewProgress(io.Discard)); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "gradbook: completion, or GoNB's commands, will not work:", err)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-jupyter:
	}
	go func() {
		if err := <-ended; err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "gradbook: cells will not run:", err)
		}
	}()
	return nil
}

// labFolder is the folder that JupyterLab opens at: the one that is asked for, the notebooks
// of a checkout, or where the program was called.
func labFolder(l install.Layout, own []string) (string, error) {
	switch {
	case len(own) == 1:
		return filepath.Abs(own[0])
	case l.IsCheckout():
		return filepath.Join(l.Root, "notebooks"), nil
	}
	return os.Getwd()
}
