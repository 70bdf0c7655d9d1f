package audio

// aLaw decodes a sample as in ITU-T G.711, to the range of int16.
func aLaw(b byte) int16 {
	b ^= 0x55
	exponent, mantissa := b>>4&7, int16(b&0xf)
	v := mantissa<<4 + 8
	if exponent > 0 {
		v = (v + 0x100) << (exponent - 1)
	}
	if b&0x80 == 0 {
		return -v
	}
	return v
}

// muLaw decodes a sample as in ITU-T G.711, to the range of int16.
func muLaw(b byte) int16 {
	b = ^b
	v := (int16(b&0xf)<<3+0x84)<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		return -v
	}
	return v
}
