/*
 * kload: a load generator for gateways of language models. One thread, epoll, HTTP/1.1 keep-alive, loopback only.
 *
 *   kload [-c CONNECTIONS] [-t SECONDS] [-w WARMUP_SECONDS] [-r REQUESTS_PER_SECOND] [-s]
 *         [-H 'name: value']... -b BODY_FILE http://127.0.0.1:PORT/path
 *
 * Without -r each connection sends its next request when the last one is answered. With -r requests are due at fixed
 * times and their latency counts from the time they were due, so that a stalled gateway cannot hide its queue.
 * -s reads streamed answers: the mock stamps each chunk with T and 16 digits (CLOCK_MONOTONIC, microseconds).
 *
 * Writes MEASURE and END to stderr around the measured window and one line of JSON to stdout; times in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_EVENTS 512
#define READ_BYTES (256 * 1024)
#define MAX_HEAD_BYTES 8192
#define STAMP_BYTES 17 /* T and 16 digits */

/* ---- options and counters ---------------------------------------------------------------------------------- */

struct options {
  int connections;
  double seconds, warmup_seconds, requests_per_second;
  int streams;
  char headers[8192];
  const char *body_file;
  char host[64], path[1024];
  int port;
};

struct samples {
  uint32_t *values;
  size_t count, capacity;
};

static struct options options = {.connections = 64, .seconds = 3, .warmup_seconds = 0.3, .path = "/"};
static struct samples latency, first_token, chunk_lag;
static long answered, refused, broken, chunks_read;
static int measuring;

static uint64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void record(struct samples *samples, uint64_t value_us) {
  if (!measuring) return;
  if (samples->count == samples->capacity) {
    samples->capacity = samples->capacity ? samples->capacity * 2 : 65536;
    samples->values = realloc(samples->values, samples->capacity * sizeof *samples->values);
    if (!samples->values) abort();
  }
  samples->values[samples->count++] = value_us > UINT32_MAX ? UINT32_MAX : (uint32_t)value_us;
}

/* ---- connections and requests ------------------------------------------------------------------------------ */

enum reading { HEAD, BODY };
enum framing { BY_LENGTH, BY_CHUNKS, UNTIL_CLOSE };
enum chunk_part { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, TRAILER };

struct connection {
  int fd;
  int busy;
  uint64_t started_us;
  enum reading reading;
  enum framing framing;
  int status;
  int must_close;
  size_t body_left;
  enum chunk_part chunk_part;
  size_t chunk_left;
  size_t trailer_line;
  char head[MAX_HEAD_BYTES];
  size_t head_length;
  int saw_token;
  char tail[STAMP_BYTES];
  size_t tail_length;
};

static int epoll_fd;
static struct sockaddr_in gateway;
static char *request_bytes;
static size_t request_length;

static void reconnect(struct connection *connection) {
  int on = 1;
  if (connection->fd > 0) close(connection->fd);
  connection->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection->fd, (struct sockaddr *)&gateway, sizeof gateway)) {
    perror("kload: connect");
    exit(2);
  }
  fcntl(connection->fd, F_SETFL, O_NONBLOCK);
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event);
}

/** Blocks when the socket is full: a gateway that does not read its requests is measured as slow, not skipped. */
static void send_request(struct connection *connection) {
  size_t sent = 0;
  while (sent < request_length) {
    ssize_t count = send(connection->fd, request_bytes + sent, request_length - sent, MSG_NOSIGNAL);
    if (count >= 0) {
      sent += (size_t)count;
    } else if (errno == EAGAIN) {
      fcntl(connection->fd, F_SETFL, 0);
    } else {
      reconnect(connection);
      sent = 0;
    }
  }
  fcntl(connection->fd, F_SETFL, O_NONBLOCK);
}

static void start_request(struct connection *connection, uint64_t started_us) {
  connection->busy = 1;
  connection->started_us = started_us;
  connection->reading = HEAD;
  connection->head_length = 0;
  connection->saw_token = 0;
  connection->tail_length = 0;
  send_request(connection);
}

static char *read_file(const char *name, size_t *length) {
  FILE *file = fopen(name, "r");
  if (!file) {
    perror(name);
    exit(2);
  }
  fseek(file, 0, SEEK_END);
  *length = (size_t)ftell(file);
  rewind(file);
  char *data = malloc(*length);
  if (!data || fread(data, 1, *length, file) != *length) exit(2);
  fclose(file);
  return data;
}

