package gateway

import "maps"

// described are the metadata of what is shown, with the words for a picture by the picture's
// type, where exports look for them.
func described(data, metadata map[string]any) map[string]any {
	all := maps.Clone(orEmpty(metadata))
	words, ok := data["text/plain"].(string)
	if !ok || words == "" {
		return all
	}
	for _, picture := range []string{"image/png", "image/jpeg", "image/gif", "image/svg+xml"} {
		if data[picture] == nil {
			continue
		}
		own, _ := all[picture].(map[string]any)
		if own = maps.Clone(orEmpty(own)); own["alt"] == nil {
			own["alt"] = words
		}
		all[picture] = own
	}
	return all
}
