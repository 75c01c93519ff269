package lookup

import (
	"errors"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/schedule"
)

// question is an entry that asks one operation about one subject. What embeds it asks,
// and keeps the answer.
type question struct {
	schedule.Entry
	target    *Target
	operation imagebuilder.Operation
	pages     int     // of the last answer, if it is a list of discovery
	failure   failure // of the last lookup, while the entry is failing
	// answeredBefore is, once a lookup has failed, whether an earlier one was answered.
	answeredBefore bool
}

// failure is why a lookup has failed.
type failure struct {
	class    imagebuilder.Class
	reason   string // for people
	at       time.Time
	answered bool // whether it is an answer of Image Builder all the same
}

func newQuestion(t *Target, operation imagebuilder.Operation, id string) question {
	q := question{target: t, operation: operation}
	q.Subject = schedule.Subject{Kind: string(operation), Label: operation.Subject(), ID: id}
	q.Optional = operation.Optional()
	q.BackOff = q.Optional || operation.Discovery()
	if operation.Discovery() {
		q.Lane = schedule.Background
	}
	return q
}

// Failed implements schedule.Question for what does not depend on failures.
func (q *question) Failed(time.Time) {}

// Judge implements schedule.Question.
func (q *question) Judge(err error, now time.Time) schedule.Verdict {
	if schedule.StackOf(err) != nil && !errors.As(err, new(*imagebuilder.Error)) {
		q.target.derived.outdated = true // what it follows from may be half an answer
		err = &imagebuilder.Error{Operation: q.operation, Class: imagebuilder.Invalid, Err: err}
	}
	if q.answered() {
		q.answeredBefore = true
		q.target.reach.outdate(q, err)
	}
	q.failure = failure{class: imagebuilder.ClassOf(err), reason: err.Error(), at: now, answered: imagebuilder.IsAnswer(q.operation, err)}
	return schedule.Verdict{
		Outcome: q.outcome(), Answered: q.failure.answered, Outage: outageOf(q.Subject, err), Err: err,
	}
}

// outcome returns what the failure means for the schedule. What another service does not
// find may well be there.
func (q *question) outcome() schedule.Outcome {
	switch q.failure.class {
	case imagebuilder.NotFound:
		if q.failure.answered {
			return schedule.Gone
		}
		return schedule.Rejected
	case imagebuilder.BadRequest:
		return schedule.Rejected
	case imagebuilder.Denied:
		if q.Optional {
			return schedule.Rejected
		}
	}
	return schedule.Failed
}

// class returns why the last lookup has failed, empty when it has not.
func (q *question) class() imagebuilder.Class {
	if !q.Failing {
		return ""
	}
	return q.failure.class
}

// reason returns why the last lookup has failed, for people.
func (q *question) reason() string {
	if !q.Failing {
		return ""
	}
	return q.failure.reason
}

// outageOf returns what tells the outage that err is a part of from others: a failure that
// concerns one subject has its id, one that concerns the whole target has none.
func outageOf(s schedule.Subject, err error) schedule.Outage {
	o := schedule.Outage{Class: string(imagebuilder.ClassOf(err))}
	var e *imagebuilder.Error
	if errors.As(err, &e) {
		o.Code, o.Subject.Kind = e.Code, string(e.Operation)
	}
	if schedule.StackOf(err) != nil { // a bug concerns more than one subject
		o.Code = "panic"
		return o
	}
	switch imagebuilder.ClassOf(err) {
	case imagebuilder.NotFound, imagebuilder.BadRequest, imagebuilder.Invalid:
		o.Subject = s
	}
	return o
}
