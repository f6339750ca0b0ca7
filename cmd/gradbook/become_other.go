//go:build !unix

package main

import "os/exec"

func become(cmd *exec.Cmd) error { return cmd.Run() }
