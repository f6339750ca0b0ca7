//go:build !unix

package main

func peakMemory() float64 { return 0 }
