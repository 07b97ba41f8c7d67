package main

import (
	"bytes"
	"strconv"
)

// Products are measured in any number although some hundreds were recorded: the SKU of a
// recorded product, a dot and a number is a product of its own, alike but for its SKU and
// its ids. Odoo's id of it is that number times idStep, plus the recorded product's place.
const idStep = 1000

// variety is which of the products that are alike is meant; the recorded one itself is 0.
type variety int64

// suffixed is a recorded product's SKU as that of one of its varieties.
func (v variety) suffixed(sku string) string {
	if v == 0 {
		return sku
	}
	return sku + "." + strconv.FormatInt(int64(v), 10)
}

// varietyOf takes a SKU apart.
func varietyOf(sku []byte) (base []byte, v variety) {
	i := bytes.LastIndexByte(sku, '.')
	if i < 0 {
		return sku, 0
	}
	n, err := strconv.ParseInt(string(sku[i+1:]), 10, 64)
	if err != nil {
		return sku, 0
	}
	return sku[:i], variety(n)
}

// hole is what is written after a piece of a fragment.
type hole byte

const (
	full   hole = iota
	suffix      // the variety's
	id          // Odoo's
)

type piece struct {
	text []byte
	hole hole
}

// fragment is a part of an answer that is about one product, or a list of them.
type fragment []piece

// fill writes the fragment for a variety of the product at a place.
func (f fragment) fill(to []byte, v variety, place int) []byte {
	for _, p := range f {
		to = append(to, p.text...)
		switch p.hole {
		case suffix:
			if v != 0 {
				to = append(to, '.')
				to = strconv.AppendInt(to, int64(v), 10)
			}
		case id:
			to = strconv.AppendInt(to, int64(v)*idStep+int64(place)+1, 10)
		case full:
		}
	}
	return to
}

// cut makes a fragment of raw JSON: every string that is a known SKU gets a hole before
// its closing quote, and the number after the mark, if there is one, is one.
func cut(raw []byte, places map[string]int, mark string) fragment {
	var f fragment
	from := 0
	for i := 0; i < len(raw); i++ {
		if raw[i] != '"' {
			continue
		}
		if mark != "" && bytes.HasPrefix(raw[i:], []byte(mark)) {
			begin := i + len(mark)
			f = append(f, piece{raw[from:begin], id})
			from = begin + len(digits(raw[begin:]))
		}
		end := closing(raw, i)
		if _, known := places[string(raw[i+1:end])]; known {
			f = append(f, piece{raw[from:end], suffix})
			from = end
		}
		i = end
	}
	return append(f, piece{raw[from:], full})
}

// closing is where the string that begins at i ends.
func closing(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i
}

// digits is the number at the beginning of raw.
func digits(raw []byte) []byte {
	n := 0
	for n < len(raw) && raw[n] >= '0' && raw[n] <= '9' {
		n++
	}
	return raw[:n]
}
