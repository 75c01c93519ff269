package config

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/prometheus/common/model"
)

// maxValues bounds the values of a file, which aliases can multiply.
const maxValues = 5_000_000

// decodeNode decodes n into v. Errors call it key. It is strict where the YAML library is not:
// it takes no key that v does not have, no fraction for a whole number, and no text for a
// number.
func (d *document) decodeNode(n ast.Node, v reflect.Value, key string) error {
	resolved := d.resolve(n)
	if d.decoded++; d.decoded > maxValues {
		return d.errorf(n, "the aliases make more than %d values of this file", maxValues)
	}
	if resolved == nil {
		return d.errorf(n, "this alias names nothing that is marked with &")
	}
	switch mapping, isMapping := resolved.(*ast.MappingNode); v.Kind() {
	case reflect.Struct:
		if !isMapping {
			keys := strings.Join(keysOf(v.Type()), ", ")
			return d.errorf(n, "%s must be a mapping with the keys %s", cmp.Or(key, "the file"), keys)
		}
		return d.decodeStruct(mapping, v)
	case reflect.Map:
		if !isMapping {
			return d.errorf(n, "%s must be a mapping of texts to texts", key)
		}
		return d.decodeMap(mapping, v, key)
	case reflect.Slice:
		sequence, ok := resolved.(*ast.SequenceNode)
		if !ok {
			return d.errorf(n, "%s must be a list", key)
		}
		return d.decodeList(sequence, v, key)
	}
	if scalar := scalars[v.Type()]; !scalar.set(resolved, v) {
		return d.errorf(n, "%s must be %s", key, scalar.wanted)
	}
	return nil
}

func (d *document) decodeStruct(mapping *ast.MappingNode, v reflect.Value) error {
	keys, seen := keysOf(v.Type()), map[string]bool{}
	for _, pair := range mapping.Values {
		name := pair.Key.GetToken().Value
		i := slices.Index(keys, name)
		if i < 0 {
			return d.errorf(pair.Key, "unknown key %q; allowed are %s", name, strings.Join(keys, ", "))
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
	return null && slices.Contains([]reflect.Kind{reflect.Struct, reflect.Slice, reflect.Map}, v.Kind())
}

func (d *document) decodeList(sequence *ast.SequenceNode, v reflect.Value, key string) error {
	v.Set(reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values)))
	for i, item := range sequence.Values {
		switch item := v.Index(i).Addr().Interface().(type) {
		case *Target:
			*item = DefaultTarget()
		case *PipelineSelector:
			item.Builds = 1
		}
		if err := d.decodeNode(item, v.Index(i), "an item of "+key); err != nil {
			return err
		}
	}
	return nil
}

// decodeMap decodes a mapping of texts to texts, whose keys are the user's.
func (d *document) decodeMap(mapping *ast.MappingNode, v reflect.Value, key string) error {
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

// scalars are the types of single values: how to set one, unless the node is no such value.
var scalars = map[reflect.Type]struct {
	set    func(ast.Node, reflect.Value) bool
	wanted string
}{
	reflect.TypeFor[string]():  {setString, "a text"},
	reflect.TypeFor[int]():     {setInt, "a whole number, such as 10"},
	reflect.TypeFor[float64](): {setFloat, "a number, such as 20 or 0.5"},
	reflect.TypeFor[time.Duration](): {
		setDuration, "a duration with a unit and not below zero, such as 10s, 500ms or 1m30s",
	},
}

func setString(n ast.Node, v reflect.Value) bool {
	switch s := n.(type) {
	case *ast.StringNode:
		v.SetString(s.Value)
	case *ast.LiteralNode:
		v.SetString(s.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		v.SetString(s.GetToken().Value)
	default:
		return false
	}
	return true
}

func setInt(n ast.Node, v reflect.Value) bool {
	integer, ok := n.(*ast.IntegerNode)
	if !ok {
		return false
	}
	i, err := strconv.ParseInt(fmt.Sprint(integer.Value), 10, 64)
	v.SetInt(i)
	return err == nil
}

func setFloat(n ast.Node, v reflect.Value) bool {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		f, err := strconv.ParseFloat(n.GetToken().Value, 64)
		v.SetFloat(f)
		return err == nil && !math.IsInf(f, 0)
	}
	return false
}

func setDuration(n ast.Node, v reflect.Value) bool {
	s, ok := n.(*ast.StringNode)
	if !ok {
		return false
	}
	duration, err := model.ParseDuration(s.Value)
	v.SetInt(int64(duration))
	return err == nil
}

// keysOf returns the keys of a struct type, in its order.
func keysOf(t reflect.Type) []string {
	var keys []string
	for field := range t.Fields() {
		keys = append(keys, field.Tag.Get("yaml"))
	}
	return keys
}
