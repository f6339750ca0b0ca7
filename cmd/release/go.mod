// What makes releases, apart from go.mod: nobody else needs what it requires.
module github.com/gradbook/gradbook/cmd/release

go 1.26.5

require (
	github.com/CycloneDX/cyclonedx-go v0.12.0
	github.com/google/licensecheck v0.3.1
	golang.org/x/mod v0.43.0
)
