# Gradbook needs Go, Python 3, make and a C compiler. Everything else is set up by
# these targets, inside .gradbook and the user's cache folder.

GO       ?= go
GRADBOOK := .gradbook/bin/gradbook
OTHERGO  ?= go1.27.3
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null)
SOURCES  := $(shell find cmd datasets dl kernel notebooks viz -name '*.go' -o -name '*.py' -o -name '*.js' -o -name '*.html' -o -name '*.csv' -o -name '*.svg' -o -name 'package.json' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup run lab test check programs lint bench bench-onnx bench-inference bench-bert bench-gpu bench-export bench-serve bench-private bench-kernels bench-coldstart check-beam clean doctor parity gallery pictures notebooks cross darwin arm64 vulncheck licenses dist api

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The command line itself is pure Go: it can say what is missing without it.
$(GRADBOOK): go.mod go.sum $(SOURCES)
	@command -v $(GO) >/dev/null || { echo "no go command on PATH; install Go from https://go.dev/dl/" >&2; exit 1; }
	@mkdir -p $(@D)
	CGO_ENABLED=0 $(GO) build -trimpath $(if $(VERSION),-ldflags '-X main.stamp=$(VERSION)') -o $@ ./cmd/gradbook

setup: $(GRADBOOK) ## set everything up (the other targets do it too)
	@$(GRADBOOK) setup

run: $(GRADBOOK) ## execute the convolutional network's notebook on MNIST and print its test accuracy
	@$(GRADBOOK) run notebooks/03-cnn.ipynb

lab: $(GRADBOOK) ## open JupyterLab at the notebooks
	@$(GRADBOOK) lab

doctor: $(GRADBOOK) ## say what is installed, which device is used, and what is wrong
	@$(GRADBOOK) doctor

# Not from the cache of test results: the installed kernel, which some of the tests
# run, is not part of it. Without vet, which make check runs over everything, the tests
# are built in half the time.
TEST     := $(GO) test -count=1 -vet=off -timeout 25m
# The notebook, which takes longest, begins at once, and two packages are tested beside it.
test: setup ## run the tests, in five minutes: units, the kernel's protocol, parity with Keras, the document's notebook
	$(TEST) -p 3 -short ./notebooks ./...

# What takes longer. All notebooks come alone: they need the machine for themselves.
# Another release of Go is set up from nothing; OTHERGO= leaves it out.
SLOW := TestParity|TestFiniteDifferences|TestSeveralDevices|TestWorkIsDivided|TestBackupAndRestore|TestResumeFromFile|TestKilledWhileSaving|TestTrainingMistakes|TestKerasFits|TestMixedPrecision|TestStreams|TestLayers|TestNewcomers|TestBackend|TestOperators|TestFiles|TestForms|TestInt8|TestPage
FUZZ := kernel/notebook:FuzzCheck dl/onnx:FuzzOpen dl/data:FuzzCSV dl/internal/safetensors:FuzzOpen dl/internal/hdf5:FuzzRead dl/bert:FuzzTokenizer dl:FuzzKeras
KERNEL := ./kernel/cell ./kernel/children ./kernel/dialect ./kernel/engine ./kernel/language ./kernel/session/... ./kernel/toolchain
# Modules of their own, so that nobody else has their dependencies.
MODULES := dl/serve dl/beam
check: setup ## run everything else: all notebooks twice, faults, browsers, Go's programs as cells, races, the other linker, another Go
	$(GO) vet ./...
	$(TEST) -run '^($(SLOW))$$' ./dl ./dl/export ./dl/onnx ./dl/internal/surface
	@for f in $(FUZZ); do echo fuzz $$f; $(GO) test -run '^$$' -fuzz "^$${f#*:}$$" -fuzztime 30s -fuzzminimizetime 1s ./$${f%:*} >.gradbook/log/fuzz 2>&1 || { cat .gradbook/log/fuzz; exit 1; }; done
	@for m in $(MODULES); do echo $$m; (cd $$m && $(GO) vet ./... && $(TEST) ./...) || exit 1; done
	cd dl/serve && $(TEST) -race -short . && $(GO) test -run '^$$' -fuzz FuzzInfer -fuzztime 60s .
	$(TEST) ./dl/bert
	$(TEST) ./dl/internal/native
	$(TEST) -asan -short ./dl/internal/native
	GRADBOOK_NATIVE=avx2 $(TEST) -run '^(TestParity|TestQuanti.*)$$' ./dl ./dl/onnx
	GRADBOOK_NATIVE=off $(TEST) -run '^(TestParity|TestQuanti.*)$$' ./dl ./dl/onnx
	$(TEST) ./kernel/book ./kernel/gateway ./kernel/notebook ./kernel/programs ./kernel/script
	$(TEST) -p 1 ./viz/...
	$(TEST) -run 'TestRun' ./notebooks
	$(TEST) -timeout 40m -run 'TestMutations' ./notebooks/mutate -args -all
	$(TEST) -race $(KERNEL)
	$(TEST) -race -short -skip 'TestConformance|TestFaults' ./kernel/gateway
	GRADBOOK_LINKER=plugin $(GRADBOOK) setup
	GRADBOOK_LINKER=plugin $(TEST) ./kernel/engine ./kernel/toolchain
	GRADBOOK_LINKER=plugin $(TEST) -run 'TestConformance' ./kernel/gateway
	$(GRADBOOK) setup
	$(if $(OTHERGO),kernel/toolchain/try-go.sh $(OTHERGO))

programs: setup ## run all of Go's own test programs as cells, and 20,000 cells made by chance; an hour
	$(GO) test -count=1 -timeout 4h -v ./kernel/programs -run TestPrograms -args -all
	$(GO) test -count=1 -timeout 4h -v ./kernel/programs -run TestRandom -args -random 20000

lint: ## check the style of the code, of scripts, and of what containers are made of
	$(GO) tool -modfile=lint.mod golangci-lint run ./...
	docker/lint.sh

# Other systems' code is compiled here, without cgo where their C compiler is not. The
# command line is linked, too.
cross: ## compile for the other systems
	@for platform in linux/arm64 darwin/arm64 windows/amd64; do \
		export CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/}; echo $$platform; \
		check=vet; [ $$GOOS != windows ] || check=build; \
		$(GO) build -o /dev/null ./cmd/gradbook && $(GO) $$check ./cmd/... ./dl/... ./viz/... ./datasets/... ./kernel/... ./notebooks/... || exit 1; \
	done
	@! command -v aarch64-linux-gnu-gcc >/dev/null || { echo linux/arm64 with cgo; \
		CGO_ENABLED=1 CC=aarch64-linux-gnu-gcc GOOS=linux GOARCH=arm64 $(GO) build -o /dev/null ./kernel/install/probe; }

