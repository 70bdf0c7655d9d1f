package manifest

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/jsonl"
)

// A journal line is a manifest line with three more fields, always last:
//
//	{"audio_filepath": "a.wav", "pred_text": "..", "_key": "k", "_n": 17, "_crc": "9a0b1c2d"}
//
// _n counts the records of the file from 1, _crc is the CRC-32 (IEEE, as in
// Python's zlib.crc32) of all bytes of the line before `, "_crc"`. Together
// they find every flipped bit, every cut, and lines that are lost or swapped.
type record struct {
	key   string
	n     uint64 // 0: the line carries no check, someone wrote it by hand
	entry Entry
	line  int // where it was found in a file
}

const (
	keyMark  = `"_key": `
	countSep = `, "_n": `
	sumSep   = `, "_crc": "`
	sumEnd   = `"}`
	sumLen   = len(sumSep) + 8 + len(sumEnd)
)

// newItem makes a record of e. The fields of a journal that e may have are those
// of the one that it came from, and are dropped.
func newItem(key string, e Entry) item {
	if e.Extra.private {
		for _, name := range []string{"_key", "_n", "_crc"} {
			e.Extra.Delete(name)
		}
	}
	size := len(e.Extra.line) + len(e.AudioPath) + len(e.Text) + len(e.PredText) + len(key)
	body := make([]byte, 0, size+size/8+128) // about: escapes make it longer
	return item{&record{key: key, entry: e}, appendBody(body, key, e)}
}

// appendBody adds what of a record does not depend on its number.
func appendBody(b []byte, key string, e Entry) []byte {
	b = e.AppendJSON(b)
	b = bytes.TrimRight(b[:len(b)-1], " \t")
	if b[len(b)-1] != '{' {
		b = append(b, ", "...)
	}
	b = append(b, keyMark...)
	return jsonl.AppendQuoted(b, key)
}

// appendRecord makes a line of a body.
func appendRecord(b, body []byte, n uint64) []byte {
	start := len(b)
	b = append(b, body...)
	b = append(b, countSep...)
	b = strconv.AppendUint(b, n, 10)
	sum := crc32.ChecksumIEEE(b[start:])
	b = append(b, sumSep...)
	b = hex.AppendEncode(b, []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	b = append(b, sumEnd...)
	return append(b, '\n')
}

var errCheckDamaged = errors.New("the record's number and checksum are damaged")

// parseRecord reads a line without white space around it.
func parseRecord(line []byte) (record, error) {
	checked, ok := cutSum(line)
	if !ok {
		// One damaged byte cannot hide both marks, so this is no record
		// that was damaged, but a line that someone edited.
		if bytes.Contains(line, []byte(`"_n"`)) || bytes.Contains(line, []byte(`"_crc"`)) {
			return record{}, errCheckDamaged
		}
		return parseUnchecked(line)
	}
	sum := line[len(checked)+len(sumSep) : len(line)-len(sumEnd)]
	if want := fmt.Sprintf("%08x", crc32.ChecksumIEEE(checked)); want != string(sum) {
		return record{}, fmt.Errorf("the checksum is %s and should be %s", sum, want)
	}
	i := bytes.LastIndex(checked, []byte(countSep))
	if i < 0 {
		return record{}, errCheckDamaged
	}
	n, err := strconv.ParseUint(string(checked[i+len(countSep):]), 10, 63)
	if err != nil || n == 0 {
		return record{}, errCheckDamaged
	}
	r, err := parseUnchecked(append(checked[:i:i], '}'))
	r.n = n
	return r, err
}

// cutSum gives the part of the line that its checksum is about.
func cutSum(line []byte) ([]byte, bool) {
	at := len(line) - sumLen
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(sumSep)) || !bytes.HasSuffix(line, []byte(sumEnd)) {
		return nil, false
	}
	return line[:at], true
}

// parseUnchecked reads an entry and the key behind it, if there is one.
func parseUnchecked(line []byte) (record, error) {
	var key string
	if i := bytes.LastIndex(line, []byte(keyMark)); i > 0 && isLastString(line, i+len(keyMark)) {
		key = jsonl.Unquote(string(line[i+len(keyMark)+1 : len(line)-len(sumEnd)]))
		line = append(slices.Clip(bytes.TrimRight(line[:i], ", ")), '}')
	}
	e, err := parse(line)
	if err != nil {
		return record{}, err
	}
	return record{key: key, entry: e}, nil
}

// isLastString tells that from i on there are only a string and the end of
// the object.
func isLastString(line []byte, i int) bool {
	if i >= len(line) || line[i] != '"' {
		return false
	}
	end, err := jsonl.Value(line, i)
	return err == nil && end == len(line)-1 && line[end] == '}'
}
