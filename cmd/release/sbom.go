package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// bill is the software bill of materials, in CycloneDX's form.
//
// Source: https://cyclonedx.org/docs/1.6/json/
func bill(version string, when time.Time, parts []part) ([]byte, error) {
	bom := cdx.NewBOM()
	id := sha256.Sum256([]byte("gradbook " + version))
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // a UUID of version 8: of the name
	bom.SerialNumber = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
	bom.Metadata = &cdx.Metadata{
		Timestamp: when.Format(time.RFC3339),
		Component: &cdx.Component{
			Type: cdx.ComponentTypeApplication, Name: "gradbook", Version: version, BOMRef: "gradbook",
			PackageURL: "pkg:golang/github.com/gradbook/gradbook@" + version,
			Licenses:   &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
		},
	}
	var components []cdx.Component
	var refs []string
	seen := map[string]bool{}
	for _, p := range parts {
		url := fmt.Sprintf("pkg:%s/%s@%s", p.Kind, p.Name, p.Version)
		if seen[url] {
			continue
		}
		seen[url] = true
		refs = append(refs, url)
		c := cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: url, Name: p.Name, Version: p.Version, PackageURL: url, Description: p.Use}
		if len(p.Licenses) > 0 {
			all := cdx.Licenses{{Expression: strings.Join(p.Licenses, " AND ")}}
			c.Licenses = &all
		}
		if p.Sum != "" {
			c.Properties = &[]cdx.Property{{Name: "go.sum", Value: p.Sum}}
		}
		// A package has a wheel for each platform, and each its hash: they go where
		// several are expected.
		if len(p.SHA256) == 1 {
			c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: p.SHA256[0]}}
		} else if len(p.SHA256) > 1 {
			var wheels []cdx.ExternalReference
			for _, h := range p.SHA256 {
				wheels = append(wheels, cdx.ExternalReference{
					Type: cdx.ERTypeDistribution, URL: url, Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: h}},
				})
			}
			c.ExternalReferences = &wheels
		}
		components = append(components, c)
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: "gradbook", Dependencies: &refs}}
	var b bytes.Buffer
	e := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON)
	e.SetPretty(true)
	if err := e.EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
