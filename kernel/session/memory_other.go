//go:build !linux

package session

const canRewrite = false

func regions(string, regionKind) []mapping { return nil }

func writable(uintptr, int, func()) {}

func inHeap(uintptr) bool { return false }
