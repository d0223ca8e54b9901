package main

import (
	"bytes"
	"fmt"
	"io"
)

// file is a CSV file that is made as it is read: accounts with an e-mail address and a phone number each, the ids in order as a
// platform's own export has them.
type file struct {
	rows, next int
	buf        bytes.Buffer
}

func newFile(rows int) io.Reader {
	f := &file{rows: rows}
	f.buf.WriteString("account,name,locale,time_zone,country,mailbox,email,phone\n")
	return f
}

func (f *file) Read(p []byte) (int, error) {
	for f.buf.Len() < len(p) && f.next < f.rows {
		n := f.next
		f.next++
		fmt.Fprintf(&f.buf, "seller-%08d,\"Harbour Trading No. %d, Ltd\",zh-CN,Asia/Shanghai,CN,shop%d@example.com,owner%d@example.org,138 %04d %04d\n",
			n, n, n, n, n/10_000%10_000, n%10_000)
	}
	return f.buf.Read(p)
}
