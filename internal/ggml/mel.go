package ggml

import "math"

// melFilters is Whisper's filter bank: triangles on Slaney's mel scale,
// normalised to equal area, mels rows of fftBins values. It equals
// librosa.filters.mel(sr=16000, n_fft=400, htk=False, norm="slaney") and, bit for
// bit, the table in the published files.
//
// Each product is wrapped in float64() because the compiler may otherwise fuse
// it with an addition on some machines, which rounds differently.
func melFilters(mels int) []float32 {
	const (
		rate     = 16000.0
		window   = 400.0
		linear   = 200.0 / 3 // Hz a mel below the corner
		corner   = 1000.0    // Hz, from here on the scale is logarithmic
		cornerAt = corner / linear
	)
	logStep := math.Log(6.4) / 27
	toMel := func(hz float64) float64 { return cornerAt + math.Log(hz/corner)/logStep }
	toHz := func(mel float64) float64 {
		if mel < cornerAt {
			return float64(linear * mel)
		}
		return float64(corner * math.Exp(float64(logStep*(mel-cornerAt))))
	}

	top := toMel(rate / 2)
	edges := make([]float64, mels+2)
	for i := range edges {
		edges[i] = toHz(float64(top*float64(i)) / float64(mels+1))
	}
	table := make([]float32, 0, mels*fftBins)
	for i := range mels {
		low, middle, high := edges[i], edges[i+1], edges[i+2]
		norm := 2 / (high - low)
		for k := range fftBins {
			hz := float64(float64(k)*rate) / window
			triangle := max(0, min((hz-low)/(middle-low), (high-hz)/(high-middle)))
			// Rounding the triangle before it is scaled is what makes the table exact.
			table = append(table, float32(float64(norm*float64(float32(triangle)))))
		}
	}
	return table
}
