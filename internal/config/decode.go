package config

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/prometheus/common/model"
)

// decode sets in *c what the document has. It is strict where the YAML library is not: it
// takes no key that c does not have, no fraction for a whole number, and no text for
// a number.
func (d *document) decode(c *Config) error {
	return d.decodeNode(d.root, reflect.ValueOf(c).Elem(), "")
}

// maxValues bounds the values of a file, which aliases can multiply.
const maxValues = 5_000_000

var durationType = reflect.TypeFor[time.Duration]()

// decodeNode decodes n into v. Errors call it key.
func (d *document) decodeNode(n ast.Node, v reflect.Value, key string) error {
	resolved := d.resolve(n)
	if d.decoded++; d.decoded > maxValues {
		return d.errorf(n, "the aliases make more than %d values of this file", maxValues)
	}
	if resolved == nil {
		return d.errorf(n, "this alias names nothing that is marked with &")
	}
	if v.Type() == durationType {
		return d.decodeDuration(resolved, n, v, key)
	}
	switch v.Kind() {
	case reflect.Struct:
		return d.decodeStruct(resolved, n, v, key)
	case reflect.Slice:
		return d.decodeList(resolved, n, v, key)
	case reflect.Map:
		return d.decodeMap(resolved, n, v, key)
	case reflect.Int:
		return d.decodeInt(resolved, n, v, key)
	case reflect.Float64:
		return d.decodeFloat(resolved, n, v, key)
	}
	return d.decodeString(resolved, n, v, key)
}

func (d *document) decodeStruct(resolved, n ast.Node, v reflect.Value, key string) error {
	mapping, ok := resolved.(*ast.MappingNode)
	if !ok {
		return d.errorf(n, "%s must be a mapping with the keys %s", orFile(key), strings.Join(keysOf(v.Type()), ", "))
	}
	seen := map[string]bool{}
	for _, pair := range mapping.Values {
		name := pair.Key.GetToken().Value
		i := fieldOf(v.Type(), name)
		if i < 0 {
			return d.errorf(pair.Key, "unknown key %q; allowed are %s", name, strings.Join(keysOf(v.Type()), ", "))
		}
		if seen[name] {
			return d.errorf(pair.Key, "the key %s stands here twice", name)
		}
		seen[name] = true
		if d.absent(pair.Value, v.Field(i)) {
			continue
		}
		if err := d.decodeNode(pair.Value, v.Field(i), name); err != nil {
			return err
		}
	}
	return nil
}

// absent reports whether n is empty in the place of a section, list or map, as when
// all its lines are comments.
func (d *document) absent(n ast.Node, v reflect.Value) bool {
	_, null := d.resolve(n).(*ast.NullNode)
	return null && (v.Kind() == reflect.Struct || v.Kind() == reflect.Slice || v.Kind() == reflect.Map)
}

// defaulter is an item of a list that has other defaults than zero values.
type defaulter interface{ setDefaults() }

func (d *document) decodeList(resolved, n ast.Node, v reflect.Value, key string) error {
	sequence, ok := resolved.(*ast.SequenceNode)
	if !ok {
		return d.errorf(n, "%s must be a list", key)
	}
	list := reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values))
	for i, item := range sequence.Values {
		if v, ok := list.Index(i).Addr().Interface().(defaulter); ok {
			v.setDefaults()
		}
		if err := d.decodeNode(item, list.Index(i), "an item of "+key); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

// decodeMap decodes a mapping of texts to texts, whose keys are the user's.
func (d *document) decodeMap(resolved, n ast.Node, v reflect.Value, key string) error {
	mapping, ok := resolved.(*ast.MappingNode)
	if !ok {
		return d.errorf(n, "%s must be a mapping of texts to texts", key)
	}
	m := make(map[string]string, len(mapping.Values))
	for _, pair := range mapping.Values {
		var name, value string
		if err := d.decodeNode(pair.Key, reflect.ValueOf(&name).Elem(), "a key of "+key); err != nil {
			return err
		}
		if _, ok := m[name]; ok {
			return d.errorf(pair.Key, "the key %q stands here twice", name)
		}
		if err := d.decodeNode(pair.Value, reflect.ValueOf(&value).Elem(), "a value of "+key); err != nil {
			return err
		}
		m[name] = value
	}
	v.Set(reflect.ValueOf(m))
	return nil
}

func (d *document) decodeString(resolved, n ast.Node, v reflect.Value, key string) error {
	switch s := resolved.(type) {
	case *ast.StringNode:
		v.SetString(s.Value)
	case *ast.LiteralNode:
		v.SetString(s.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		v.SetString(s.GetToken().Value)
	default:
		return d.errorf(n, "%s must be a text", key)
	}
	return nil
}

func (d *document) decodeInt(resolved, n ast.Node, v reflect.Value, key string) error {
	if number, ok := resolved.(*ast.IntegerNode); ok {
		switch i := number.Value.(type) {
		case int64:
			v.SetInt(i)
			return nil
		case uint64:
			if i <= math.MaxInt64 {
				v.SetInt(int64(i))
				return nil
			}
		}
	}
	return d.errorf(n, "%s must be a whole number, such as 10", key)
}

func (d *document) decodeFloat(resolved, n ast.Node, v reflect.Value, key string) error {
	switch resolved.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		f, err := strconv.ParseFloat(resolved.GetToken().Value, 64)
		if err == nil && !math.IsInf(f, 0) {
			v.SetFloat(f)
			return nil
		}
	}
	return d.errorf(n, "%s must be a number, such as 20 or 0.5", key)
}

func (d *document) decodeDuration(resolved, n ast.Node, v reflect.Value, key string) error {
	if s, ok := resolved.(*ast.StringNode); ok {
		if duration, err := model.ParseDuration(s.Value); err == nil {
			v.SetInt(int64(duration))
			return nil
		}
	}
	return d.errorf(n, "%s must be a duration with a unit and not below zero, such as 10s, 500ms or 1m30s", key)
}

// keysOf returns the keys of a struct type, in its order.
func keysOf(t reflect.Type) []string {
	var keys []string
	for field := range t.Fields() {
		keys = append(keys, field.Tag.Get("yaml"))
	}
	return keys
}

// fieldOf returns the index of the field with this key, -1 when there is none.
func fieldOf(t reflect.Type, key string) int {
	for i, k := range keysOf(t) {
		if k == key {
			return i
		}
	}
	return -1
}

func orFile(key string) string {
	if key == "" {
		return "the file"
	}
	return key
}
