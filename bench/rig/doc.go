// Package rig is what the benches stand on: it builds the program and runs it as an operator does, with settings in the environment;
// starts a PostgreSQL cluster of its own; keeps the other end of the mail; reads the CPU time of processes; and prints tables.
//
// It measures from outside and knows nothing of the program but its surface: command line, settings, HTTP and mail. It leans on apptest
// for the SMTP server, on pgx to make databases, and on /proc, so that the benches run on Linux.
package rig
