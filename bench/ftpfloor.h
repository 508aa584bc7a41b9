/*
 * ftpfloor.h - the least that an FTP server can do for a command, a small file and a listing
 */
#ifndef BENCH_FTPFLOOR_H
#define BENCH_FTPFLOOR_H

#include <sys/types.h>

/*
 * Serve one control connection until QUIT or its end: each command gets a fixed reply; PASV opens a
 * port, which is kept, PORT makes the next connection come from port 20. RETR, whatever it names, sends
 * the first `size_bytes` of file_fd; STOR writes to memory; LIST and MLSD send a line for each name in
 * file_fd, which is a directory then, after asking for its status. Nothing is checked. The descriptors
 * stay the caller's.
 */
void ftpfloor_serve(int control_fd, int file_fd, off_t size_bytes);

#endif
