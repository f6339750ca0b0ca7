// What processes say to each other, for Go.
#ifndef GRADBOOK_MPI_H
#define GRADBOOK_MPI_H

// gradbook_mpi_start returns what is wrong, null if nothing is.
const char *gradbook_mpi_start(int *rank, int *size);
void gradbook_mpi_stop(void);
void gradbook_mpi_broadcast(void *data, int n);
void gradbook_mpi_abort(void);

// gradbook_mpi_handler is a handler of XLA's foreign function interface that adds up the arrays it
// gets over all processes.
void *gradbook_mpi_handler(void);

#endif
