// Release makes what is published of a version, and tells what it is made of.
//
//	release dist [VERSION]   archives for each platform, checksums and an SBOM, in dist
//	release wheel PLATFORM VERSION   a wheel without a session, for other packagers
//	release licenses         docs/licenses.md
//
// make dist and make licenses call it in the checkout.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if err := toCheckout(); err != nil {
		return err
	}
	switch {
	case len(args) == 1 && args[0] == "licenses":
		parts, err := collect()
		if err != nil {
			return err
		}
		return os.WriteFile("docs/licenses.md", licenses(parts), 0o644) //nolint:gosec // a page to read
	case len(args) == 1 && args[0] == "dist":
		version, err := output("git", "describe", "--tags", "--always", "--dirty")
		if err != nil {
			return err
		}
		return dist(strings.TrimSpace(version))
	case len(args) == 3 && args[0] == "wheel":
		return plainWheel(args[1], args[2])
	case len(args) == 2 && args[0] == "dist":
		return dist(args[1])
	}
	return errors.New("expected: release dist [VERSION], release wheel PLATFORM VERSION, or release licenses")
}

// toCheckout goes to the folder of the checkout: go run -C starts in this module's.
func toCheckout() error {
	for {
		mod, err := os.ReadFile("go.mod")
		if err == nil && strings.HasPrefix(string(mod), "module github.com/gradbook/gradbook\n") {
			return nil
		}
		if dir, err := os.Getwd(); err != nil || dir == "/" {
			return errors.New("expected to run in a checkout")
		}
		if err := os.Chdir(".."); err != nil {
			return err
		}
	}
}

// output runs a command in the checkout.
func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	return string(out), nil
}
