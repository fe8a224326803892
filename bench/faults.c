/* A library to preload: calls of the C library fail on command, as a disk or a clock would make
   them fail. Only files below one folder are touched. Built and armed by bench/faults.py. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, RENAME = 4 };

static char below[4096];
static int calls, error, sticky, torn;
static long at, seen, hits;
static double shift_s;

void fault_arm(const char *folder, int which, int number, int goes_on, int tears, long nth) {
    strncpy(below, folder, sizeof below - 1);
    calls = which, error = number, sticky = goes_on, torn = tears, at = nth, seen = hits = 0;
}

long fault_seen(void) { return seen; }
long fault_hits(void) { return hits; }
void fault_clock(double seconds) { shift_s = seconds; }

static int named(const char *path) {
    if (!strncmp(path, below, strlen(below))) return 1;
    return 0;
}

static int hit(int call, int descriptor) {
    char link[64], path[4096];
    if (!(calls & call)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (!named(path)) return 0;
    seen++;
    if (seen == at || (sticky && seen > at && at)) { hits++; return 1; }
    return 0;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    if (!hit(WRITE, fd)) return real(fd, data, size);
    if (torn && size > 1) real(fd, data, size / 2);
    errno = error;
    return -1;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t place) {
    REAL(pwrite);
    if (!hit(WRITE, fd)) return real(fd, data, size, place);
    if (torn && size > 1) real(fd, data, size / 2, place);
    errno = error;
    return -1;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place) {
    REAL(pwrite64);
    if (!hit(WRITE, fd)) return real(fd, data, size, place);
    if (torn && size > 1) real(fd, data, size / 2, place);
    errno = error;
    return -1;
}

int fsync(int fd) {
    REAL(fsync);
    if (!hit(SYNC, fd)) return real(fd);
    errno = error;
    return -1;
}

int fdatasync(int fd) {
    REAL(fdatasync);
    if (!hit(SYNC, fd)) return real(fd);
    errno = error;
    return -1;
}

int rename(const char *from, const char *to) {
    REAL(rename);
    if ((calls & RENAME) && named(to)) {
        seen++;
        if (seen == at || (sticky && seen > at && at)) {
            hits++;
            errno = error;
            return -1;
        }
    }
    return real(from, to);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(clock_gettime);
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME && !result) now->tv_sec += (time_t)shift_s;
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    REAL(gettimeofday);
    int result = real(now, zone);
    if (!result) now->tv_sec += (time_t)shift_s;
    return result;
}

time_t time(time_t *out) {
    REAL(time);
    time_t now = real(NULL) + (time_t)shift_s;
    if (out) *out = now;
    return now;
}
