// Package notebooks holds the tutorials, in English and, in zh, in Chinese. Its
// tests execute them.
package notebooks
