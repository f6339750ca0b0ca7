//go:build !unix

package session

import "errors"

// Sessions are for systems with such pipes; elsewhere the package is only compiled.
func mkfifo(string) error { return errors.ErrUnsupported }
