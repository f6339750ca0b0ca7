package install

import "github.com/gomlx/go-xla/installer"

// cudaAutoInstall is GoMLX's installer for CUDA.
var cudaAutoInstall = installer.CudaAutoInstall
