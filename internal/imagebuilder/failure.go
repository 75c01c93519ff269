package imagebuilder

// Failure is the reason why an image failed, from the API's ImageState, "failureContext". Fields that
// the API does not return are empty.
type Failure struct {
	Stage           ImageStatus // the image's state when it failed
	ExecutionID     string      // in lower case
	StepExecutionID string
	Step            string               // of the workflow
	Component       *ComponentFailure    // nil when no component failed
	Distribution    *DistributionFailure // nil when no distribution failed
}

// ComponentFailure says which step of a component failed.
type ComponentFailure struct {
	ARN, Phase, Step, Action string
	Message                  string // for people
}

// DistributionFailure says to which regions and accounts an image was not distributed.
type DistributionFailure struct {
	Message string          // for people
	Regions []RegionFailure // each once, in the API's order; at most maxRegions
}

// RegionFailure is one region and account in which an image did not arrive.
type RegionFailure struct {
	Region, AccountID string
	Status            string // FAILED, CANCELLED, TIMED_OUT: the API's own text
	ConfigurationStep string // what of the distribution failed: the API's own text
	Message           string // for people
}
