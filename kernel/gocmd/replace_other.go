//go:build !unix

package gocmd

func replace(goCmd string, args []string) int { return run(goCmd, args) }
