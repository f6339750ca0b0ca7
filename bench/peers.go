package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// peer is a framework and how it is run.
type peer struct {
	name, script string
	args, env    []string
	models       []string // nil is all
}

var frameworks = []peer{
	{"keras-tensorflow", "keras_fit.py", nil, []string{"KERAS_BACKEND=tensorflow", "TF_CPP_MIN_LOG_LEVEL=3"}, nil},
	{"keras-jax", "keras_fit.py", nil, []string{"KERAS_BACKEND=jax", "JAX_PLATFORMS=cpu", "TF_CPP_MIN_LOG_LEVEL=3"}, nil},
	{"jax", "jax_step.py", nil, []string{"JAX_PLATFORMS=cpu"}, []string{"cnn"}},
	{"pytorch", "torch_step.py", nil, nil, nil},
	{"pytorch-nhwc", "torch_step.py", []string{"--channels-last"}, nil, []string{"cnn", "resnet18", "mobilenetv2"}},
	{"pytorch-compile", "torch_step.py", []string{"--compile"}, nil, nil},
}

// peersPython returns the interpreter of the peers' own environment, and makes
// it the first time: a gigabyte or more, mostly PyTorch.
func peersPython() (string, error) {
	requirements := filepath.Join("bench", "peers", "requirements.txt")
	content, err := os.ReadFile(requirements)
	if err != nil {
		return "", fmt.Errorf("%w; run it in the checkout's folder", err)
	}
	sum := sha256.Sum256(content)
	want := hex.EncodeToString(sum[:])
	venv := filepath.Join(".gradbook", "peers")
	python, stamp := filepath.Join(venv, "bin", "python"), filepath.Join(venv, "requirements.sha256")
	if runtime.GOOS == "windows" {
		python = filepath.Join(venv, "Scripts", "python.exe")
	}
	if got, err := os.ReadFile(stamp); err == nil && string(got) == want {
		return python, nil
	}
	fmt.Fprintln(os.Stderr, "installing TensorFlow, JAX and PyTorch into", venv)
	for _, args := range [][]string{
		{"python3", "-m", "venv", "--clear", venv},
		{python, "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--progress-bar", "off", "--disable-pip-version-check", "-q", "-r", requirements},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("%s: %w", strings.Join(args, " "), err)
		}
	}
	return python, os.WriteFile(stamp, []byte(want), 0o600)
}
