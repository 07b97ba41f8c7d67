package main

import (
	"io"
	"os"
)

// awake keeps the machine's cores from sleeping until it is closed, as cyclictest(8) does: a
// core that has gone to sleep takes some 50 µs to wake, which whoever is waited for would be
// charged with. Where the machine does not allow it, the error says why.
//
// Source: https://docs.kernel.org/power/pm_qos_interface.html
func awake() (io.Closer, error) {
	wish, err := os.OpenFile("/dev/cpu_dma_latency", os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if _, err := wish.Write(make([]byte, 4)); err != nil { // an int32 of microseconds
		_ = wish.Close()
		return nil, err
	}
	return wish, nil
}
