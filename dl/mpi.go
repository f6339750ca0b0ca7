package dl

import "github.com/gradbook/gradbook/dl/internal/mpi"

// Processes are the processes that train together.
type Processes struct{}

// UseMPI has Fit train with all processes that mpirun has started: each computes its part of every
// batch, and gradients, what is measured, and the statistics of BatchNormalization are averaged
// over all, so that all have the same weights and the same logs, which are those of one process up
// to rounding. It must be called before anything else of dl, and closed at the program's end:
//
//	p, err := dl.UseMPI()
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer p.Close()
//
// Each process must have the whole dataset, as a table, and BatchSize is that of all together.
// Callbacks run in each process, but only the first one writes checkpoints and other files, and
// shows its progress. An error of Fit, or the end of one process, ends all. Evaluate and Predict
// are computed by each process for itself.
//
// It needs a program that is built with the tag mpi, and an MPI for C (Debian: libopenmpi-dev):
//
//	go build -tags mpi -o train . && mpirun -n 4 ./train
//
// and is an error in others. Without mpirun, the program is one process of one.
//
// Source: https://www.open-mpi.org/doc/, https://arxiv.org/abs/1802.05799 (Horovod).
func UseMPI() (*Processes, error) {
	if err := mpi.Start(); err != nil {
		return nil, edge(err)
	}
	return &Processes{}, nil
}

// Rank is the number of this process, from 0, Size how many there are.
func (*Processes) Rank() int { return mpi.Rank() }

// Size is how many processes there are.
func (*Processes) Size() int { return mpi.Size() }

// Close leaves the others, which wait for it. Nothing can be trained together afterwards.
func (*Processes) Close() { mpi.Stop() }
