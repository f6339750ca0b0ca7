package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// scaled multiplies its inputs by what its file says. It does what tests ask it for: a number of
// 13 panics, one of 14 is an error, and one of 15 waits for gate.
type scaled struct {
	by   float32
	gate chan struct{}
}

func (*scaled) Describe() Description {
	return Description{Platform: "test", Inputs: []Port{{"x", "FP32", []int{2}}}, Outputs: []Port{{"y", "FP32", []int{2}}}}
}

func (m *scaled) Predict(_ context.Context, in []Tensor) ([]Tensor, error) {
	out := Tensor{in[0].Shape, make([]float32, len(in[0].Data))}
	for i, v := range in[0].Data {
		switch v {
		case 13:
			panic("unlucky")
		case 14:
			return nil, errors.New("RESOURCE_EXHAUSTED: out of memory")
		case 15:
			<-m.gate
		case 16:
			v = float32(math.NaN())
		}
		out.Data[i] = v * m.by
	}
	return []Tensor{out}, nil
}

// loadScaled reads a file of a number between marks, so that half a file is noticed.
func loadScaled(gate chan struct{}) Loader {
	return func(path string) (Model, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		body, whole := strings.CutSuffix(strings.TrimSpace(string(text)), "end")
		v, err := strconv.ParseFloat(body, 32)
		if err != nil || !whole {
			return nil, fmt.Errorf("%q is half a file", text)
		}
		return &scaled{float32(v), gate}, nil
	}
}

type running struct {
	*Server
	url  string
	gate chan struct{}
	stop func() error
}

// run serves a file of a number.
func run(t testing.TB, c Config) (*running, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.keras")
	if err := os.WriteFile(path, []byte("2end"), 0o600); err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	c.Models, c.Load, c.Address, c.GRPC = []string{path}, loadScaled(gate), "127.0.0.1:0", "127.0.0.1:0"
	c.Log = slog.New(slog.DiscardHandler)
	if c.Grace == 0 {
		c.Grace = time.Millisecond
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop := func() (err error) {
		once.Do(func() {
			cancel()
			err = <-done
		})
		return err
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("drain: %v", err)
		}
	})
	return &running{s, "http://" + s.Addr().String(), gate, stop}, path
}

func ask(client *http.Client, url string, x float32) (y float32, status int, err error) {
	body := fmt.Sprintf(`{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[%g,1]}]}`, x)
	r, err := client.Post(url+"/v2/models/m/infer", "application/json", strings.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		return 0, r.StatusCode, err
	}
	var a struct{ Outputs []struct{ Data []float32 } }
	if err := json.Unmarshal(text, &a); err != nil || len(a.Outputs) != 1 || len(a.Outputs[0].Data) != 2 {
		return 0, 200, fmt.Errorf("%s: %w", text, err)
	}
	return a.Outputs[0].Data[0], 200, nil
}

// TestSwap replaces the model's file while it is asked, whole and in halves: each answer is that of
// the old or of the new one.
func TestSwap(t *testing.T) {
	s, path := run(t, Config{Reload: 5 * time.Millisecond})
	stop := make(chan struct{})
	var wait sync.WaitGroup
	var asked, news atomic.Int64
	for range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			client := &http.Client{Transport: &http.Transport{}}
			for {
				select {
				case <-stop:
					return
				default:
				}
				y, status, err := ask(client, s.url, 3)
				if err != nil || status != 200 || y != 6 && y != 9 {
					t.Errorf("got %v, status %d, %v", y, status, err)
					return
				}
				if asked.Add(1); y == 9 {
					news.Add(1)
				}
			}
		}()
	}
	for i := range 60 {
		text := []string{"3end", "2end"}[i%2]
		if i%3 == 0 { // not at once, and not as a new file
			for n := range len(text) + 1 {
				if err := os.WriteFile(path, []byte(text[:n]), 0o600); err != nil {
					t.Error(err)
				}
				time.Sleep(3 * time.Millisecond)
			}
		} else {
			next := path + ".next"
			if err := errors.Join(os.WriteFile(next, []byte(text), 0o600), os.Rename(next, path)); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	close(stop)
	wait.Wait()
	if asked.Load() < 500 || news.Load() == 0 || news.Load() == asked.Load() {
		t.Errorf("expected answers of both files, got %d of %d of the new one", news.Load(), asked.Load())
	}
}

// TestDrain ends the service under load: whoever was let in is answered.
func TestDrain(t *testing.T) {
	s, _ := run(t, Config{Grace: 300 * time.Millisecond})
	var wait sync.WaitGroup
	var answered, refused atomic.Int64
	for range 16 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			client := &http.Client{Transport: &http.Transport{}}
			for {
				y, status, err := ask(client, s.url, 3)
				switch {
				case errors.Is(err, syscall.ECONNREFUSED): // it is not let in any more
					refused.Add(1)
					return
				case err != nil || status != 200 || y != 6:
					t.Errorf("got %v, status %d, %v", y, status, err)
					return
				}
				answered.Add(1)
			}
		}()
	}
	time.Sleep(200 * time.Millisecond)
	stopped := make(chan error)
	go func() { stopped <- s.stop() }()
	time.Sleep(100 * time.Millisecond)
	if r, err := http.Get(s.url + "/v2/health/ready"); err != nil {
		t.Error(err)
	} else if _ = r.Body.Close(); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("expected not to be ready, got status %d", r.StatusCode)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	wait.Wait()
	if refused.Load() != 16 || answered.Load() < 100 {
		t.Errorf("got %d answers, and %d of 16 refused at the end", answered.Load(), refused.Load())
	}
}

