package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// unfit is a file that is not read, although it is there.
type unfit struct{ path, why string }

// Error returns the path, and what is wrong.
func (e *unfit) Error() string { return e.path + " " + e.why }

// reason returns why readFile failed, without the path.
func reason(err error) string {
	if e, ok := errors.AsType[*unfit](err); ok {
		return e.why
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return fmt.Sprintf("cannot be read: %v", err)
}

// read returns the content of a configuration file.
func read(path string) ([]byte, error) {
	data, err := readFile(path, maxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the configuration: %w; set --config.file, start from config.yml.example, or use --demo, which needs no file", err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return data, nil
}

// readFile returns the content of a regular file, or of a link to one, of at most so many bytes.
// Opening anything else, such as a named pipe, could wait for ever.
func readFile(path string, most int) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &unfit{path, "is not a regular file or a link to one"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > most {
		return nil, &unfit{path, fmt.Sprintf("is larger than %d MiB", most>>20)}
	}
	return data, nil
}
