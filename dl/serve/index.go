package serve

import "slices"

// indexed is a line of Triton's index of models.
type indexed struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	State   string `json:"state"`
	Reason  string `json:"reason"`
}

// index are all versions that are served, and what could not be loaded.
func (r *registry) index() []indexed {
	r.mu.Lock()
	defer r.mu.Unlock()
	models := *r.models.Load()
	all := []indexed{}
	for _, l := range r.own {
		all = append(all, indexed{l.name, l.version, "READY", ""})
	}
	for _, s := range r.sources {
		v := models[s.name]
		if v == nil {
			all = append(all, indexed{s.name, "", "UNAVAILABLE", r.failed[s.path]})
			continue
		}
		for _, l := range v.all {
			all = append(all, indexed{l.name, l.version, "READY", r.failed[l.path]})
		}
	}
	return all
}

// names are those of all models, in order.
func (r *registry) names() []string {
	var all []string
	for name := range *r.models.Load() {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// versions are those of a model, the newest last.
func (r *registry) versions(name string) []string {
	var all []string
	if v := (*r.models.Load())[name]; v != nil {
		for _, l := range v.all {
			all = append(all, l.version)
		}
	}
	return all
}
