/*
 * mock: a provider that costs next to nothing, so that a gateway in front of it is the only thing measured.
 * One thread, epoll, loopback only.
 *
 *   mock PORT
 *
 * POST to a path that holds "/messages" is answered in the Anthropic dialect, any other POST as an OpenAI chat
 * completion: as server-sent events when the body says "stream": true, else as one JSON document.
 * GET /__set?chunks=N&gap_us=N sets how many content chunks a stream has and the pause between them.
 * Any other GET is answered with a list of models.
 *
 * Each content chunk carries T and 16 digits: CLOCK_MONOTONIC in microseconds at the moment of sending. A client on
 * the same machine subtracts it from its own clock and so knows how long the chunk was on its way.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 8192
#define MAX_EVENTS 512
#define MAX_REQUEST_BYTES (4 * 1024 * 1024)
#define READ_BYTES (128 * 1024)
#define NOT_STREAMING (-1)

/* ---- what is answered -------------------------------------------------------------------------------------- */

/** One provider's wire format. `chunk_format` takes the time stamp as its only argument. */
struct dialect {
  const char *json;
  const char *stream_start;
  const char *chunk_format;
  const char *stream_end;
};

#define ANSWER_TEXT                                                                                                    \
  "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore "       \
  "magna aliqua ut enim ad minim veniam quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo "      \
  "consequat duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore."

#define OPENAI_CHUNK                                                                                                   \
  "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1750000000,"                      \
  "\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,"

static const struct dialect openai = {
    .json = "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1750000000,"
            "\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" ANSWER_TEXT
            "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
            "\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":60,\"total_tokens\":260}}",
    .stream_start = OPENAI_CHUNK "\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
    .chunk_format = OPENAI_CHUNK "\"delta\":{\"content\":\"T%016llu \"},\"finish_reason\":null}]}\n\n",
    .stream_end = OPENAI_CHUNK "\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
};

static const struct dialect anthropic = {
    .json = "{\"id\":\"msg_bench\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-bench\","
            "\"content\":[{\"type\":\"text\",\"text\":\"" ANSWER_TEXT "\"}],\"stop_reason\":\"end_turn\","
            "\"stop_sequence\":null,\"usage\":{\"input_tokens\":200,\"output_tokens\":60}}",
    .stream_start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_bench\","
                    "\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-bench\",\"content\":[],"
                    "\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":200,\"output_tokens\":1}}}\n\n"
                    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
                    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    .chunk_format = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
                    "\"delta\":{\"type\":\"text_delta\",\"text\":\"T%016llu \"}}\n\n",
    .stream_end = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
                  "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\","
                  "\"stop_sequence\":null},\"usage\":{\"output_tokens\":60}}\n\n"
                  "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
};

static const char MODELS[] =
    "{\"object\":\"list\",\"data\":[{\"id\":\"gpt-4o-mini\",\"object\":\"model\",\"created\":1,\"owned_by\":\"bench\"}]}";

static const char STREAM_HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                                  "Cache-Control: no-cache\r\nx-request-id: req_bench\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n";

static int chunks_per_stream = 50;
static uint64_t gap_us = 20000;

/* ---- connections ------------------------------------------------------------------------------------------- */

struct bytes {
  char *data;
  size_t length, capacity;
};

struct connection {
  int fd;
  int dead;
  int waits_for_room;
  struct bytes in, out;
  const struct dialect *dialect;
  int chunks_left;
  uint64_t next_chunk_us;
  int streaming_index;
};

static int epoll_fd;
static struct connection *streaming[MAX_CONNECTIONS];
static int streaming_count;
static int connection_count;

static uint64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void reserve(struct bytes *bytes, size_t more) {
  if (bytes->length + more <= bytes->capacity) return;
  bytes->capacity = (bytes->length + more) * 2;
  bytes->data = realloc(bytes->data, bytes->capacity);
  if (!bytes->data) abort();
}

static void drop_front(struct bytes *bytes, size_t count) {
  bytes->length -= count;
  memmove(bytes->data, bytes->data + count, bytes->length);
}

static void watch(struct connection *connection, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  epoll_ctl(epoll_fd, operation, connection->fd, &event);
}

