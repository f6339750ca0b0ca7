package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func labCmd() *cobra.Command {
	var port int
	var noBrowser bool
	cmd := &cobra.Command{
		Use:   "lab [FOLDER] [-- JUPYTERLAB-ARGUMENT…]",
		Short: "Open JupyterLab at the notebooks, or at a folder of your own",
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
			l, err := ready(cmd)
			if err != nil {
				return err
			}
			dir := filepath.Join(l.Root, "notebooks")
			if len(own) == 1 {
				if dir, err = filepath.Abs(own[0]); err != nil {
					return err
				}
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
