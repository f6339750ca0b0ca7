//go:build !linux

package install

func noExec(string) bool { return false }
