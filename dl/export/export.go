package export

import "embed"

//go:embed plain/*.go plain/*.s
var sources embed.FS