static void build_request(void) {
  size_t body_length;
  char *body = read_file(options.body_file, &body_length);
  request_bytes = malloc(body_length + 16384);
  if (!request_bytes) abort();
  int head_length = sprintf(request_bytes,
                            "POST %s HTTP/1.1\r\nHost: %s:%d\r\n%sContent-Type: application/json\r\nAccept: */*\r\n"
                            "User-Agent: kload\r\nContent-Length: %zu\r\n\r\n",
                            options.path, options.host, options.port, options.headers, body_length);
  memcpy(request_bytes + head_length, body, body_length);
  request_length = (size_t)head_length + body_length;
  free(body);
}

/* ---- answers ----------------------------------------------------------------------------------------------- */

static void finish(struct connection *connection) {
  record(&latency, now_us() - connection->started_us);
  if (measuring) {
    if (connection->status / 100 == 2) answered++;
    else refused++;
  }
  connection->busy = 0;
  if (connection->must_close) reconnect(connection);
}

/** The time in a stamp that starts at `text`, or 0 when these bytes are no stamp. */
static uint64_t stamp_at(const char *text) {
  uint64_t value = 0;
  for (int i = 1; i < STAMP_BYTES; i++) {
    if (text[i] < '0' || text[i] > '9') return 0;
    value = value * 10 + (uint64_t)(text[i] - '0');
  }
  return value;
}

static void record_chunk(struct connection *connection, uint64_t stamp_us, uint64_t time_us) {
  if (!connection->saw_token) record(&first_token, time_us - connection->started_us);
  connection->saw_token = 1;
  record(&chunk_lag, time_us > stamp_us ? time_us - stamp_us : 0);
  if (measuring) chunks_read++;
}

/** Looks for stamps; the last bytes are kept, because a stamp may be cut between two reads. */
static void read_body(struct connection *connection, const char *data, size_t length) {
  static char joined[READ_BYTES + STAMP_BYTES];
  if (!options.streams) return;
  memcpy(joined, connection->tail, connection->tail_length);
  memcpy(joined + connection->tail_length, data, length);
  const char *end = joined + connection->tail_length + length, *unread = joined, *found = joined;
  uint64_t time_us = now_us();
  while ((found = memchr(found, 'T', (size_t)(end - found))) && end - found >= STAMP_BYTES) {
    uint64_t stamp_us = stamp_at(found);
    if (stamp_us) record_chunk(connection, stamp_us, time_us);
    found += stamp_us ? STAMP_BYTES : 1;
    unread = found;
  }
  size_t left = (size_t)(end - unread);
  connection->tail_length = left < STAMP_BYTES - 1 ? left : STAMP_BYTES - 1;
  memcpy(connection->tail, end - connection->tail_length, connection->tail_length);
}

static void read_header_line(struct connection *connection, const char *line) {
  if (strncasecmp(line, "content-length:", 15) == 0) {
    connection->framing = BY_LENGTH;
    connection->body_left = strtoul(line + 15, NULL, 10);
  } else if (strncasecmp(line, "transfer-encoding: chunked", 26) == 0) {
    connection->framing = BY_CHUNKS;
  } else if (strncasecmp(line, "connection: close", 17) == 0) {
    connection->must_close = 1;
  }
}

