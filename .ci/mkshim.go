//go:build ignore

// mkshim FILE writes a bcryptprimitives.dll of 1 KiB for Wine 8, which lacks it and without which no Go program starts.
// Its only export, ProcessPrng, is a forwarder to advapi32.SystemFunction036, which is RtlGenRandom. The layout is
// that of the PE format, "Optional Header" and "The .edata Section".
package main

import (
	"bytes"
	"encoding/binary"
	"log"
	"os"
)

const (
	sectionRVA  = 0x1000
	sectionFile = 0x200
	size        = 0x400
)

type image []byte

// put writes values of fixed size at an offset.
func (b image) put(offset int, values ...any) {
	var buf bytes.Buffer
	for _, v := range values {
		if err := binary.Write(&buf, binary.LittleEndian, v); err != nil {
			log.Fatal(err)
		}
	}
	copy(b[offset:], buf.Bytes())
}

func main() {
	b := make(image, size)
	b.put(0, []byte("MZ"))
	b.put(0x3c, uint32(0x40)) // where the PE header begins
	b.put(0x40, []byte("PE\x00\x00"),
		uint16(0x8664), uint16(1), // amd64, one section
		uint32(0), uint32(0), uint32(0), // no time, no symbols
		uint16(0xf0), uint16(0x2022)) // size of the optional header; executable, large addresses, DLL

	const optional = 0x58
	b.put(optional, uint16(0x20b))                    // PE32+
	b.put(optional+8, uint32(0x200))                  // size of data
	b.put(optional+24, uint64(0x180000000))           // image base
	b.put(optional+32, uint32(0x1000), uint32(0x200)) // alignment in memory and in the file
	b.put(optional+40, uint16(6), uint16(0), uint16(0), uint16(0), uint16(6), uint16(0))
	b.put(optional+56, uint32(0x2000), uint32(0x200)) // size of the image, of the headers
	b.put(optional+68, uint16(3), uint16(0x100))      // console, NX compatible
	b.put(optional+72, uint64(1<<20), uint64(4096), uint64(1<<20), uint64(4096))
	b.put(optional+108, uint32(16))                        // directories
	b.put(optional+112, uint32(sectionRVA), uint32(0x100)) // the first is that of exports

	const section = optional + 0xf0
	b.put(section, []byte(".rdata\x00\x00"),
		uint32(0x200), uint32(sectionRVA), uint32(0x200), uint32(sectionFile))
	b.put(section+36, uint32(0x40000040)) // data, readable

	// The export directory with its three tables; an address within it is a forwarder.
	const addresses, names, ordinals, dllName, funcName, forward = 0x28, 0x2c, 0x30, 0x40, 0x60, 0x70
	b.put(sectionFile+12, uint32(sectionRVA+dllName), uint32(1), uint32(1), uint32(1),
		uint32(sectionRVA+addresses), uint32(sectionRVA+names), uint32(sectionRVA+ordinals))
	b.put(sectionFile+addresses, uint32(sectionRVA+forward), uint32(sectionRVA+funcName))
	b.put(sectionFile+dllName, []byte("bcryptprimitives.dll"))
	b.put(sectionFile+funcName, []byte("ProcessPrng"))
	b.put(sectionFile+forward, []byte("advapi32.SystemFunction036"))

	if err := os.WriteFile(os.Args[1], b, 0o644); err != nil {
		log.Fatal(err)
	}
}
