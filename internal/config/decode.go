package config

import (
	"cmp"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// decodeNode decodes n into v. Errors call it key. It is strict where the YAML library is not:
// it takes no key that v does not have, no fraction for a whole number, and no text for a
// number.
func (d *document) decodeNode(n *yaml.Node, v reflect.Value, key string) error {
	if d.decoded++; d.decoded > maxValues {
		return d.errorf(n, "with its aliases expanded, the file has more than %d values", maxValues)
	}
	resolved := resolve(n)
	switch v.Kind() {
	case reflect.Struct:
		if resolved.Kind != yaml.MappingNode {
			keys := strings.Join(keysOf(v.Type()), ", ")
			return d.errorf(n, "%s must be a mapping with the keys %s", cmp.Or(key, "the file"), keys)
		}
		return d.decodeStruct(resolved, v)
	case reflect.Map:
		if resolved.Kind != yaml.MappingNode {
			return d.errorf(n, "%s must be a mapping of strings to strings", key)
		}
		return d.decodeMap(resolved, v, key)
	case reflect.Slice:
		if resolved.Kind != yaml.SequenceNode {
			return d.errorf(n, "%s must be a list", key)
		}
		return d.decodeList(resolved, v, key)
	}
	if v.Kind() == reflect.String && isPlaceholder(resolved) {
		return d.errorf(n, `%s must be a string; put %s in quotes, because an unquoted brace starts a mapping`, key, placeholder)
	}
	if scalar := scalars[v.Type()]; resolved.Kind != yaml.ScalarNode || !scalar.set(resolved, v) {
		return d.errorf(n, "%s must be %s", key, scalar.wanted)
	}
	if v.Kind() == reflect.String {
		return d.checkText(n, v.String(), key)
	}
	return nil
}

func (d *document) decodeStruct(mapping *yaml.Node, v reflect.Value) error {
	seen := map[string]bool{}
	for i := 0; i < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		field, ok := fieldOf(v.Type(), key)
		if !ok {
			return d.unknownKey(mapping, i, keysOf(v.Type()))
		}
		if seen[key.Value] {
			return d.errorf(key, "duplicate key %s", key.Value)
		}
		seen[key.Value] = true
		if to := v.FieldByIndex(field.Index); !absent(value, to) {
			if err := d.decodeNode(value, to, key.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// absent reports whether n is empty in the place of a section, list or map, as when
// all its lines are comments.
func absent(n *yaml.Node, v reflect.Value) bool {
	null := resolve(n).ShortTag() == "!!null"
	return null && slices.Contains([]reflect.Kind{reflect.Struct, reflect.Slice, reflect.Map}, v.Kind())
}

// isPlaceholder reports whether n is {account} without quotes.
func isPlaceholder(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && len(n.Content) == 2 && "{"+n.Content[0].Value+"}" == placeholder && empty(n.Content[1])
}

// empty reports whether the value is missing.
func empty(n *yaml.Node) bool { return n.Tag == "!!null" && n.Value == "" }

func (d *document) decodeList(sequence *yaml.Node, v reflect.Value, key string) error {
	if err := d.checkList(sequence, v.Type().Elem(), key); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), len(sequence.Content), len(sequence.Content)))
	for i, n := range sequence.Content {
		to := v.Index(i)
		switch item := to.Addr().Interface().(type) {
		case *Target:
			*item = DefaultTarget()
		case *Selector:
			item.Builds = 1
		case *Image:
			to = item.form(resolve(n))
		}
		if err := d.decodeNode(n, to, "an item of "+key); err != nil {
			return err
		}
	}
	return nil
}

// decodeMap decodes a mapping of texts to texts, whose keys are the user's.
func (d *document) decodeMap(mapping *yaml.Node, v reflect.Value, key string) error {
	if len(mapping.Content)/2 > maxKeys {
		return d.errorf(mapping, "%s has more than %d keys", key, maxKeys)
	}
	m := make(map[string]string, len(mapping.Content)/2)
	for pair := range slices.Chunk(mapping.Content, 2) {
		var name, value string
		if err := d.decodeNode(pair[0], reflect.ValueOf(&name).Elem(), "a key of "+key); err != nil {
			return err
		}
		if _, ok := m[name]; ok {
			return d.errorf(pair[0], "duplicate key %q", name)
		}
		if err := d.decodeNode(pair[1], reflect.ValueOf(&value).Elem(), "a value of "+key); err != nil {
			return err
		}
		m[name] = value
	}
	v.Set(reflect.ValueOf(m))
	return nil
}

// scalars are the types of single values: how to set one, unless the node is no such value.
var scalars = map[reflect.Type]struct {
	set    func(*yaml.Node, reflect.Value) bool
	wanted string
}{
	reflect.TypeFor[string]():  {setString, "a string"},
	reflect.TypeFor[int]():     {setInt, "a whole number, such as 10"},
	reflect.TypeFor[float64](): {setFloat, "a number, such as 20 or 0.5"},
	reflect.TypeFor[time.Duration](): {
		setDuration, "a non-negative duration with a unit, such as 10s, 500ms or 1m30s",
	},
}

// setString accepts every scalar value as the text that the file has.
func setString(n *yaml.Node, v reflect.Value) bool {
	v.SetString(n.Value)
	return slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}, n.ShortTag())
}

func setInt(n *yaml.Node, v reflect.Value) bool {
	return n.ShortTag() == "!!int" && n.Decode(v.Addr().Interface()) == nil
}

func setFloat(n *yaml.Node, v reflect.Value) bool {
	number := n.ShortTag() == "!!int" || n.ShortTag() == "!!float"
	return number && n.Decode(v.Addr().Interface()) == nil && !math.IsNaN(v.Float()) && !math.IsInf(v.Float(), 0)
}

func setDuration(n *yaml.Node, v reflect.Value) bool {
	duration, err := model.ParseDuration(n.Value)
	v.SetInt(int64(duration))
	return err == nil && n.ShortTag() == "!!str"
}
