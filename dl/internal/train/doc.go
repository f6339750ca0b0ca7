// Package train runs built networks on a device: it compiles the programs of training,
// evaluation and prediction, loops over datasets, measures, and changes the weights.
//
// It knows nothing of how a network came about, of files, or of how results are shown. A
// Model is a network with what it learns by; package dl shows it to users.
//
// Every method takes the network's lock where its comment does not say otherwise, and lets go
// of it while callbacks, generators and graphs of the user's run.
package train
