/*
 * Preloaded into the daemon: puts on record what it does to the files below a folder, what it syncs, and what it answers, in one order.
 *
 *   cc -shared -fPIC -O2 -o recorder.so recorder.c
 *   POWERCUT_ROOT=/folder POWERCUT_LOG=/elsewhere [POWERCUT_KERNEL='FreeBSD 15.1-RELEASE'] LD_PRELOAD=recorder.so colibri-daemon
 *
 * A record: kind (1 byte), two numbers (8 bytes each), two lengths (4 bytes each), and as many bytes of text each. PowerCutRecord.cs reads them.
 * A write is on record before it is done, and no sync begins in between; a sync has a record when it begins and one when it has succeeded;
 * an answer is on record before it is sent. So what a power cut leaves can be told from the records before it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DESCRIPTORS 65536
#define REAL(name) ((__typeof__(&name))next(#name))

static uint64_t inodes[DESCRIPTORS];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static size_t root_length;
static int out = -1;

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    return found;
}

static long kernel(long number, long a, long b, long c)
{
    static long (*real)(long, ...);
    if (real == NULL)
        real = (long (*)(long, ...))next("syscall");
    return real(number, a, b, c, 0L, 0L, 0L);
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("POWERCUT_LOG");
    root = getenv("POWERCUT_ROOT");
    if (path == NULL || root == NULL)
        return;
    root_length = strlen(root);
    out = (int)kernel(SYS_open, (long)path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out < 0)
        abort();
}

/* The caller holds the gate, and errno is its business. */
static void put(char kind, uint64_t a, uint64_t b, const void *text, size_t length, const void *more, size_t more_length)
{
    char head[25];
    uint32_t lengths[2] = { (uint32_t)length, (uint32_t)more_length };
    struct iovec parts[3] = { { head, sizeof head }, { (void *)text, length }, { (void *)more, more_length } };
    head[0] = kind;
    memcpy(head + 1, &a, 8);
    memcpy(head + 9, &b, 8);
    memcpy(head + 17, lengths, 8);
    if (kernel(SYS_writev, out, (long)parts, 3) != (long)(sizeof head + length + more_length))
        abort();
}

static void put_alone(char kind, uint64_t a, uint64_t b, const void *text, size_t length, const void *more, size_t more_length)
{
    int error = errno;
    if (out < 0)
        return;
    pthread_mutex_lock(&gate);
    put(kind, a, b, text, length, more, more_length);
    pthread_mutex_unlock(&gate);
    errno = error;
}

/* The shared memory of SQLite's log is made anew after a power cut. */
static int is_watched(const char *path)
{
    size_t length = path == NULL ? 0 : strlen(path);
    return out >= 0 && length > root_length && strncmp(path, root, root_length) == 0
        && !(length > 4 && strcmp(path + length - 4, "-shm") == 0);
}

static uint64_t inode(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS ? __atomic_load_n(&inodes[fd], __ATOMIC_ACQUIRE) : 0;
}

static int opened(int fd, const char *path, int flags)
{
    struct stat entry;
    if (fd < 0 || fd >= DESCRIPTORS)
        return fd;
    /* The root itself is opened to be synced. */
    if ((is_watched(path) || (out >= 0 && path != NULL && strcmp(path, root) == 0)) && fstat(fd, &entry) == 0) {
        __atomic_store_n(&inodes[fd], entry.st_ino, __ATOMIC_RELEASE);
        put_alone(S_ISDIR(entry.st_mode) ? 'd' : 'o', entry.st_ino, (flags & O_TRUNC) != 0, path, strlen(path), NULL, 0);
    } else {
        __atomic_store_n(&inodes[fd], 0, __ATOMIC_RELEASE);
    }
    return fd;
}

static mode_t mode_of(int flags, va_list rest)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                          \
    int name(const char *path, int flags, ...)              \
    {                                                       \
        va_list rest;                                       \
        mode_t mode;                                        \
        va_start(rest, flags);                              \
        mode = mode_of(flags, rest);                        \
        va_end(rest);                                       \
        return opened(REAL(name)(path, flags, mode), path, flags); \
    }
OPEN(open)
OPEN(open64)

int close(int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS)
        __atomic_store_n(&inodes[fd], 0, __ATOMIC_RELEASE);
    return (int)kernel(SYS_close, fd, 0, 0);
}

#define RECORDED(fd, kind, a, text, length, call)                           \
    do {                                                                    \
        uint64_t of = inode(fd);                                            \
        if (of == 0)                                                        \
            return call;                                                    \
        pthread_mutex_lock(&gate);                                          \
        put(kind, of, (uint64_t)(a), text, length, NULL, 0);                \
        __typeof__(call) result = call;                                     \
        int error = errno;                                                  \
        pthread_mutex_unlock(&gate);                                        \
        errno = error;                                                      \
        return result;                                                      \
    } while (0)

