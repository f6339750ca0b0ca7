// Package datasets holds real data under the names by which it is known, as
// datasets that models learn from.
//
// Data comes from published, checksummed packages, is verified, and is parsed
// once into Gradbook's cache folder.
package datasets