/** Sends what the socket takes now and keeps the rest for when it has room again. */
static void send_bytes(struct connection *connection, const char *data, size_t length) {
  if (connection->dead) return;
  if (connection->out.length == 0) {
    ssize_t sent = send(connection->fd, data, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
      connection->dead = 1;
      return;
    }
    if (sent > 0) {
      data += sent;
      length -= (size_t)sent;
    }
  }
  if (length == 0) return;
  reserve(&connection->out, length);
  memcpy(connection->out.data + connection->out.length, data, length);
  connection->out.length += length;
  if (!connection->waits_for_room) watch(connection, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
  connection->waits_for_room = 1;
}

static void send_waiting(struct connection *connection) {
  if (connection->out.length == 0) return;
  ssize_t sent = send(connection->fd, connection->out.data, connection->out.length, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) connection->dead = 1;
  if (sent > 0) drop_front(&connection->out, (size_t)sent);
  if (connection->out.length > 0) return;
  watch(connection, EPOLLIN, EPOLL_CTL_MOD);
  connection->waits_for_room = 0;
}

static void send_json(struct connection *connection, const char *json) {
  char message[4096];
  int length = snprintf(message, sizeof message,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_bench\r\n"
                        "Content-Length: %zu\r\n\r\n%s",
                        strlen(json), json);
  send_bytes(connection, message, (size_t)length);
}

/** One chunk of the transfer encoding. */
static void send_chunk(struct connection *connection, const char *data, size_t length) {
  char message[2048];
  int head = snprintf(message, sizeof message, "%zx\r\n", length);
  memcpy(message + head, data, length);
  memcpy(message + head + length, "\r\n", 2);
  send_bytes(connection, message, (size_t)head + length + 2);
}

/* ---- streams ----------------------------------------------------------------------------------------------- */

static void forget_stream(struct connection *connection) {
  if (connection->streaming_index == NOT_STREAMING) return;
  struct connection *last = streaming[--streaming_count];
  streaming[connection->streaming_index] = last;
  last->streaming_index = connection->streaming_index;
  connection->streaming_index = NOT_STREAMING;
}

static void remember_stream(struct connection *connection) {
  connection->streaming_index = streaming_count;
  streaming[streaming_count++] = connection;
}

static void send_content_chunk(struct connection *connection) {
  char event[1024];
  int length = snprintf(event, sizeof event, connection->dialect->chunk_format, (unsigned long long)now_us());
  send_chunk(connection, event, (size_t)length);
  connection->chunks_left--;
}

/** Sends every chunk that is due, and the end of the stream after the last one. */
static void advance_stream(struct connection *connection, uint64_t time_us) {
  while (connection->chunks_left > 0 && connection->next_chunk_us <= time_us && !connection->dead) {
    send_content_chunk(connection);
    connection->next_chunk_us += gap_us;
  }
  if (connection->chunks_left > 0 && !connection->dead) return;
  send_chunk(connection, connection->dialect->stream_end, strlen(connection->dialect->stream_end));
  send_bytes(connection, "0\r\n\r\n", 5);
  forget_stream(connection);
}

static void start_stream(struct connection *connection) {
  uint64_t time_us = now_us();
  connection->chunks_left = chunks_per_stream;
  connection->next_chunk_us = time_us;
  send_bytes(connection, STREAM_HEAD, sizeof STREAM_HEAD - 1);
  send_chunk(connection, connection->dialect->stream_start, strlen(connection->dialect->stream_start));
  remember_stream(connection);
  advance_stream(connection, time_us);
}

/* ---- requests ---------------------------------------------------------------------------------------------- */

struct request {
  size_t head_length;
  char *body;
  size_t body_length;
  size_t total_length;
};

/** The value of a header, as a pointer into the head, or null. */
static const char *find_header(const char *head, size_t head_length, const char *name_and_colon) {
  size_t name_length = strlen(name_and_colon);
  const char *end = head + head_length;
  const char *line = memmem(head, head_length, "\r\n", 2);
  while (line && line + 2 + name_length < end) {
    line += 2;
    if (strncasecmp(line, name_and_colon, name_length) == 0) return line + name_length;
    line = memmem(line, (size_t)(end - line), "\r\n", 2);
  }
  return NULL;
}

/** Bytes that a chunked body takes up in `data`, or 0 while its end has not come. */
static size_t chunked_extent(const char *data, size_t length) {
  size_t at = 0;
  for (;;) {
    const char *line_end = memmem(data + at, length - at, "\r\n", 2);
    if (!line_end) return 0;
    size_t size = strtoul(data + at, NULL, 16);
    at = (size_t)(line_end - data) + 2 + size + 2;
    if (at > length) return 0;
    if (size == 0) return at;
  }
}

/** Joins the chunks of a whole chunked body in place and returns the joined length. */
static size_t join_chunks(char *body) {
  char *from = body;
  size_t joined = 0;
  for (;;) {
    char *size_end;
    size_t size = strtoul(from, &size_end, 16);
    if (size == 0) return joined;
    char *data = strstr(size_end, "\r\n") + 2;
    memmove(body + joined, data, size);
    joined += size;
    from = data + size + 2;
  }
}

/** Finds the first whole request in the bytes received so far; 0 = more must come. */
static int find_request(struct bytes *in, struct request *request) {
  char *head_end = in->length ? memmem(in->data, in->length, "\r\n\r\n", 4) : NULL;
  if (!head_end) return 0;
  request->head_length = (size_t)(head_end + 4 - in->data);
  request->body = head_end + 4;
  size_t received = in->length - request->head_length;
  const char *declared = find_header(in->data, request->head_length, "content-length:");
  if (find_header(in->data, request->head_length, "transfer-encoding:")) {
    size_t extent = chunked_extent(request->body, received);
    if (extent == 0) return 0;
    request->total_length = request->head_length + extent;
    request->body_length = join_chunks(request->body);
    return 1;
  }
  request->body_length = declared ? strtoul(declared, NULL, 10) : 0;
  request->total_length = request->head_length + request->body_length;
  return received >= request->body_length;
}

static int asks_for_stream(const struct request *request) {
  return memmem(request->body, request->body_length, "\"stream\":true", 13) != NULL ||
         memmem(request->body, request->body_length, "\"stream\": true", 14) != NULL;
}

static uint64_t setting(const char *path, const char *name_and_equals, uint64_t unchanged) {
  const char *found = strstr(path, name_and_equals);
  return found ? strtoull(found + strlen(name_and_equals), NULL, 10) : unchanged;
}

static void change_settings(const char *path) {
  chunks_per_stream = (int)setting(path, "chunks=", (uint64_t)chunks_per_stream);
  gap_us = setting(path, "gap_us=", gap_us);
}

static void answer(struct connection *connection, const struct request *request) {
  char *line = connection->in.data;
  char *line_end = memmem(line, request->head_length, "\r\n", 2);
  char after_line = *line_end;
  *line_end = 0;
  int is_get = strncmp(line, "GET ", 4) == 0;
  if (is_get && strstr(line, "/__set?")) change_settings(line);
  connection->dialect = strstr(line, "/messages") ? &anthropic : &openai;
  *line_end = after_line;

  if (is_get) send_json(connection, MODELS);
  else if (asks_for_stream(request)) start_stream(connection);
  else send_json(connection, connection->dialect->json);
}

/* ---- the event loop ---------------------------------------------------------------------------------------- */

static void close_if_dead(struct connection *connection) {
  if (!connection->dead) return;
  forget_stream(connection);
  close(connection->fd);
  free(connection->in.data);
  free(connection->out.data);
  free(connection);
  connection_count--;
}

static void receive(struct connection *connection) {
  reserve(&connection->in, READ_BYTES);
  ssize_t received = recv(connection->fd, connection->in.data + connection->in.length, READ_BYTES - 1, 0);
  if (received < 0 && errno == EAGAIN) return;
  if (received <= 0 || connection->in.length > MAX_REQUEST_BYTES) {
    connection->dead = 1;
    return;
  }
  connection->in.length += (size_t)received;
  connection->in.data[connection->in.length] = 0; /* strtoul and strstr stop here */
  struct request request;
  while (!connection->dead && connection->streaming_index == NOT_STREAMING &&
         find_request(&connection->in, &request)) {
    answer(connection, &request);
    drop_front(&connection->in, request.total_length);
  }
}

static void accept_all(int listener) {
  int fd, on = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    if (connection_count == MAX_CONNECTIONS) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) abort();
    connection->fd = fd;
    connection->streaming_index = NOT_STREAMING;
    connection_count++;
    watch(connection, EPOLLIN, EPOLL_CTL_ADD);
  }
}

