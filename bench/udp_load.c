/* Asks over UDP as fast as it is answered: a fixed number of datagrams is under way.

   load PORT SECONDS SOCKETS WINDOW < requests

   The requests are the lines of standard input, sent in turn.  Prints one JSON object:
   answers, answers with an error in them, datagrams given up after 0.2 s, seconds.  At
   its end it waits for the answers under way, so that all are counted. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, ROOM = 2048, MOST_SOCKETS = 64 };
static const double PATIENCE_S = 0.2;

struct line { char *text; size_t length; };
static struct line *lines;
static long line_count, next_line, answered, errors, lost;
static char data[BATCH][ROOM];
static struct iovec parts_in[BATCH], parts_out[BATCH];
static struct mmsghdr in[BATCH], out[BATCH];

static double now_s(void)
{
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return moment.tv_sec + moment.tv_nsec / 1e9;
}

static void read_lines(void)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    long most = 0;
    while ((length = getline(&text, &room, stdin)) > 0) {
        if (line_count == most)
            lines = realloc(lines, (most = most * 2 + 1024) * sizeof *lines);
        lines[line_count].length = length - (text[length - 1] == '\n');
        lines[line_count].text = memcpy(malloc(length), text, length);
        line_count++;
    }
}

static void ask(int descriptor, int count)
{
    while (count > 0) {
        int some = count > BATCH ? BATCH : count;
        for (int i = 0; i < some; i++) {
            struct line *line = &lines[next_line++ % line_count];
            parts_out[i].iov_base = line->text;
            parts_out[i].iov_len = line->length;
        }
        some = sendmmsg(descriptor, out, some, 0);
        if (some < 1)
            return;
        count -= some;
    }
}

static int hear(int descriptor)
{
    int count = recvmmsg(descriptor, in, BATCH, MSG_DONTWAIT, 0);
    for (int i = 0; i < count; i++)
        errors += memmem(data[i], in[i].msg_len, "\"error\"", 7) != NULL;
    answered += count > 0 ? count : 0;
    return count > 0 ? count : 0;
}

int main(int argc, char **arguments)
{
    if (argc != 5)
        return 2;
    double seconds = atof(arguments[2]);
    int sockets = atoi(arguments[3]), window = atoi(arguments[4]);
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct pollfd polled[MOST_SOCKETS];
    int under_way[MOST_SOCKETS], waiting = 1, buffer = 4 << 20;
    double heard_s[MOST_SOCKETS];
    read_lines();
    if (sockets < 1 || sockets > MOST_SOCKETS || line_count == 0)
        return 2;
    address.sin_port = htons(atoi(arguments[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < BATCH; i++) {
        parts_in[i] = (struct iovec){data[i], ROOM};
        in[i].msg_hdr = (struct msghdr){.msg_iov = &parts_in[i], .msg_iovlen = 1};
        out[i].msg_hdr = (struct msghdr){.msg_iov = &parts_out[i], .msg_iovlen = 1};
    }
    double start_s = now_s(), moment_s = start_s, end_s = start_s + seconds;
    for (int i = 0; i < sockets; i++) {
        polled[i] = (struct pollfd){socket(AF_INET, SOCK_DGRAM, 0), POLLIN, 0};
        setsockopt(polled[i].fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
        connect(polled[i].fd, (struct sockaddr *)&address, sizeof address);
        under_way[i] = window;
        heard_s[i] = start_s;
        ask(polled[i].fd, window);
    }
    while (moment_s < end_s || (waiting && moment_s < end_s + PATIENCE_S)) {
        poll(polled, sockets, 20);
        moment_s = now_s();
        waiting = 0;
        for (int i = 0; i < sockets; i++) {
            if (polled[i].revents) {
                int count = hear(polled[i].fd);
                heard_s[i] = moment_s;
                under_way[i] -= count;
                if (moment_s < end_s) {
                    ask(polled[i].fd, count);
                    under_way[i] += count;
                }
            } else if (moment_s < end_s && moment_s - heard_s[i] > PATIENCE_S) {
                lost += under_way[i];
                heard_s[i] = moment_s;
                ask(polled[i].fd, window);
                under_way[i] = window;
            }
            waiting += under_way[i];
        }
    }
    lost += waiting;
    printf("{\"answered\":%ld,\"errors\":%ld,\"lost\":%ld,\"seconds\":%.4f}\n",
           answered, errors, lost, seconds);
}
