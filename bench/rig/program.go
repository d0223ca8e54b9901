package rig

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// prefix begins the names of the program's settings in the environment.
const prefix = "COUNTERSIGN_"

// Program is the built binary with the settings that it runs under.
type Program struct {
	binary   string
	settings map[string]string // by variable, without the prefix
	log      string            // the file that its standard error goes to
	profile  string            // the file that a profiling binary writes to
}

// Build compiles the program into dir. With profiling the binary writes a CPU profile when told, see [Server.Profile]; the tree and the
// binary that users get have no such thing.
func Build(ctx context.Context, dir string, profiling bool) (Program, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return Program{}, fmt.Errorf("find the module: %w", err)
	}
	p := Program{binary: filepath.Join(dir, "countersign"), log: filepath.Join(dir, "server.log"), profile: filepath.Join(dir, "profile")}
	args := []string{"build", "-o", p.binary}
	build := exec.CommandContext(ctx, "go")
	build.Dir = strings.TrimSpace(string(root))
	if profiling {
		overlay, err := writeOverlay(dir, build.Dir)
		if err != nil {
			return Program{}, err
		}
		args = append(args, "-overlay", overlay)
	}
	build.Args = append(build.Args, append(args, "./cmd/countersign")...)
	if out, err := build.CombinedOutput(); err != nil {
		return Program{}, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return p, nil
}

// With returns the program with more settings, named without the prefix: "SMTP_URL".
func (p Program) With(settings map[string]string) Program {
	merged := maps.Clone(settings)
	for name, value := range p.settings {
		if _, given := settings[name]; !given {
			merged[name] = value
		}
	}
	p.settings = merged
	return p
}

// environ is ours without any setting of the program in it, and the program's.
func (p Program) environ() []string {
	all := []string{"BENCH_PROFILE=" + p.profile}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, prefix) {
			all = append(all, v)
		}
	}
	for name, value := range p.settings {
		all = append(all, prefix+name+"="+value)
	}
	return all
}

// Run carries out one command and returns what it printed, without the last line's end.
func (p Program) Run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, p.binary, args...)
	cmd.Env = p.environ()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("countersign %s: %w: %s", args[0], err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}

// Server is a running `countersign serve`.
type Server struct {
	URL     string
	PID     int
	cmd     *exec.Cmd
	profile string
	exited  chan struct{}
	err     error // how it exited; set before exited is closed
}

// Serve starts the server on a free port and returns once it is ready. Its log goes on in server.log beside the binary.
func (p Program) Serve(ctx context.Context) (*Server, error) {
	log, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has it
	cmd := exec.Command(p.binary, "serve", "--listen", "127.0.0.1:0")
	cmd.Env, cmd.Stderr = p.environ(), log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &Server{PID: cmd.Process.Pid, cmd: cmd, profile: p.profile, exited: make(chan struct{})}
	url := make(chan string, 1)
	go s.watch(stdout, url)
	select {
	case s.URL = <-url:
		return s, nil
	case <-s.exited:
		return nil, fmt.Errorf("the server did not start: %w: see %s", s.err, p.log)
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), s.Kill())
	case <-time.After(time.Minute):
		return nil, errors.Join(fmt.Errorf("the server is not ready after a minute: see %s", p.log), s.Kill())
	}
}

func (s *Server) watch(stdout io.Reader, url chan<- string) {
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if at, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			url <- at
		}
	}
	s.err = s.cmd.Wait()
	close(s.exited)
}

// Kill ends the server as a crash does, with SIGKILL, and returns when it is gone.
func (s *Server) Kill() error {
	err := s.cmd.Process.Kill()
	<-s.exited
	return err
}

// Stop lets the server finish and returns how it exited.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.exited:
		return s.err
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("the server does not stop"), s.Kill())
	}
}

// Profile starts the CPU profile of a server whose binary was built for it. stop ends it and writes it to the file.
func (s *Server) Profile(file string) (stop func() error, err error) {
	if err := s.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		return nil, err
	}
	return func() error {
		if err := s.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			return err
		}
		for range 100 {
			time.Sleep(50 * time.Millisecond)
			data, err := os.ReadFile(s.profile)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return errors.Join(err, os.WriteFile(file, data, 0o600), os.Remove(s.profile))
		}
		return errors.New("the server wrote no profile")
	}, nil
}

// profiler is the file that Build adds to the program by an overlay. A profile appears where it is looked for once it is complete.
const profiler = `package main

import (
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

func init() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1)
	profile := func(path string) error {
		file, err := os.Create(path + ".part")
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		<-told
		pprof.StopCPUProfile()
		if err := file.Close(); err != nil {
			return err
		}
		return os.Rename(path+".part", path)
	}
	go func() {
		for range told {
			if err := profile(os.Getenv("BENCH_PROFILE")); err != nil {
				panic(err)
			}
		}
	}()
}
`

// writeOverlay writes the profiler and the file that tells the compiler where it belongs.
func writeOverlay(dir, root string) (path string, err error) {
	source, path := filepath.Join(dir, "profiler.go"), filepath.Join(dir, "overlay.json")
	overlay, err := json.Marshal(map[string]any{
		"Replace": map[string]string{filepath.Join(root, "cmd", "countersign", "bench_profiler.go"): source},
	})
	if err != nil {
		return "", err
	}
	return path, errors.Join(os.WriteFile(source, []byte(profiler), 0o600), os.WriteFile(path, overlay, 0o600))
}
