package world

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

//go:embed data/*.csv data/images/*.gif
var data embed.FS

// table reads one of the data's files row by row. The first thing that goes
// wrong is kept in err, and ends each.
type table struct {
	name    string
	columns map[string]int
	row     []string
	err     error
}

// eachRow calls fn for every row of data/<name>.csv.
func eachRow(name string, fn func(t *table)) error {
	file, err := data.Open("data/" + name + ".csv")
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	reader := csv.NewReader(file)
	reader.ReuseRecord = true
	header, err := reader.Read()
	if err != nil {
		return fmt.Errorf("%s: header: %w", name, err)
	}
	t := &table{name: name, columns: make(map[string]int, len(header))}
	for i, column := range header {
		t.columns[column] = i
	}
	for t.err == nil {
		t.row, err = reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fn(t)
	}
	return fmt.Errorf("%s: %w", name, t.err)
}

// text is a cell without the blanks that fixed-width columns carry.
func (t *table) text(column string) string {
	i, ok := t.columns[column]
	if !ok {
		t.fail(fmt.Errorf("no column %s", column))
		return ""
	}
	return strings.TrimSpace(t.row[i])
}

// number is a whole number, 0 for an empty cell.
func (t *table) number(column string) int {
	text := t.text(column)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.fail(fmt.Errorf("column %s: %w", column, err))
	}
	return n
}

// date reads the day of a date or a timestamp; zero for an empty cell.
func (t *table) date(column string) time.Time {
	text := t.text(column)
	if text == "" {
		return time.Time{}
	}
	day, _, _ := strings.Cut(text, " ")
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		t.fail(fmt.Errorf("column %s: %w", column, err))
	}
	return at
}

func (t *table) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}
