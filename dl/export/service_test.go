package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func init() {
	ways[Service] = func(t *testing.T, dir string, x []float32) []float64 {
		cmd := exec.Command(filepath.Join(dir, "bin", "digits"), "-http", "127.0.0.1:0", "-grpc", "-", "-grace", "10ms")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		cmd.Stderr = &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			_ = cmd.Wait()
			t.Fatalf("the service says no address: %v\n%s", err, log.Bytes())
		}
		y := served(t, strings.TrimSpace(line)+"/v2/models/digits", x)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("expected the service to end well, got %v\n%s", err, log.Bytes())
		}
		return y
	}
}

// served asks a service for what it makes of images.
func served(t *testing.T, url string, x []float32) []float64 {
	t.Helper()
	type port struct {
		Name, Datatype string
		Shape          []int
		Data           any `json:"data,omitempty"`
	}
	get := func(ask *http.Request, err error, to any) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(ask)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if err := json.NewDecoder(answer.Body).Decode(to); err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("status %d, %v", answer.StatusCode, err)
		}
	}
	var model struct {
		Platform string
		Inputs   []port
	}
	ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	get(ask, err, &model)
	if model.Platform != "gradbook_go" || len(model.Inputs) != 1 {
		t.Fatalf("got %+v", model)
	}
	in := map[string]any{"name": model.Inputs[0].Name, "datatype": "FP32", "shape": []int{len(x) / 784, 28, 28, 1}, "data": x}
	body, err := json.Marshal(map[string]any{"inputs": []any{in}})
	if err != nil {
		t.Fatal(err)
	}
	var result struct{ Outputs []struct{ Data []float64 } }
	ask, err = http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/infer", bytes.NewReader(body))
	get(ask, err, &result)
	return result.Outputs[0].Data
}