/** How long to sleep until the next chunk is due; null = until something comes in. */
static struct timespec *time_to_next_chunk(struct timespec *wait) {
  if (streaming_count == 0) return NULL;
  uint64_t time_us = now_us(), next_us = UINT64_MAX;
  for (int i = 0; i < streaming_count; i++) {
    if (streaming[i]->next_chunk_us < next_us) next_us = streaming[i]->next_chunk_us;
  }
  uint64_t wait_us = next_us > time_us ? next_us - time_us : 0;
  wait->tv_sec = (time_t)(wait_us / 1000000);
  wait->tv_nsec = (long)(wait_us % 1000000) * 1000;
  return wait;
}

/** Backwards, because a stream that ends is replaced by the last one of the array. */
static void advance_streams(void) {
  uint64_t time_us = now_us();
  for (int i = streaming_count - 1; i >= 0; i--) {
    struct connection *connection = streaming[i];
    if (connection->next_chunk_us <= time_us) advance_stream(connection, time_us);
    close_if_dead(connection);
  }
}

static void handle(struct connection *connection, uint32_t events) {
  if (events & EPOLLOUT) send_waiting(connection);
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(connection);
  close_if_dead(connection);
}

static int listen_on_loopback(int port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
    perror("mock: listen");
    exit(1);
  }
  return listener;
}

int main(int argument_count, char **arguments) {
  if (argument_count != 2) {
    fprintf(stderr, "usage: mock PORT\n");
    return 2;
  }
  setrlimit(RLIMIT_NOFILE, &(struct rlimit){65536, 65536});
  int listener = listen_on_loopback(atoi(arguments[1]));
  epoll_fd = epoll_create1(0);
  struct epoll_event accept_event = {.events = EPOLLIN, .data.ptr = NULL}, events[MAX_EVENTS];
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &accept_event);

  for (;;) {
    struct timespec wait;
    int count = epoll_pwait2(epoll_fd, events, MAX_EVENTS, time_to_next_chunk(&wait), NULL);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == NULL) accept_all(listener);
      else handle(events[i].data.ptr, events[i].events);
    }
    advance_streams();
  }
}
