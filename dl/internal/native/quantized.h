// The kernels that are better with instructions for products of bytes, for a processor that has them.

#include "vectors.h"
#include "conv_shape.h"
#include "quant.h"
