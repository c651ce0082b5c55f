/* Every process that is started with this library sees the wall clock shifted by NACHLESE_CLOCK_SHIFT seconds; the monotonic clock,
 * by which waits are measured, stays as it is. CONTRIBUTING.md says how it is used. (libfaketime 0.9.10 cannot do that: with the
 * monotonic clock left alone time.sleep() fails with EINVAL, with both shifted waits for locks never end.)
 *
 *     cc -shared -fPIC -o shifted_clock.so tests/shifted_clock.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long shift(void) {
    const char *stated = getenv("NACHLESE_CLOCK_SHIFT");
    return stated ? atol(stated) : 0;
}

int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(id, at);
    if (!done && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) at->tv_sec += shift();
    return done;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    int done = clock_gettime(CLOCK_REALTIME, &now);
    if (!done) {
        at->tv_sec = now.tv_sec;
        at->tv_usec = now.tv_nsec / 1000;
    }
    return done;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
