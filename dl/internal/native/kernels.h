// The kernels, written once in vectors of LANES floats. A file for each set of instructions defines
// LANES and SET, a suffix for names, and includes this one.

#include "vectors.h"
#include "recurrence.h"
#include "lstm.h"
#include "gru.h"
#include "simple_rnn.h"
#include "sweep.h"
#include "conv_shape.h"
#include "conv.h"
#include "conv_input.h"
#include "conv_window.h"
#include "pool.h"
#include "norm.h"
#include "quant.h"
