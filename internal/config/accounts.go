package config

import (
	"regexp"
	"strings"
)

// placeholder is replaced with the id of each account in the name and the role of a target.
const placeholder = "{account}"

// exampleAccount is an id that documentation has.
const exampleAccount = "111122223333"

// accountID finds the id of an AWS account. It is a text: a zero in front belongs to it.
var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// account is one of the AWS accounts of a target.
type account struct {
	id string
	// errorf returns an Error that points at it, in the configuration or in an accounts file.
	errorf func(format string, args ...any) error
}

// forAccount returns t for the account of that id: a plain target, which shares its selection
// with those of the other accounts.
func (t *Target) forAccount(id string) Target {
	plain := *t
	plain.Accounts, plain.AccountsFile = nil, ""
	plain.Name = strings.ReplaceAll(t.Name, placeholder, id)
	plain.RoleARN = strings.ReplaceAll(t.RoleARN, placeholder, id)
	return plain
}

// validateAccounts checks the keys of accounts, and where {account} is used.
func validateAccounts(d *document, t *Target, i int) error {
	list, file := d.has("accounts", "targets", i), d.has("accounts_file", "targets", i)
	switch {
	case list && file:
		return d.errorf(d.at("targets", i, "accounts_file"), "target %q has accounts and accounts_file; only one of them is allowed", t.Name)
	case list && len(t.Accounts) == 0:
		return d.errorf(d.at("targets", i, "accounts"), "accounts is empty; at least one AWS account id is required, such as %s", exampleAccount)
	case file && strings.TrimSpace(t.AccountsFile) == "":
		return d.errorf(d.at("targets", i, "accounts_file"), "accounts_file must be the path of a file with one AWS account id per line")
	case list || file:
		return validateTemplate(d, t, i)
	}
	key := "name"
	if strings.Contains(t.RoleARN, placeholder) {
		key = "role_arn"
	} else if !strings.Contains(t.Name, placeholder) {
		return nil
	}
	return d.errorf(d.at("targets", i, key), "%s has %s, but the target has neither accounts nor accounts_file", key, placeholder)
}

// validateTemplate checks the keys that a target with accounts must or must not have.
func validateTemplate(d *document, t *Target, i int) error {
	switch at := d.at("targets", i, "role_arn"); {
	case !strings.Contains(t.Name, placeholder):
		return d.errorf(d.at("targets", i, "name"), "the name of a target with accounts must contain %s, such as golden-%s: each account becomes a target, and target names must be unique", placeholder, placeholder)
	case !strings.Contains(t.RoleARN, placeholder):
		return d.errorf(at, "the role_arn of a target with accounts must contain %s, such as arn:aws:iam::%s:role/imagebuilder-exporter: each account has its own role", placeholder, placeholder)
	case len(t.WorkflowExecutions) > 0:
		return d.errorf(d.at("targets", i, "workflow_executions"), "target %q has accounts and workflow_executions; an id exists in only one account, so add a target for that account", t.Name)
	}
	for j, image := range t.Images {
		if image.Selector == nil {
			return d.errorf(d.at("targets", i, "images", j), "target %q has accounts and an ARN in images; an ARN belongs to one account, so select images by name or tags, or add a target for that account", t.Name)
		}
	}
	plain := t.forAccount(exampleAccount)
	if err := d.checkText(d.at("targets", i, "name"), plain.Name, "name with its account"); err != nil {
		return err
	}
	return d.checkText(d.at("targets", i, "role_arn"), plain.RoleARN, "role_arn with its account")
}

// targetsOf returns the plain targets that t, the i-th of the file, stands for: itself, or one for
// each of its accounts. It takes their names in, each of which may be there once.
func (d *document) targetsOf(t *Target, i int, names map[string]bool) ([]Target, error) {
	instructions := d.instructions
	if err := validateTarget(d, t, i); err != nil {
		return nil, err
	}
	const sentence = "another target has the name %q; target names must be unique"
	accounts, err := d.accounts(t, i)
	if err != nil {
		return nil, err
	}
	if accounts == nil {
		if names[t.Name] {
			return nil, d.errorf(d.at("targets", i, "name"), sentence, t.Name)
		}
		names[t.Name] = true
		return []Target{*t}, nil
	}
	if err := d.checkAccounts(t, i, len(accounts), d.instructions-instructions); err != nil {
		return nil, err
	}
	all := make([]Target, 0, len(accounts))
	for _, a := range accounts {
		plain := t.forAccount(a.id)
		if names[plain.Name] {
			return nil, a.errorf(sentence, plain.Name)
		}
		names[plain.Name] = true
		all = append(all, plain)
	}
	return all, nil
}

// checkAccounts holds the bounds of the file for a target that stands for n, as if all of them
// were written down. One of them is counted already; instructions is how many its regular
// expressions have.
func (d *document) checkAccounts(t *Target, i, n, instructions int) error {
	d.targets += (n - 1) * max(1, len(t.Regions))
	d.selectors += (n - 1) * (len(t.Pipelines) + len(t.ImageSelectors()))
	d.instructions += (n - 1) * instructions
	d.expanded += n * (len(t.Name) + len(t.RoleARN))
	at := d.at("targets", i, "accounts")
	if t.AccountsFile != "" {
		at = d.at("targets", i, "accounts_file")
	}
	switch {
	case d.targets > maxTargets:
		return d.errorf(at, "with one target per account and region, the file has more than %d targets", maxTargets)
	case d.selectors > maxSelectors:
		return d.errorf(at, "with those of each account, the file has more than %d selectors of images and pipelines; one regular expression can match many", maxSelectors)
	case d.instructions > maxInstructions:
		return d.errorf(at, "with those of each account, the regular expressions are too large in total")
	case d.expanded > maxFileBytes:
		return d.errorf(at, "with those of each account, the names and roles are larger than %d MiB in total", maxFileBytes>>20)
	}
	return nil
}

// accounts returns the accounts of t, the i-th target of the file; nil when it has none.
func (d *document) accounts(t *Target, i int) ([]account, error) {
	if t.AccountsFile != "" {
		return d.accountsFile(d.at("targets", i, "accounts_file"), t.AccountsFile)
	}
	var all []account
	seen := make(map[string]bool, len(t.Accounts))
	for j, id := range t.Accounts {
		at := d.at("targets", i, "accounts", j)
		errorf := func(format string, args ...any) error { return d.errorf(at, format, args...) }
		switch {
		case !accountID.MatchString(id):
			return nil, errorf("%q is not an AWS account id; it must have 12 digits, such as %s or 012345678901", id, exampleAccount)
		case seen[id]:
			return nil, errorf("account %s is listed twice in this target", id)
		}
		seen[id] = true
		all = append(all, account{id, errorf})
	}
	return all, nil
}
