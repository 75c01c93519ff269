package day

import "time"

// span is a time, since midnight.
type span struct{ from, to time.Duration }

// How late people may be told, from the event on.
const (
	groupInterval = 5 * time.Minute

	// A scrape and two evaluations, for WorkflowFailed waits for two minutes, and a message.
	beginsLate = 3*interval + groupInterval

	// With `builds: 1` an execution that failed is followed until discovery, every five minutes,
	// finds that a newer build has ended. What was known last counts for ten minutes more.
	endsLate = 5*time.Minute + 10*time.Minute + 2*interval + groupInterval

	forever = 2 * allDay
)

// truth is what people are to be told of in the course of the day, and when it is so.
func truth() map[fact]span {
	facts := map[fact]span{
		{"StepWaitingForApproval", pipelineName(waits), "3"}: {begins(nightly, waits) + 15*time.Minute, approved},
		{"ImageStuck", pipelineName(stuck), "3"}:             {begins(nightly, stuck) + good.Takes + time.Hour, freed},
	}
	for number := range failing {
		failed := begins(nightly, number) + broken.Takes
		again := begins(fixed, number)
		if number < hopeless {
			again += broken.Takes
			facts[fact{"WorkflowFailed", pipelineName(number), "4"}] = span{again, forever}
		} else {
			again += good.Takes
		}
		facts[fact{"WorkflowFailed", pipelineName(number), "3"}] = span{failed, again}
	}
	return facts
}
