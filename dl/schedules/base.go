package schedules

// Base is for schedules of one's own to embed: its Check finds no fault.
type Base struct{}

// Check implements Schedule.
func (Base) Check() error { return nil }
