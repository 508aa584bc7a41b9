/*
 * ftpfloor.h - the least that an FTP server can do for a command and for a small download
 */
#ifndef BENCH_FTPFLOOR_H
#define BENCH_FTPFLOOR_H

#include <sys/types.h>

/*
 * Serve one control connection until QUIT or its end: each command gets a fixed reply; PASV opens a
 * port for one connection; RETR, whatever it names, sends the first `size_bytes` of file_fd over it.
 * Nothing is checked. The descriptors stay the caller's.
 */
void ftpfloor_serve(int control_fd, int file_fd, off_t size_bytes);

#endif
