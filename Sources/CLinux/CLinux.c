/* SPDX-License-Identifier: GPL-2.0 */
#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int result(long value)
{
	return value < 0 ? -errno : (int)value;
}

int linux_mount(const char *source, const char *target, const char *type)
{
	return result(mount(source, target, type, 0, NULL));
}

int linux_insert_module(int fd, const char *parameters)
{
	return result(syscall(SYS_finit_module, fd, parameters, 0));
}

void linux_power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
}

int linux_set_hostname(const char *name)
{
	return result(sethostname(name, strlen(name)));
}

int linux_interface_up(const char *name, const char *address, const char *netmask)
{
	struct ifreq request;
	struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	memset(&request, 0, sizeof(request));
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (address) {
		in->sin_family = AF_INET;
		inet_pton(AF_INET, address, &in->sin_addr);
		error = result(ioctl(fd, SIOCSIFADDR, &request));
		if (!error) {
			inet_pton(AF_INET, netmask, &in->sin_addr);
			error = result(ioctl(fd, SIOCSIFNETMASK, &request));
		}
	}
	if (!error)
		error = result(ioctl(fd, SIOCGIFFLAGS, &request));
	if (!error) {
		request.ifr_flags |= IFF_UP | IFF_RUNNING;
		error = result(ioctl(fd, SIOCSIFFLAGS, &request));
	}
	close(fd);
	return error;
}

int linux_uevent_socket(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int size = 1 << 20;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

int linux_open_pty(int *slave, uint16_t rows, uint16_t columns)
{
	char name[64];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0)
		return -errno;
	if (grantpt(master) || unlockpt(master) || ptsname_r(master, name, sizeof(name)) ||
	    (*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
		int error = -errno;

		close(master);
		return error;
	}
	linux_resize_pty(master, rows, columns);
	return master;
}

int linux_resize_pty(int master, uint16_t rows, uint16_t columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	return result(ioctl(master, TIOCSWINSZ, &size));
}

int linux_pipe(int ends[2])
{
	return result(pipe2(ends, O_CLOEXEC));
}

int linux_socket_pair(int ends[2])
{
	return result(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
}

int linux_open(const char *path, int flags, mode_t mode)
{
	return result(open(path, flags, mode));
}

int linux_set_nonblocking(int fd, int on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	return result(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

int linux_terminal_size(int fd, uint16_t *rows, uint16_t *columns)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		return -errno;
	*rows = size.ws_row;
	*columns = size.ws_col;
	return 0;
}

/* Runs in the child: only async-signal-safe calls. */
static void become(const struct linux_spawn *spawn, int report, pid_t parent)
{
	int count = spawn->descriptor_count, i, error;
	int moved[64];
	sigset_t none;

	if (spawn->death_signal) {
		prctl(PR_SET_PDEATHSIG, spawn->death_signal);
		if (getppid() != parent)
			_exit(127);
	}
	if (spawn->new_session)
		setsid();
	else if (spawn->new_group)
		setpgid(0, 0);
	setpriority(PRIO_PROCESS, 0, spawn->nice);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);

	/* Out of the way first: a descriptor may be the target of another. */
	report = fcntl(report, F_DUPFD_CLOEXEC, count + 64);
	for (i = 0; i < count; i++)
		moved[i] = fcntl(spawn->descriptors[i], F_DUPFD_CLOEXEC, count + 64);
	for (i = 0; i < count; i++)
		if (moved[i] < 0 || dup2(moved[i], i) < 0)
			goto failed;
	if (spawn->new_session && isatty(0))
		ioctl(0, TIOCSCTTY, 0);
	syscall(SYS_close_range, count, report - 1, 0);
	syscall(SYS_close_range, report + 1, ~0U, 0);
	execve(spawn->argv[0], (char *const *)spawn->argv, (char *const *)spawn->envp);
failed:
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

pid_t linux_spawn(const struct linux_spawn *spawn)
{
	pid_t parent = getpid();
	int pipes[2], error = 0;
	sigset_t all, before;
	pid_t pid;

	if (spawn->descriptor_count > 64)
		return -EINVAL;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid == 0)
		become(spawn, pipes[1], parent);
	if (pid < 0)
		pid = -errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(pipes[1]);
	if (pid > 0 && read(pipes[0], &error, sizeof(error)) == sizeof(error)) {
		waitpid(pid, NULL, 0);
		pid = -error;
	}
	close(pipes[0]);
	return pid;
}

int linux_pidfd(pid_t pid)
{
	return result(syscall(SYS_pidfd_open, pid, 0));
}

int linux_memfd(const char *name)
{
	return result(memfd_create(name, MFD_CLOEXEC));
}

off_t linux_seek_data(int fd, off_t from)
{
	off_t at = lseek(fd, from, SEEK_DATA);

	return at < 0 ? -errno : at;
}

off_t linux_seek_hole(int fd, off_t from)
{
	off_t at = lseek(fd, from, SEEK_HOLE);

	return at < 0 ? -errno : at;
}

int linux_exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
