package jsonl

// Object walks over the fields of one object, in their order.
type Object struct {
	text  []byte
	pos   int
	depth int
	begun bool
}

// Field is one name and value of an object: positions in its text, so that
// walking costs no memory.
type Field struct {
	Key           int  // where the name's opening quote is
	NameEnd       int  // where its closing quote is
	Start, End    int  // the value, without white space around it
	EscapedName   bool // the name holds escapes: see Unquote
	EscapedString bool // the value is a string that holds escapes
}

// OpenObject begins the walk over the one object that text holds, without
// white space around it (see Trim).
func OpenObject(text []byte) (Object, error) {
	if len(text) == 0 || text[0] != '{' {
		return Object{}, unexpected(text, 0, "an object")
	}
	return Object{text: text, pos: 1, depth: 1}, nil
}

// Next moves to the next field. After the last it returns false.
func (o *Object) Next(f *Field) (bool, error) {
	b := o.text
	i := skipSpace(b, o.pos)
	if i < len(b) && b[i] == '}' {
		o.pos = i + 1
		return false, nil
	}
	if o.begun {
		if i >= len(b) || b[i] != ',' {
			return false, unexpected(b, i, "',' or '}'")
		}
		i = skipSpace(b, i+1)
	}
	o.begun = true
	if i >= len(b) || b[i] != '"' {
		return false, unexpected(b, i, "a name in quotes")
	}
	f.Key = i
	var err error
	if f.NameEnd, f.EscapedName, err = stringEnd(b, i+1); err != nil {
		return false, err
	}
	i = skipSpace(b, f.NameEnd+1)
	if i >= len(b) || b[i] != ':' {
		return false, unexpected(b, i, "':'")
	}
	i = skipSpace(b, i+1)
	f.Start, f.EscapedString = i, false
	if i < len(b) && b[i] == '"' {
		f.End, f.EscapedString, err = stringEnd(b, i+1)
		f.End++
	} else {
		f.End, err = value(b, i, o.depth)
	}
	if err != nil {
		return false, err
	}
	o.pos = f.End
	return true, nil
}

// End fails where something follows the object.
func (o *Object) End() error {
	if i := skipSpace(o.text, o.pos); i < len(o.text) {
		return wrong(i, "text after the object")
	}
	return nil
}