// TestOthersAreSafe has one request of a batch panic, fail, answer NaN or leave: the others get
// their answers.
func TestOthersAreSafe(t *testing.T) {
	s, _ := run(t, Config{Batch: BatchConfig{Delay: 20 * time.Millisecond}})
	for x, want := range map[float32]int{13: 500, 14: 500, 16: 422} {
		var wait sync.WaitGroup
		for i := range 12 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				v, status := float32(3), 200
				if i == 5 {
					v, status = x, want
				}
				y, got, err := ask(http.DefaultClient, s.url, v)
				if err != nil || got != status || status == 200 && y != 6 {
					t.Errorf("%g: got %v, status %d, %v; want status %d", v, y, got, err, status)
				}
			}()
		}
		wait.Wait()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v2/models/m/infer", strings.NewReader(`{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[15,1]}]}`))
	if _, err := http.DefaultClient.Do(r); err == nil { //nolint:bodyclose // there is none
		t.Error("expected the client to leave")
	}
	waiting := make(chan float32)
	go func() {
		y, _, _ := ask(http.DefaultClient, s.url, 3)
		waiting <- y
	}()
	time.Sleep(20 * time.Millisecond)
	close(s.gate)
	if y := <-waiting; y != 6 {
		t.Errorf("behind one who left: got %v", y)
	}
}

// TestFull fills the queue: what comes then is told so at once.
func TestFull(t *testing.T) {
	s, _ := run(t, Config{Batch: BatchConfig{Size: 1, Queue: 2}})
	go func() { _, _, _ = ask(http.DefaultClient, s.url, 15) }()
	time.Sleep(50 * time.Millisecond)
	codes := make(chan int, 6)
	for range 6 {
		go func() {
			_, status, _ := ask(http.DefaultClient, s.url, 3)
			codes <- status
		}()
	}
	for range 4 {
		if c := <-codes; c != 503 {
			t.Errorf("expected status 503, got %d", c)
		}
	}
	close(s.gate)
	for range 2 {
		if c := <-codes; c != 200 {
			t.Errorf("expected those that waited to be answered, got %d", c)
		}
	}
}

// TestSlow has clients that send next to nothing: they are shown out, and nobody waits for them.
func TestSlow(t *testing.T) {
	s, _ := run(t, Config{Timeout: 300 * time.Millisecond})
	var conns []net.Conn
	for i := range 50 {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = fmt.Fprintf(c, "POST /v2/models/m/infer HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n{", 100+i)
		conns = append(conns, c)
	}
	for range 20 {
		if y, status, err := ask(http.DefaultClient, s.url, 3); y != 6 {
			t.Errorf("got %v, status %d, %v", y, status, err)
		}
	}
	for _, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		b, err := io.ReadAll(c)
		if err != nil || !bytes.Contains(b, []byte("HTTP/1.1 400")) {
			t.Fatalf("expected status 400 and the end, got %q, %v", b, err)
		}
	}
}

// FuzzInfer sends bodies that may be anything: each is answered with a status, and the service goes on.
func FuzzInfer(f *testing.F) {
	whole := `{"id":"1","inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}`
	for _, seed := range []string{
		whole, "", "{}", `{"inputs":[]}`, strings.Replace(whole, "[1,2]}", "[[1],[2]]}", 1), strings.Replace(whole, "FP32", "INT8", 1),
		strings.Replace(whole, `"data":[1,2]`, `"parameters":{"binary_data_size":8}`, 1) + "\x00\x00\x80\x3f\x00\x00\x00\x40",
		strings.Replace(whole, "[1,2]}", "[1e999,-0.0]}", 1), strings.Replace(whole, "[1,2],", "[9223372036854775807,2],", 1),
		strings.Replace(whole, "[1,2]}", "[1.2.3,--1]}", 1), `{"inputs":[{"name":"x","datatype":"BOOL","shape":[1,2],"data":[tru,f]}]}`,
	} {
		f.Add([]byte(seed), len(seed))
		f.Add([]byte(seed), len(seed)-8)
	}
	s, _ := run(f, Config{})
	h := s.handler()
	f.Fuzz(func(t *testing.T, body []byte, header int) {
		for _, head := range []string{"", strconv.Itoa(header)} {
			r := httptest.NewRequest(http.MethodPost, "/v2/models/m/infer", bytes.NewReader(body))
			if head != "" {
				r.Header.Set(headerLength, head)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			switch w.Code {
			case 200, 400, 413, 422:
			case 500: // what the model is asked to do
				if !strings.Contains(w.Body.String(), "unlucky") && !strings.Contains(w.Body.String(), "RESOURCE") {
					t.Errorf("status 500: %s", w.Body)
				}
			case 504:
			default:
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v2/models/m/infer", strings.NewReader(whole)))
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"data":[2,4]`) {
			t.Fatalf("the service has come to harm: status %d: %s", w.Code, w.Body)
		}
	})
}
