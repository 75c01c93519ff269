package imagebuilder

import "context"

type startedKey struct{}

// WithStarted returns a context under which a request calls f once, when its first
// attempt gets its turn and goes on the wire. A request that never gets there does
// not call f.
func WithStarted(ctx context.Context, f func()) context.Context {
	return context.WithValue(ctx, startedKey{}, f)
}

// started calls the function of WithStarted, if ctx has one.
func started(ctx context.Context) {
	if f, ok := ctx.Value(startedKey{}).(func()); ok {
		f()
	}
}
