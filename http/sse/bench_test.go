package sse

import (
	"bytes"
	"fmt"
	"testing"
)

func BenchmarkAppend(b *testing.B) {
	e, name := Encoder{ID: MustID("-")}, MustName("message")
	for _, size := range []int{256, 4096} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			payload := bytes.Repeat([]byte("x"), size)
			buf := make([]byte, 0, 2*size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				data, err := NewData(payload)
				if err != nil {
					b.Fatal(err)
				}
				buf = e.Append(buf[:0], name, data)
			}
		})
	}
}

func BenchmarkNext(b *testing.B) {
	for _, size := range []int{256, 4096} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			data := MustData(string(bytes.Repeat([]byte("x"), size)))
			frame := Encoder{ID: MustID("-")}.Append(nil, MustName("message"), data)
			d := NewDecoder(endless(string(frame)))
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
