//go:build !unix

package plugin

import "io/fs"

// ours leaves it to the system: a user's own folders are.
func ours(fs.FileInfo) bool { return true }
