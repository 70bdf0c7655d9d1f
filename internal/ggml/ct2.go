package ggml

import (
	"io"
	"math"
	"strings"
)

// Type ids of a CTranslate2 file (ctranslate2/types.h).
const (
	ctFloat32 = 0
	ctInt8    = 1
	ctInt16   = 2
	ctInt32   = 3
	ctFloat16 = 4
)

var ctWidth = map[int]int64{ctFloat32: 4, ctInt8: 1, ctInt16: 2, ctInt32: 4, ctFloat16: 2}

const (
	ctVersion      = 6
	maxVariables   = 1 << 14
	maxVariableLen = 512
	maxRank        = 4
)

// variable is one entry of a CTranslate2 file: where its values lie.
type variable struct {
	dims   []int // outermost first; none for a scalar
	kind   int
	offset int64
	size   int64
}

// readVariables walks the table of a CTranslate2 Whisper model, binary version 6.
func readVariables(r io.ReaderAt, size int64) (map[string]variable, error) {
	c := &cursor{r: r, size: size, place: "the header"}
	if v := c.u32(); c.err == nil && v != ctVersion {
		return nil, refuse("not a CTranslate2 model of binary version %d (the file begins with %d)", ctVersion, v)
	}
	if spec := c.text(); c.err == nil && spec != "WhisperSpec" {
		return nil, refuse("not a Whisper model: its CTranslate2 specification is %q", spec)
	}
	c.u32() // revision of the specification
	count := c.u32()
	if c.err == nil && count > maxVariables {
		return nil, refuse("not a Whisper model: it claims %d variables", count)
	}
	vars := make(map[string]variable)
	for range count {
		c.place = "the table of variables"
		name := c.text()
		v := variable{dims: make([]int, min(c.u8(), maxRank+1))}
		if len(v.dims) > maxRank {
			return nil, refuse("damaged: variable %q has more than %d dimensions", name, maxRank)
		}
		elements := int64(1)
		for i := range v.dims {
			d := c.u32()
			if d < 1 || d > math.MaxInt32 || elements > math.MaxUint32/d {
				if c.err == nil {
					return nil, refuse("damaged: variable %q has an impossible size", name)
				}
				return nil, c.err
			}
			v.dims[i], elements = int(d), elements*d
		}
		v.kind = c.u8()
		v.size = c.u32()
		if c.err != nil {
			return nil, c.err
		}
		width, known := ctWidth[v.kind]
		if !known || v.size != elements*width {
			return nil, refuse("damaged: variable %q has %d bytes of type %d for %d values", name, v.size, v.kind, elements)
		}
		if _, twice := vars[name]; twice {
			return nil, refuse("damaged: variable %q occurs twice", name)
		}
		c.place = "variable " + name
		v.offset = c.pos
		c.skip(v.size)
		vars[name] = v
	}
	c.place = "the table of aliases"
	aliases := c.u32()
	if c.err == nil && aliases > maxVariables {
		return nil, refuse("damaged: it claims %d aliases", aliases)
	}
	for range aliases {
		c.text() // only the output projection has one, and ggml shares that by itself
		c.text()
	}
	if c.err == nil && c.pos != size {
		return nil, refuse("damaged: %d bytes follow the end of the model", size-c.pos)
	}
	return vars, c.err
}

// text reads a string: a 16 bit length that counts the closing NUL, then the bytes.
func (c *cursor) text() string {
	n := c.u16()
	if c.err == nil && (n < 1 || n > maxVariableLen) {
		c.err = refuse("damaged: a name of %d bytes in %s", n, c.place)
	}
	if c.err != nil {
		return ""
	}
	s, closed := strings.CutSuffix(string(c.bytes(n)), "\x00")
	if c.err == nil && !closed {
		c.err = refuse("damaged: a name without an end in %s", c.place)
	}
	return s
}
