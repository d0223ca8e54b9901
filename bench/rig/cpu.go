package rig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// tick is the unit of the times in /proc/PID/stat; Linux fixes it for programs (USER_HZ).
const tick = 10 * time.Millisecond

// process is a line of /proc/PID/stat.
type process struct {
	parent int
	own    time.Duration // user and system time of all its threads
	ended  time.Duration // that of its children that have ended
}

func readProcess(pid int) (p process, err error) {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return p, err
	}
	// The name in parentheses may hold anything, so count from the last one. See proc_pid_stat(5).
	fields := strings.Fields(string(line[strings.LastIndexByte(string(line), ')')+1:]))
	if len(fields) < 15 {
		return p, fmt.Errorf("/proc/%d/stat is short", pid)
	}
	var n [5]int
	for i, at := range []int{1, 11, 12, 13, 14} {
		if n[i], err = strconv.Atoi(fields[at]); err != nil {
			return p, err
		}
	}
	return process{parent: n[0], own: tick * time.Duration(n[1]+n[2]), ended: tick * time.Duration(n[3]+n[4])}, nil
}

// CPU returns the user and system time that a process has used.
func CPU(pid int) (time.Duration, error) {
	p, err := readProcess(pid)
	return p.own, err
}

// FamilyCPU returns the time that a process, its children and those of them that have ended have used.
func FamilyCPU(pid int) (time.Duration, error) {
	head, err := readProcess(pid)
	if err != nil {
		return 0, err
	}
	sum := head.own + head.ended
	all, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, entry := range all {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		p, err := readProcess(child)
		if errors.Is(err, fs.ErrNotExist) || err == nil && p.parent != pid {
			continue
		}
		if err != nil {
			return 0, err
		}
		sum += p.own
	}
	return sum, nil
}

// Postmaster returns the process that runs the PostgreSQL server at a URL, which must be on this machine: the parent of our backend.
func Postmaster(ctx context.Context, url string) (pid int, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	var backend int
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return 0, err
	}
	p, err := readProcess(backend)
	return p.parent, err
}
