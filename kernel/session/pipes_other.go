//go:build !linux

package session

import "errors"

// Sessions are for Linux; elsewhere the package is only compiled.

func pipe() (fds [2]int, err error) { return fds, errors.ErrUnsupported }

func mkfifo(string) error { return errors.ErrUnsupported }
