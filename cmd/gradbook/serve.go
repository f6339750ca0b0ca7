package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/install"
)

func serveCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "serve [flags] MODEL…",
		Short: "Serve models by HTTP and gRPC",
		Long: `Serve is a service for models (.keras or .onnx): the V2 protocol of KServe and Triton, and
for models of language OpenAI's chat completions. A page at / tries them.

A model is PATH or NAME=PATH; a folder has versions: 1/model.keras, 2/model.keras. A file that is
replaced is loaded while the old one is served. SIGTERM ends the service when all that has come is
answered. "gradbook serve -h" lists the flags.

It is built when it is first used, for which its dependencies are downloaded.`,
		Example:            "  gradbook serve digits.keras\n  gradbook serve -http :8080 -tokens tokens.txt digits=models/digits",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "help") {
				return cmd.Help()
			}
			l, err := ready(cmd)
			if err != nil {
				return err
			}
			program, err := l.BuildModule(cmd.Context(), install.NewProgress(os.Stderr), "dl/serve", "serve")
			if err != nil {
				return err
			}
			run := exec.Command(program, args...)
			run.Stdin, run.Stdout, run.Stderr = os.Stdin, os.Stdout, os.Stderr
			if err := run.Start(); err != nil {
				return err
			}
			// The service ends when it has answered; this program waits for it.
			go func() {
				<-cmd.Context().Done()
				_ = run.Process.Signal(syscall.SIGTERM)
			}()
			err = run.Wait()
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return exitError(max(1, exit.ExitCode()))
			}
			return err
		},
	}
}
