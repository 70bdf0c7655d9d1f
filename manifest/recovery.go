package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/holdfast-go/holdfast/internal/jsonl"
)

// recovery is what the bytes of a journal say.
type recovery struct {
	records   []record
	unchecked int          // records without a checksum: written by hand
	damaged   []*LineError // what is not usable, and stays where it is
	next      uint64       // the number of the next record
	end       int64        // where the next line goes: the bytes behind are torn
	torn      int64        // how many these are
	unended   bool         // the last record is whole but for its newline

	last      uint64 // the number of the last good record
	explained bool   // lines after that one account for a gap in the numbers
	ours      bool   // something in the file was written by a journal
}

var errNoJournal = errors.New("is not a journal, so nothing is written to it: give the journal a file of its own")

// recoverJournal reads a journal as a crash or a faulty disk left it. No bytes
// that were ever a whole line count as torn.
func recoverJournal(r io.Reader, maxLine int) (recovery, error) {
	rec := recovery{next: 1}
	lines := jsonl.NewLines(r, maxLine)
	for lines.Next() {
		line := jsonl.Trim(lines.Bytes(), lines.Number())
		if !lines.Terminated() {
			rec.tail(lines, line)
			break
		}
		rec.end = lines.End()
		if len(line) > 0 || lines.TooLong() {
			rec.line(lines, line)
		}
	}
	if err := lines.Err(); err != nil {
		return rec, fmt.Errorf("reading the journal after line %d: %w", lines.Number(), err)
	}
	// A journal begins with a whole line, so what is torn is no proof.
	if !rec.ours && rec.end+rec.torn > 0 {
		return rec, errNoJournal
	}
	return rec, nil
}

// line takes in a whole line.
func (rec *recovery) line(lines *jsonl.Lines, line []byte) {
	if lines.TooLong() {
		rec.damage(lines.Number(), line, errors.New("longer than the limit in Options.MaxLine"))
		return
	}
	r, err := parseRecord(line)
	if err == nil {
		rec.add(lines.Number(), line, r)
		return
	}
	rec.damage(lines.Number(), line, err)
	// Where the damage is in a newline, two good records are one bad line.
	for found := range salvage(line) {
		rec.add(lines.Number(), line, found)
	}
}

// tail takes in what stands behind the last newline: nothing that was
// acknowledged, unless the disk damaged the newline itself.
func (rec *recovery) tail(lines *jsonl.Lines, line []byte) {
	whole := lines.Bytes()
	rec.end = lines.Offset()
	rec.torn = lines.End() - lines.Offset()
	if lines.TooLong() {
		return
	}
	if r, err := parseRecord(line); err == nil {
		rec.add(lines.Number(), line, r)
		rec.keep(int64(len(whole)))
		return
	}
	for found, end := range salvage(whole) {
		rec.add(lines.Number(), line, found)
		rec.keep(lines.Offset() + int64(end) - rec.end)
	}
}

func (rec *recovery) keep(n int64) {
	rec.end += n
	rec.torn -= n
	rec.unended = true
}

func (rec *recovery) add(number int, line []byte, r record) {
	r.line = number
	rec.records = append(rec.records, r)
	if r.n == 0 {
		rec.unchecked++
		rec.explained = true
		return
	}
	rec.ours = true
	switch {
	case r.n <= rec.last:
		rec.report(number, line, fmt.Errorf("record %d stands behind record %d", r.n, rec.last))
	case r.n > rec.last+1 && !rec.explained:
		rec.report(number, line, fmt.Errorf("before record %d the records from %d on are missing", r.n, rec.last+1))
	}
	rec.last = max(rec.last, r.n)
	rec.next = rec.last + 1
	rec.explained = false
}

// damage takes in a line that is no record. It may have been one, so it takes
// up a number.
func (rec *recovery) damage(number int, line []byte, err error) {
	rec.report(number, line, err)
	rec.explained = true
	rec.next++
	if bytes.Contains(line, []byte(`"_n"`)) || bytes.Contains(line, []byte(`"_crc"`)) {
		rec.ours = true
	}
}

func (rec *recovery) report(number int, line []byte, err error) {
	rec.damaged = append(rec.damaged, newLineError("", number, line, err))
}

// salvage finds whole records within a damaged line, and where each ends.
func salvage(line []byte) iter.Seq2[record, int] {
	return func(yield func(record, int) bool) {
		budget := 64 << 20 // bytes to look at: enough but for a hostile file
		from, search := 0, 0
		for budget > 0 {
			i := bytes.Index(line[search:], []byte(sumSep))
			if i < 0 || search+i+sumLen > len(line) {
				return
			}
			search += i + len(sumSep)
			end := search + sumLen - len(sumSep)
			r, ok := lastRecord(line[from:end], &budget)
			if !ok {
				continue
			}
			if !yield(r, end) {
				return
			}
			from, search = end, end
		}
	}
}

// lastRecord finds a record at the end of b, with damage before it.
func lastRecord(b []byte, budget *int) (record, bool) {
	for *budget > 0 {
		i := bytes.Index(b, []byte(`{"`))
		if i < 0 {
			break
		}
		b = b[i:]
		*budget -= len(b)
		if r, err := parseRecord(b); err == nil && r.n > 0 {
			return r, true
		}
		b = b[1:]
	}
	return record{}, false
}