/** Returns how many of the bytes belong to the head. Once the head is whole, `reading` is BODY. */
static size_t read_head(struct connection *connection, const char *data, size_t length) {
  size_t had = connection->head_length, room = MAX_HEAD_BYTES - 1 - had;
  size_t taken = length < room ? length : room;
  memcpy(connection->head + had, data, taken);
  char *end = memmem(connection->head, had + taken, "\r\n\r\n", 4);
  if (!end) {
    connection->head_length += taken;
    if (taken == 0) exit(2); /* no gateway under test sends 8 KB of headers */
    return taken;
  }
  end[2] = 0;
  connection->status = atoi(connection->head + 9);
  connection->framing = UNTIL_CLOSE;
  connection->must_close = 0;
  connection->chunk_part = CHUNK_SIZE;
  connection->chunk_left = 0;
  for (char *line = strstr(connection->head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
    read_header_line(connection, line + 2);
  }
  connection->must_close |= connection->framing == UNTIL_CLOSE;
  connection->reading = BODY;
  return (size_t)(end + 4 - connection->head) - had;
}

static int hex_digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  char lower = (char)(character | 32);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static void read_chunk_size(struct connection *connection, char character) {
  int digit = hex_digit(character);
  if (digit >= 0) connection->chunk_left = connection->chunk_left * 16 + (size_t)digit;
  if (character != '\n') return;
  connection->chunk_part = connection->chunk_left ? CHUNK_DATA : TRAILER;
  connection->trailer_line = 0;
}

/** Reads one part of a chunked body and returns its length; `*done` when the empty line after the last chunk came. */
static size_t read_chunked(struct connection *connection, const char *data, size_t length, int *done) {
  switch (connection->chunk_part) {
  case CHUNK_SIZE:
    read_chunk_size(connection, *data);
    return 1;
  case CHUNK_DATA: {
    size_t taken = connection->chunk_left < length ? connection->chunk_left : length;
    read_body(connection, data, taken);
    connection->chunk_left -= taken;
    if (connection->chunk_left == 0) connection->chunk_part = CHUNK_DATA_END;
    return taken;
  }
  case CHUNK_DATA_END:
    if (*data == '\n') connection->chunk_part = CHUNK_SIZE;
    return 1;
  case TRAILER:
    if (*data == '\n') {
      *done = connection->trailer_line == 0;
      connection->trailer_line = 0;
    } else if (*data != '\r') {
      connection->trailer_line++;
    }
    return 1;
  }
  return length;
}

static size_t read_sized(struct connection *connection, const char *data, size_t length, int *done) {
  size_t taken = connection->body_left < length ? connection->body_left : length;
  read_body(connection, data, taken);
  connection->body_left -= taken;
  *done = connection->body_left == 0;
  return taken;
}

/** Returns 1 when the answer is complete. */
static int read_answer(struct connection *connection, const char *data, size_t length) {
  int done = 0;
  while (length > 0 && !done) {
    size_t taken = length;
    if (connection->reading == HEAD) {
      taken = read_head(connection, data, length);
      done = connection->reading == BODY && connection->framing == BY_LENGTH && connection->body_left == 0;
    } else if (connection->framing == BY_LENGTH) {
      taken = read_sized(connection, data, length, &done);
    } else if (connection->framing == BY_CHUNKS) {
      taken = read_chunked(connection, data, length, &done);
    } else {
      read_body(connection, data, length);
    }
    data += taken;
    length -= taken;
  }
  if (done) finish(connection);
  return done;
}

/** The gateway closed. Returns 1 when that ended a request, well or badly. */
static int read_close(struct connection *connection) {
  if (!connection->busy) {
    reconnect(connection);
    return 0;
  }
  if (connection->reading == BODY && connection->framing == UNTIL_CLOSE) {
    finish(connection);
    return 1;
  }
  if (measuring) broken++;
  connection->busy = 0;
  reconnect(connection);
  return 1;
}

/** Returns 1 when the connection is free for its next request. */
static int receive(struct connection *connection) {
  static char buffer[READ_BYTES];
  ssize_t count = recv(connection->fd, buffer, sizeof buffer, 0);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count <= 0) return read_close(connection);
  return read_answer(connection, buffer, (size_t)count);
}

/* ---- the run ----------------------------------------------------------------------------------------------- */

static struct connection **idle;
static int idle_count;
static long started_on_schedule;

static uint64_t due_us(uint64_t begin_us, long index) {
  return begin_us + (uint64_t)((double)index * 1e6 / options.requests_per_second);
}

/** Starts all requests that are due, as far as connections are free. */
static void start_due(uint64_t begin_us) {
  if (options.requests_per_second <= 0) {
    while (idle_count > 0) start_request(idle[--idle_count], now_us());
    return;
  }
  uint64_t time_us = now_us();
  while (idle_count > 0 && due_us(begin_us, started_on_schedule) <= time_us) {
    start_request(idle[--idle_count], due_us(begin_us, started_on_schedule++));
  }
}

static struct timespec wait_until(uint64_t wake_us) {
  uint64_t time_us = now_us(), wait_us = wake_us > time_us ? wake_us - time_us : 0;
  return (struct timespec){.tv_sec = (time_t)(wait_us / 1000000), .tv_nsec = (long)(wait_us % 1000000) * 1000};
}

static uint64_t next_wake_us(uint64_t begin_us, uint64_t phase_end_us) {
  if (options.requests_per_second <= 0 || idle_count == 0) return phase_end_us;
  uint64_t due = due_us(begin_us, started_on_schedule);
  return due < phase_end_us ? due : phase_end_us;
}

