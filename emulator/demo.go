package emulator

import "time"

// DemoTarget is a part of the demo that belongs into one target of an exporter.
type DemoTarget struct {
	Name, Region, RoleARN, ExternalID string // RoleARN "" for the caller's own account

	Pipelines []string // names of pipelines to follow
	Images    []string // ARNs of image versions to follow, of builds that no pipeline makes
}

// Demo returns the API of a small company's image builds, and what an exporter is to
// follow there. The same seed and start give the same.
func Demo(seed uint64, start time.Time) (*API, []DemoTarget) {
	return &API{Scenario: &Account{}}, nil
}
