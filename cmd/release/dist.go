package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	modzip "golang.org/x/mod/zip"
)

// platforms are those for which there are archives: the program, which is pure Go, and
// the source that it sets up.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64"}

// dist makes the folder dist. The same commit gives the same bytes.
func dist(version string) error {
	changes, err := output("git", "status", "--porcelain")
	if err != nil {
		return err
	}
	if changes != "" {
		return fmt.Errorf("expected a checkout without changes, got\n%s", changes)
	}
	if strings.HasPrefix(version, "v") && !semver.IsValid(version) {
		return fmt.Errorf("expected a version like v1.2.3, got %s", version)
	}
	parts, err := collect()
	if err != nil {
		return err
	}
	if all := problems(parts); len(all) > 0 {
		return fmt.Errorf("licences to be looked at:\n%s", strings.Join(all, "\n"))
	}
	when, err := commitTime()
	if err != nil {
		return err
	}
	source, err := output("git", "archive", "--format=tar", "--prefix=gradbook-"+version+"/", "HEAD")
	if err != nil {
		return err
	}
	if err := os.RemoveAll("dist"); err != nil {
		return err
	}
	if err := os.MkdirAll("dist", 0o755); err != nil { //nolint:gosec // to be published
		return err
	}
	for _, platform := range platforms {
		goos, goarch, _ := strings.Cut(platform, "/")
		program, err := build(goos, goarch, version)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("dist/gradbook-%s-%s-%s.tar.gz", version, goos, goarch)
		if err := archive(name, source, "gradbook-"+version+"/gradbook", program, when); err != nil {
			return err
		}
		if wheelTags[platform] == "" {
			continue
		}
		if err := writeWheel(platform, version, program, when, true); err != nil {
			return fmt.Errorf("the wheel for %s: %w", platform, err)
		}
	}
	if semver.IsValid(version) {
		if err := proxy(version, when); err != nil {
			return err
		}
	}
	if err := recipes(version); err != nil {
		return err
	}
	sbom, err := bill(version, when, parts)
	if err != nil {
		return err
	}
	if err := os.WriteFile("dist/gradbook-"+version+".cdx.json", sbom, 0o644); err != nil { //nolint:gosec // to be published
		return err
	}
	return checksums()
}

// plainWheel makes the wheel of a platform without a session, for other packagers, whose
// source has no history.
func plainWheel(platform, version string) error {
	goos, goarch, _ := strings.Cut(platform, "/")
	if wheelTags[platform] == "" {
		return fmt.Errorf("expected a platform that has wheels, got %q", platform)
	}
	program, err := build(goos, goarch, version)
	if err != nil {
		return err
	}
	if err := os.MkdirAll("dist", 0o755); err != nil { //nolint:gosec // to be published
		return err
	}
	return writeWheel(platform, version, program, time.Unix(315532800, 0).UTC(), false)
}

// writeWheel makes the wheel of a platform, with a session where one can be built.
func writeWheel(platform, version string, program []byte, when time.Time, whole bool) error {
	goos, goarch, _ := strings.Cut(platform, "/")
	w, err := newWheel(platform, version)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "wheel-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // a leftover is only clutter
	bin, pack := filepath.Join(tmp, "bin"), filepath.Join(tmp, "session")
	if err := buildTools(goos, goarch, bin); err != nil {
		return err
	}
	if err := w.addFolder("gradbook/bin", bin); err != nil {
		return err
	}
	w.addProgram("gradbook/bin/gradbook", program)
	if whole {
		if whole, err = session(platform, pack); err != nil {
			return err
		}
	}
	if whole {
		if w.tag, err = sessionTag(filepath.Join(pack, "session"), strings.TrimPrefix(w.tag, "manylinux_2_28_")); err != nil {
			return err
		}
		w.add(w.info()+"/WHEEL", []byte(wheelFileOf(w.tag)))
		if err := w.addFolder("gradbook/session", pack); err != nil {
			return err
		}
	}
	content, err := w.bytes(when)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("dist", w.name()), content, 0o644) //nolint:gosec // to be published
}

// proxy makes a folder that serves the version to the go command, as GOPROXY=file://….
//
// Source: https://go.dev/ref/mod#goproxy-protocol
func proxy(version string, when time.Time) error {
	dir := filepath.Join("dist", "proxy", "github.com", "gradbook", "gradbook", "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // to be published
		return err
	}
	var content bytes.Buffer
	m := module.Version{Path: "github.com/gradbook/gradbook", Version: version}
	if err := modzip.CreateFromVCS(&content, m, ".", "HEAD", ""); err != nil {
		return err
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		return err
	}
	info := fmt.Appendf(nil, "{\"Version\":%q,\"Time\":%q}\n", version, when.Format(time.RFC3339))
	for name, content := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": info, version + ".mod": mod, version + ".zip": content.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil { //nolint:gosec // to be published
			return err
		}
	}
	return nil
}

// recipes fills the recipes of other packagers in, which build from the source in an archive.
func recipes(version string) error {
	content, err := os.ReadFile(fmt.Sprintf("dist/gradbook-%s-linux-amd64.tar.gz", version))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	fill := strings.NewReplacer("@TAG@", version, "@VERSION@", strings.TrimPrefix(version, "v"), "@SHA256@", hex.EncodeToString(sum[:]))
	if err := os.MkdirAll("dist/recipes", 0o755); err != nil { //nolint:gosec // to be published
		return err
	}
	for _, name := range []string{"recipe.yaml", "gradbook.rb"} {
		text, err := os.ReadFile(filepath.Join("cmd", "release", "recipes", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join("dist", "recipes", name), []byte(fill.Replace(string(text))), 0o644); err != nil { //nolint:gosec // to be published
			return err
		}
	}
	return nil
}

func commitTime() (time.Time, error) {
	text, err := output("git", "log", "-1", "--format=%ct")
	if err != nil {
		return time.Time{}, err
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return time.Unix(seconds, 0).UTC(), err
}

// build compiles the command line for a platform.
func build(goos, goarch, version string) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "release-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // a leftover is only clutter
	path := filepath.Join(tmp, "gradbook")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.stamp="+version, "-o", path, "./cmd/gradbook")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s/%s: %w\n%s", goos, goarch, err, out)
	}
	return os.ReadFile(path)
}

// archive writes the source, as a tar, and a program beside it.
func archive(path, source, name string, program []byte, when time.Time) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	out := tar.NewWriter(z)
	in := tar.NewReader(strings.NewReader(source))
	for {
		header, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue // git's, with the commit
		}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil { //nolint:gosec // git's own archive
			return err
		}
	}
	header := &tar.Header{Name: name, Mode: 0o755, Size: int64(len(program)), ModTime: when, Typeflag: tar.TypeReg, Uname: "root", Gname: "root"}
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	if _, err := out.Write(program); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return z.Close()
}

// checksums writes SHA256SUMS, which sha256sum -c reads.
func checksums() error {
	files, err := filepath.Glob("dist/gradbook-*")
	if err != nil {
		return err
	}
	slices.Sort(files)
	var b bytes.Buffer
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		fmt.Fprintf(&b, "%s  %s\n", hex.EncodeToString(sum[:]), filepath.Base(path))
		fmt.Printf("%8.1f MB  %s\n", float64(len(content))/1e6, path)
	}
	return os.WriteFile("dist/SHA256SUMS", b.Bytes(), 0o644) //nolint:gosec // to be published
}