static void run_until(uint64_t begin_us, uint64_t end_us) {
  struct epoll_event events[MAX_EVENTS];
  while (now_us() < end_us) {
    start_due(begin_us);
    struct timespec wait = wait_until(next_wake_us(begin_us, end_us));
    int count = epoll_pwait2(epoll_fd, events, MAX_EVENTS, &wait, NULL);
    for (int i = 0; i < count; i++) {
      if (receive(events[i].data.ptr)) idle[idle_count++] = events[i].data.ptr;
    }
  }
}

/** Runs warm-up and measured window; returns the length of the window in seconds. */
static double run(void) {
  uint64_t begin_us = now_us();
  run_until(begin_us, begin_us + (uint64_t)(options.warmup_seconds * 1e6));
  fprintf(stderr, "MEASURE\n");
  measuring = 1;
  uint64_t measured_from_us = now_us();
  run_until(begin_us, measured_from_us + (uint64_t)(options.seconds * 1e6));
  double seconds = (double)(now_us() - measured_from_us) / 1e6;
  fprintf(stderr, "END\n");
  return seconds;
}

static void open_connections(void) {
  struct connection *all = calloc((size_t)options.connections, sizeof *all);
  idle = malloc((size_t)options.connections * sizeof *idle);
  if (!all || !idle) abort();
  epoll_fd = epoll_create1(0);
  for (int i = 0; i < options.connections; i++) {
    reconnect(&all[i]);
    idle[idle_count++] = &all[i];
  }
}

/* ---- result ------------------------------------------------------------------------------------------------ */

static int ascending(const void *left, const void *right) {
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return (a > b) - (a < b);
}

static void print_samples(const char *name, struct samples *samples) {
  size_t count = samples->count;
  if (count == 0) return;
  qsort(samples->values, count, sizeof *samples->values, ascending);
  printf(",\"%s\":{\"count\":%zu,\"p50\":%u,\"p99\":%u,\"max\":%u}", name, count, samples->values[count / 2],
         samples->values[count * 99 / 100], samples->values[count - 1]);
}

static void print_result(double seconds) {
  printf("{\"answered\":%ld,\"refused\":%ld,\"broken\":%ld,\"chunks\":%ld,\"seconds\":%.3f", answered, refused, broken,
         chunks_read, seconds);
  print_samples("latencyUs", &latency);
  print_samples("firstTokenUs", &first_token);
  print_samples("chunkLagUs", &chunk_lag);
  printf("}\n");
}

static void usage(void) {
  fprintf(stderr, "usage: kload [-c CONNECTIONS] [-t SECONDS] [-w WARMUP] [-r RATE] [-s] [-H HEADER]... -b FILE "
                  "http://127.0.0.1:PORT/path\n");
  exit(2);
}

static void add_header(const char *header) {
  size_t had = strlen(options.headers);
  if (had + strlen(header) + 3 > sizeof options.headers) usage();
  sprintf(options.headers + had, "%s\r\n", header);
}

static void read_options(int argument_count, char **arguments) {
  int option;
  while ((option = getopt(argument_count, arguments, "c:t:w:r:b:H:s")) != -1) {
    switch (option) {
    case 'c': options.connections = atoi(optarg); break;
    case 't': options.seconds = atof(optarg); break;
    case 'w': options.warmup_seconds = atof(optarg); break;
    case 'r': options.requests_per_second = atof(optarg); break;
    case 'b': options.body_file = optarg; break;
    case 'H': add_header(optarg); break;
    case 's': options.streams = 1; break;
    default: usage();
    }
  }
  if (!options.body_file || optind + 1 != argument_count || options.connections < 1) usage();
  if (sscanf(arguments[optind], "http://%63[^:]:%d%1023s", options.host, &options.port, options.path) < 2) usage();
}

static void resolve_gateway(void) {
  gateway.sin_family = AF_INET;
  gateway.sin_port = htons((uint16_t)options.port);
  if (inet_pton(AF_INET, options.host, &gateway.sin_addr) != 1 || (ntohl(gateway.sin_addr.s_addr) >> 24) != 127) {
    fprintf(stderr, "kload: only loopback addresses are loaded, not %s\n", options.host);
    exit(2);
  }
}

int main(int argument_count, char **arguments) {
  read_options(argument_count, arguments);
  resolve_gateway();
  build_request();
  open_connections();
  print_result(run());
  return 0;
}
