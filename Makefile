# Gradbook needs Go, Python 3, make and a C compiler. Everything else is set up by
# these targets, inside .gradbook and the user's cache folder.

GO       ?= go
GRADBOOK := .gradbook/bin/gradbook
SOURCES  := $(shell find cmd datasets dl kernel notebooks viz -name '*.go' -o -name '*.py' -o -name '*.js' -o -name '*.html' -o -name '*.csv' -o -name '*.svg' -o -name 'package.json' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup run lab test lint bench bench-kernels clean doctor parity gallery notebooks

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The command line itself is pure Go: it can say what is missing without it.
$(GRADBOOK): go.mod go.sum $(SOURCES)
	@command -v $(GO) >/dev/null || { echo "no go command on PATH; install Go from https://go.dev/dl/" >&2; exit 1; }
	@mkdir -p $(@D)
	CGO_ENABLED=0 $(GO) build -trimpath -o $@ ./cmd/gradbook

setup: $(GRADBOOK) ## set everything up (the other targets do it too)
	@$(GRADBOOK) setup

run: $(GRADBOOK) ## execute the convolutional network's notebook on MNIST and print its test accuracy
	@$(GRADBOOK) run notebooks/03-cnn.ipynb

lab: $(GRADBOOK) ## open JupyterLab at the notebooks
	@$(GRADBOOK) lab

doctor: $(GRADBOOK) ## say what is installed, which device is used, and what is wrong
	@$(GRADBOOK) doctor

# Not from the cache of test results: the installed kernel, which some of the tests
# run, is not part of it.
# Executing all notebooks comes last and alone: it needs the machine for itself.
test: setup ## run the tests
	$(GO) vet ./...
	$(GO) test -count=1 -short ./...
	$(GO) test -count=1 -timeout 25m -run 'TestRun$$' ./notebooks

lint: ## check the style of the code
	$(GO) tool -modfile=lint.mod golangci-lint run ./...

bench: setup ## measure the network here and in Keras, JAX and PyTorch, and print the ratios
	$(GO) run ./bench

bench-kernels: setup ## measure the kernel beside stock GoNB and ipykernel with Keras (after make bench)
	$(GO) run ./bench/kernels

parity: setup ## write docs/parity.md: dl beside Keras, case by case
	$(GO) test ./dl -count=1 -run TestParity -args -parity ../docs/parity.md

gallery: ## draw docs/gallery.md: every chart, of real trainings
	$(GO) test ./viz -count=1 -run 'TestGallery$$' -args -gallery ../docs/gallery

notebooks: $(GRADBOOK) ## execute all notebooks and make a site of them, in .gradbook/book
	@$(GRADBOOK) book

clean: ## remove what setup made in the checkout
	rm -rf .gradbook
