package sse

// Encoder appends frames to a buffer. The zero Encoder writes no id; it is a
// value without state and may be used by many goroutines.
//
//	Encoder{ID: MustID("-")}.Append(buf, MustName("ping"), MustData("{}"))
//
//	event: ping⏎
//	data: {}⏎
//	id: -⏎
//	⏎
type Encoder struct {
	ID ID // the id of every frame
}

// Append appends one frame to buf and returns the longer slice. It allocates only
// where buf has no room.
func (e Encoder) Append(buf []byte, name Name, data Data) []byte {
	buf = e.AppendHead(buf, name)
	buf = append(buf, data.line...)
	return e.AppendTail(buf)
}

// AppendHead appends what stands before the data of a frame and returns the
// longer slice, for a writer that sends large data from where it lies: head, then
// Data.Bytes, then tail.
func (e Encoder) AppendHead(buf []byte, name Name) []byte {
	if name.line != "" {
		buf = append(buf, fieldEvent+": "...)
		buf = append(buf, name.line...)
		buf = append(buf, '\n')
	}
	return append(buf, fieldData+": "...)
}

// AppendTail appends what stands behind the data of a frame and returns the
// longer slice.
func (e Encoder) AppendTail(buf []byte) []byte {
	if e.ID.line != "" {
		buf = append(buf, '\n')
		buf = append(buf, fieldID+": "...)
		buf = append(buf, e.ID.line...)
	}
	return append(buf, "\n\n"...)
}

// FrameSize returns the number of bytes that Append appends.
func (e Encoder) FrameSize(name Name, data Data) int {
	n := len(fieldData) + len(": ") + len(data.line) + len("\n\n")
	if name.line != "" {
		n += len(fieldEvent) + len(": ") + len(name.line) + len("\n")
	}
	if e.ID.line != "" {
		n += len("\n") + len(fieldID) + len(": ") + len(e.ID.line)
	}
	return n
}
