/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few Linux calls that Swift's Glibc module lacks: those that are variadic, macros, or not in its module map.
 * Every function returns 0 or a value on success and -errno on failure.
 */
#ifndef MDLAB_CLINUX_H
#define MDLAB_CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* mount(2), umount2 is not needed: a node never unmounts. */
int linux_mount(const char *source, const char *target, const char *type);
/* finit_module(2) */
int linux_insert_module(int fd, const char *parameters);
/* reboot(2) with RB_POWER_OFF; does not return. */
void linux_power_off(void);
int linux_set_hostname(const char *name);
/* Brings an interface up; with address and netmask (dotted quads) if address is not NULL. */
int linux_interface_up(const char *name, const char *address, const char *netmask);
/* A NETLINK_KOBJECT_UEVENT socket that hears the kernel. */
int linux_uevent_socket(void);
/* A pseudo terminal of a size; the slave's file descriptor in *slave. Returns the master. */
int linux_open_pty(int *slave, uint16_t rows, uint16_t columns);
int linux_resize_pty(int master, uint16_t rows, uint16_t columns);
/* pipe2(2) with O_CLOEXEC: ends[0] reads, ends[1] writes. */
int linux_pipe(int ends[2]);
/* socketpair(2), AF_UNIX, SOCK_STREAM, SOCK_CLOEXEC. */
int linux_socket_pair(int ends[2]);
/* open(2), which is variadic. */
int linux_open(const char *path, int flags, mode_t mode);
/* fcntl(2) F_SETFL with or without O_NONBLOCK. */
int linux_set_nonblocking(int fd, int on);
/* The size of the terminal behind fd, or -ENOTTY. */
int linux_terminal_size(int fd, uint16_t *rows, uint16_t *columns);

struct linux_spawn {
	const char *const *argv;
	const char *const *envp;
	/* Descriptors of the child 0, 1, 2, ...: descriptors[i] becomes i. All others are closed. */
	const int *descriptors;
	int descriptor_count;
	/* A signal that the child gets when the thread that called linux_spawn ends; 0 for none. */
	int death_signal;
	/* setsid(2), and make descriptor 0 the controlling terminal if it is one. */
	int new_session;
	/* Leave the terminal's foreground group, so that Ctrl-C reaches only the caller. */
	int new_group;
	/* nice(2) of the child; a thread of ours may have another than the process was started with. */
	int nice;
};

/* fork(2) and execve(2). Returns the pid, or -errno also of a failed exec. */
pid_t linux_spawn(const struct linux_spawn *spawn);
/* pidfd_open(2) */
int linux_pidfd(pid_t pid);
/* memfd_create(2) */
int linux_memfd(const char *name);

/* lseek(2) with SEEK_DATA and SEEK_HOLE; -ENXIO behind the last data. */
off_t linux_seek_data(int fd, off_t from);
off_t linux_seek_hole(int fd, off_t from);

/* WIFEXITED and friends: the exit status, or 128 plus the signal. */
int linux_exit_status(int wait_status);

#endif
