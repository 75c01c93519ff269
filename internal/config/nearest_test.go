package config

import (
	"reflect"
	"testing"
)

func TestNearest(t *testing.T) {
	target, lookup := keysOf(reflect.TypeFor[Target]()), keysOf(reflect.TypeFor[Lookup]())
	for _, c := range []struct {
		key     string
		allowed []string
		want    string
	}{
		{"region", target, "regions"},
		{"Regions", target, "regions"},
		{"regoin", target, "regions"},
		{"roleArn", target, "role_arn"},
		{"role-arn", target, "role_arn"},
		{"roel_arn", target, "role_arn"},
		{"xternal_id", target, "external_id"},
		{"extrenal_id", target, "external_id"},
		{"workflow_execution", target, "workflow_executions"},
		{"pipline", target, "pipelines"},
		{"endpoint", target, ""},
		{"role", target, ""},
		{"aws_secret_access_key", target, ""},
		{"session_token", target, ""},
		{"nema", target, ""},
		{"stop", target, ""},
		{"a", target, ""},
		{"", target, ""},
		{"max_stalenes", lookup, "max_staleness"},
		{"time_out", lookup, "timeout"},
		{"größe", lookup, ""},
	} {
		if got := nearest(c.key, c.allowed); got != c.want {
			t.Errorf("%q: got %q, want %q", c.key, got, c.want)
		}
	}
}
