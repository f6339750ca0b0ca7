package dl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gradbook/gradbook/dl"
)

// mpiProgram builds testdata/mpi with MPI.
var mpiProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gradbook-mpi-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "train")
	out, err := exec.Command("go", "build", "-tags", "mpi", "-o", path, "./testdata/mpi").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// report is what a process of testdata/mpi says at its end.
type report struct {
	Rank, Size     int
	Loss, Accuracy []float64
	Sum            float64
}

// mpirun runs the program by n processes, and returns what they said by their ranks.
func mpirun(t *testing.T, n int, args ...string) (all map[int]report, said string, err error) {
	t.Helper()
	if testing.Short() {
		t.Skip("programs are built with MPI and started several times; make check")
	}
	if _, err := exec.LookPath("mpirun"); err != nil {
		t.Skip("there is no mpirun on this machine (Debian: openmpi-bin, libopenmpi-dev)")
	}
	program, err := mpiProgram()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "mpirun", append([]string{"--oversubscribe", "-n", fmt.Sprint(n), program}, args...)...)
	cmd.Env = append(os.Environ(), "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "OMPI_MCA_rmaps_base_oversubscribe=1")
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err = cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%d processes have not ended after two minutes:\n%s%s", n, out.Bytes(), complaints.Bytes())
	}
	all = make(map[int]report)
	for line := range strings.Lines(out.String()) {
		var r report
		if json.Unmarshal([]byte(line), &r) == nil && r.Size == n {
			all[r.Rank] = r
		}
	}
	return all, complaints.String(), err
}

// alike wants reports of n processes that are those of one process.
func alike(t *testing.T, what string, all map[int]report, n int, want report) {
	t.Helper()
	if len(all) != n {
		t.Errorf("%s: expected reports of %d processes, got %d", what, n, len(all))
	}
	for rank, r := range all {
		if len(r.Loss) != len(want.Loss) {
			t.Errorf("%s, rank %d: expected %d epochs, got %v", what, rank, len(want.Loss), r.Loss)
			continue
		}
		for e := range want.Loss {
			if math.Abs(r.Loss[e]-want.Loss[e]) > 1e-4 || math.Abs(r.Accuracy[e]-want.Accuracy[e]) > 1e-6 {
				t.Errorf("%s, rank %d, epoch %d: got %v and %v, of one process %v and %v", what, rank, e, r.Loss[e], r.Accuracy[e], want.Loss[e], want.Accuracy[e])
			}
		}
		if r.Sum != all[0].Sum {
			t.Errorf("%s: rank %d has other weights than rank 0: %v, %v", what, rank, r.Sum, all[0].Sum)
		}
	}
}

// TestMPI trains by one, two and four processes: all have the same losses, also where the last
// batch leaves nothing for some of them.
func TestMPI(t *testing.T) {
	for _, examples := range []string{"330", "256", "193"} {
		one, said, err := mpirun(t, 1, "-examples", examples)
		if err != nil || len(one) != 1 {
			t.Fatalf("%v\n%s", err, said)
		}
		for _, n := range []int{2, 4} {
			all, said, err := mpirun(t, n, "-examples", examples)
			if err != nil {
				t.Errorf("%d processes: %v\n%s", n, err, said)
				continue
			}
			alike(t, fmt.Sprintf("%d processes, %s examples", n, examples), all, n, one[0])
		}
	}
}

// TestMPIAgrees begins with other weights in each process, and with dropout, whose masks differ: all
// end with the weights of all.
func TestMPIAgrees(t *testing.T) {
	all, said, err := mpirun(t, 4, "-seed", "0", "-dropout", "0.5")
	if err != nil || len(all) != 4 {
		t.Fatalf("%v\n%s", err, said)
	}
	alike(t, "weights of their own", all, 4, all[0])
	one, _, err := mpirun(t, 1, "-dropout", "0.5")
	two, said, err2 := mpirun(t, 2, "-dropout", "0.5")
	if err := errors.Join(err, err2); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if math.Abs(one[0].Loss[0]-two[0].Loss[0]) < 1e-6 {
		t.Error("expected the processes to drop other units than one does")
	}
}

// TestMPIDies kills one of four processes: all end with an error, and two go on from the last
// checkpoint as if nothing had been.
func TestMPIDies(t *testing.T) {
	whole, said, err := mpirun(t, 1, "-epochs", "6")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	backup := filepath.Join(t.TempDir(), "backup.keras")
	args := []string{"-epochs", "6", "-backup", backup}
	all, said, err := mpirun(t, 4, append(args, "-die", "2:3")...)
	if err == nil || len(all) != 0 || !strings.Contains(said, "rank 2") {
		t.Fatalf("expected an error that names rank 2, got %v\n%s", err, said)
	}
	all, said, err = mpirun(t, 2, args...)
	if err != nil || len(all) != 2 {
		t.Fatalf("%v\n%s", err, said)
	}
	want := report{Loss: whole[0].Loss[3:], Accuracy: whole[0].Accuracy[3:]}
	alike(t, "resumed", all, 2, want)
}

// TestMPIFails has one process fail: it says why, and all end.
func TestMPIFails(t *testing.T) {
	_, said, err := mpirun(t, 3, "-fail", "1", "-batch", "60")
	if err == nil || !strings.Contains(said, "rank 1 of 3 cannot go on") || !strings.Contains(said, "told to fail") {
		t.Errorf("expected an error of rank 1, got %v\n%s", err, said)
	}
	_, said, err = mpirun(t, 3)
	if err == nil || !strings.Contains(said, "BatchSize that 3 processes can share, got 64") {
		t.Errorf("expected an error of the batch's size, got %v\n%s", err, said)
	}
}

// TestWithoutMPI says what a program lacks.
func TestWithoutMPI(t *testing.T) {
	if _, err := dl.UseMPI(); err == nil || !strings.Contains(err.Error(), "-tags mpi") {
		t.Errorf("expected an error that names the tag, got %v", err)
	}
}

func ExampleUseMPI() {
	p, err := dl.UseMPI() // in a program that is built with -tags mpi
	if err != nil {
		fmt.Println("one process alone")
		return
	}
	defer p.Close()
	fmt.Println(p.Rank(), "of", p.Size())
	// Output: one process alone
}