/* What was sent, and no more: the rest of a partial send is sent again. Nothing is recorded between the call and its record. */
#define ANSWERED(fd, data, call)                                            \
    do {                                                                    \
        pthread_mutex_lock(&gate);                                          \
        ssize_t result = call;                                              \
        int error = errno;                                                  \
        if (result > 0)                                                     \
            put('a', (uint64_t)(fd), 0, data, (size_t)result, NULL, 0);     \
        pthread_mutex_unlock(&gate);                                        \
        errno = error;                                                      \
        return result;                                                      \
    } while (0)

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
    RECORDED(fd, 'w', offset, data, length, REAL(pwrite64)(fd, data, length, offset));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    uint64_t of = inode(fd);
    off64_t at = offset;
    ssize_t result;
    int error;
    if (of == 0)
        return REAL(pwritev64)(fd, parts, count, offset);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < count; at += (off64_t)parts[i++].iov_len)
        put('w', of, (uint64_t)at, parts[i].iov_base, parts[i].iov_len, NULL, 0);
    result = REAL(pwritev64)(fd, parts, count, offset);
    error = errno;
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

static int is_socket(int fd)
{
    struct stat entry;
    int error = errno, is = fstat(fd, &entry) == 0 && S_ISSOCK(entry.st_mode);
    errno = error;
    return is;
}

ssize_t write(int fd, const void *data, size_t length)
{
    if (inode(fd) == 0) {
        if (out >= 0 && is_socket(fd))
            ANSWERED(fd, data, REAL(write)(fd, data, length));
        return REAL(write)(fd, data, length);
    }
    RECORDED(fd, 'w', lseek(fd, 0, SEEK_CUR), data, length, REAL(write)(fd, data, length));
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
    if (out < 0)
        return REAL(send)(fd, data, length, flags);
    ANSWERED(fd, data, REAL(send)(fd, data, length, flags));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t result, left;
    int error;
    if (out < 0)
        return REAL(sendmsg)(fd, message, flags);
    pthread_mutex_lock(&gate);
    left = result = REAL(sendmsg)(fd, message, flags);
    error = errno;
    for (size_t i = 0; i < message->msg_iovlen && left > 0; i++) {
        size_t part = message->msg_iov[i].iov_len < (size_t)left ? message->msg_iov[i].iov_len : (size_t)left;
        put('a', (uint64_t)fd, 0, message->msg_iov[i].iov_base, part, NULL, 0);
        left -= (ssize_t)part;
    }
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

int ftruncate64(int fd, off64_t length)
{
    RECORDED(fd, 't', length, NULL, 0, REAL(ftruncate64)(fd, length));
}

static int synced(int fd, char kind, long number)
{
    uint64_t of = inode(fd);
    long result;
    if (of != 0)
        put_alone(kind, of, (uint64_t)fd, NULL, 0, NULL, 0);
    result = kernel(number, fd, 0, 0);
    if (of != 0 && result == 0)
        put_alone('e', of, (uint64_t)fd, NULL, 0, NULL, 0);
    return (int)result;
}

int fsync(int fd)
{
    return synced(fd, 'S', SYS_fsync);
}

int fdatasync(int fd)
{
    return synced(fd, 'D', SYS_fdatasync);
}

long syscall(long number, ...)
{
    long a[6];
    va_list rest;
    static long (*real)(long, ...);
    if (real == NULL)
        real = (long (*)(long, ...))next("syscall");
    va_start(rest, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_fdatasync)
        return fdatasync((int)a[0]);
    long result = real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    const char *version = getenv("POWERCUT_KERNEL");
    if (number == SYS_uname && result == 0 && version != NULL)
        snprintf(((struct utsname *)a[0])->version, sizeof ((struct utsname *)a[0])->version, "%s", version);
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    struct stat entry;
    int result = REAL(mkdir)(path, mode);
    if (result == 0 && is_watched(path) && stat(path, &entry) == 0)
        put_alone('d', entry.st_ino, 0, path, strlen(path), NULL, 0);
    return result;
}

int rename(const char *from, const char *to)
{
    int result, error;
    if (!is_watched(from))
        return REAL(rename)(from, to);
    pthread_mutex_lock(&gate);
    result = REAL(rename)(from, to);
    error = errno;
    if (result == 0)
        put('r', 0, 0, from, strlen(from), to, strlen(to));
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

static int removed(const char *path, int (*real)(const char *))
{
    int result, error;
    if (!is_watched(path))
        return real(path);
    pthread_mutex_lock(&gate);
    result = real(path);
    error = errno;
    if (result == 0)
        put('u', 0, 0, path, strlen(path), NULL, 0);
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

int unlink(const char *path)
{
    return removed(path, REAL(unlink));
}

int rmdir(const char *path)
{
    return removed(path, REAL(rmdir));
}
