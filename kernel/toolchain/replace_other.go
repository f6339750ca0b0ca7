//go:build !unix

package toolchain

func replace(goCmd string, args []string) int { return run(goCmd, args) }
