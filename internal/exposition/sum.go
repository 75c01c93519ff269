package exposition

import "hash/crc32"

// sum is what a gzip member says at its end about its text. That of no text is sumOf(nil).
type sum struct {
	crc   uint32 // CRC-32
	size  uint32 // the length in bytes, modulo 2^32
	shift uint32 // x^(8*length) modulo the polynomial of the CRC
}

func sumOf(text []byte) sum {
	return sum{crc32.ChecksumIEEE(text), uint32(len(text)), power(len(text))}
}

// then returns the sum of two texts in a row, as crc32_combine of zlib does. A CRC is the
// remainder of the text, read as a polynomial over GF(2). The first text stands len(second)
// bytes higher in the whole, so its remainder is multiplied by x^(8*len(second)).
func (a sum) then(b sum) sum {
	return sum{multiply(b.shift, a.crc) ^ b.crc, a.size + b.size, multiply(a.shift, b.shift)}
}

// one is the polynomial 1. The coefficient of x^0 is the highest bit.
const one = 1 << 31

// multiply returns a times b modulo the polynomial of CRC-32.
func multiply(a, b uint32) uint32 {
	product := uint32(0)
	for bit := uint32(one); bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		b = b>>1 ^ -(b&1)&crc32.IEEE // times x
	}
	return product
}

// power returns x^(8*n) modulo the same.
func power(n int) uint32 {
	result, square := uint32(one), uint32(one>>8)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			result = multiply(result, square)
		}
		square = multiply(square, square)
	}
	return result
}
