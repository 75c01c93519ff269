// Package opentofu applies deploy/iam/terraform with a real OpenTofu, against a double of
// the provider hashicorp/aws that keeps what it is given. `make iam-test` builds what it
// needs.
package opentofu