darwin: ## compile for macOS with its C, by zig, and link what can be linked
	kernel/install/darwin/cross.sh

arm64: ## try linux/arm64 in a root of its own, emulated: setup, the kernel's tests, a training
	docker/arm64.sh try

vulncheck: setup ## look for known vulnerabilities in what is used; VULNDB names another database
	$(GO) tool -modfile=lint.mod govulncheck $(if $(VULNDB),-db $(VULNDB)) ./...
	$(GO) tool -modfile=lint.mod govulncheck $(if $(VULNDB),-db $(VULNDB)) -C .gradbook/tools github.com/janpfeifer/gonb golang.org/x/tools/gopls golang.org/x/tools/cmd/goimports

licenses: setup ## write docs/licenses.md: the licences of what is used
	$(GO) run -C cmd/release . licenses

dist: setup ## make the archives of a release, with checksums and an SBOM, in dist
	$(GO) run -C cmd/release . dist $(VERSION)

bench: setup ## measure the network here and in Keras, JAX and PyTorch, and print the ratios
	$(GO) run ./bench

bench-onnx: setup ## measure ONNX files here and in onnxruntime (after go test ./dl/onnx, which installs them)
	$(GO) run ./bench/onnx

bench-inference: setup ## measure predictions here and in onnxruntime, as floats and as whole numbers of 8 bits
	$(GO) run ./bench/inference

bench-export: setup ## measure exported networks beside XLA
	$(GO) run ./bench/export

bench-serve: setup ## measure services of a network here and KServe's own, by wrk
	$(GO) run ./bench/serve

check-beam: ## run Beam's pipelines on the job service of PyPI's apache-beam, too
	dl/beam/testdata/job-service.sh

bench-bert: setup ## measure sentences a second of MiniLM here and in PyTorch (after make bench and go test ./dl/bert)
	$(GO) run ./bench/bert

bench-private: setup ## measure private steps beside plain ones, and their memory
	$(GO) run ./bench/private

bench-gpu: ## pack what is measured on a GPU, for a machine that has one
	bench/gpu/try

bench-kernels: setup ## measure the kernel beside stock GoNB and ipykernel with Keras (after make bench)
	$(GO) run ./bench/kernels

bench-coldstart: setup ## measure from JupyterLab's start to a first output, beside ipykernel with Keras (after make bench)
	$(GO) run ./bench/coldstart

api: ## record what programs can use in docs/api.txt, once a change of it is decided, and list its names in docs/dl.md
	$(GO) test ./dl/internal/surface -count=1 -run 'TestRecorded|TestNames' -args -update

parity: setup ## write docs/parity.md: dl beside Keras, case by case
	$(GO) test ./dl -count=1 -run TestParity -args -parity ../docs/parity.md

pictures: setup ## take the README's pictures of the lab, one of which moves
	$(GO) test ./viz/labextension -count=1 -run TestPictures -args -pictures ../../docs

gallery: ## draw docs/gallery.md: every chart, of real trainings
	$(GO) test ./viz -count=1 -run 'TestGallery$$' -args -gallery ../docs/gallery

notebooks: $(GRADBOOK) ## execute all notebooks and make a site of them, in .gradbook/book
	@$(GRADBOOK) book

clean: ## remove what setup made in the checkout
	rm -rf .gradbook
