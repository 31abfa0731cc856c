/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See raw.h. */
#include "raw.h"

#include "client.h"
#include "house.h"
#include "patience.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- packets ---- */

void raw_put(struct raw_packet *packet, const void *bytes, size_t len)
{
	assert_true(len <= sizeof(packet->bytes) - packet->len);
	if (len > 0)
		memcpy(packet->bytes + packet->len, bytes, len);
	packet->len += len;
}

void raw_put_byte(struct raw_packet *packet, uint8_t byte)
{
	raw_put(packet, &byte, 1);
}

void raw_put_text(struct raw_packet *packet, const void *text, size_t len)
{
	raw_put_byte(packet, (uint8_t)(len >> 8));
	raw_put_byte(packet, (uint8_t)len);
	raw_put(packet, text, len);
}

/* ---- connections ---- */

static int raw_open(const struct house *house)
{
	const struct timeval patience = {.tv_sec = 2 * SOON / 1000};
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)house->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void raw_close(int fd)
{
	close(fd);
}

void raw_send(int fd, uint8_t first, const struct raw_packet *packet)
{
	uint8_t bytes[sizeof(packet->bytes) + 3] = {first};
	size_t len = 1;

	/* A length has seven bits a byte, the lowest first. */
	if (packet->len > 127)
		bytes[len++] = (uint8_t)(packet->len % 128 + 128);
	bytes[len++] = (uint8_t)(packet->len > 127 ? packet->len / 128 : packet->len);
	memcpy(bytes + len, packet->bytes, packet->len);
	len += packet->len;
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

/* False: the broker has closed the connection. */
static bool receive_all(int fd, void *bytes, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t more = recv(fd, (uint8_t *)bytes + got, len - got, 0);

		if (more == 0 || (more < 0 && errno == ECONNRESET))
			return false;
		if (more < 0)
			fail_msg("the broker does not answer: %s", strerror(errno));
		got += (size_t)more;
	}
	return true;
}

int raw_receive(int fd, struct raw_packet *out)
{
	uint8_t first, byte;
	size_t len = 0;

	if (!receive_all(fd, &first, 1))
		return -1;
	for (unsigned shift = 0; shift <= 21; shift += 7) {
		if (!receive_all(fd, &byte, 1))
			return -1;
		len |= (size_t)(byte & 0x7F) << shift;
		if ((byte & 0x80) == 0)
			break;
	}
	assert_true(len <= sizeof(out->bytes));
	out->len = len;
	return receive_all(fd, out->bytes, len) ? first : -1;
}

/* Their length, and the one there is. */
static void put_properties(struct raw_packet *packet, const char *method)
{
	const uint8_t authentication_method = 0x15;
	size_t len = method != NULL ? strlen(method) : 0;

	raw_put_byte(packet, method != NULL ? (uint8_t)(len + 3) : 0);
	if (method == NULL)
		return;
	raw_put_byte(packet, authentication_method);
	raw_put_text(packet, method, len);
}

/* Sends it, and returns the CONNACK's code. */
static int knock(int fd, const struct raw_connect *connect)
{
	const uint8_t user_password_clean = 0x80 | 0x40 | 0x02;
	struct raw_packet packet = {0};

	raw_put_text(&packet, "MQTT", 4);
	raw_put_byte(&packet, connect->version);
	raw_put_byte(&packet, user_password_clean);
	raw_put(&packet, "\0\0", 2); /* no keep-alive */
	if (connect->version == 5)
		put_properties(&packet, connect->method);
	raw_put_text(&packet, connect->id, connect->id_len);
	raw_put_text(&packet, connect->user, connect->user_len);
	raw_put_text(&packet, connect->password, connect->password_len);
	raw_send(fd, RAW_CONNECT, &packet);
	if (raw_receive(fd, &packet) != RAW_CONNACK)
		return CONNACK_NONE;
	assert_true(packet.len >= 2);
	return packet.bytes[1];
}

int raw_sign_in(const struct house *house, const struct raw_connect *connect, int *code)
{
	int fd = raw_open(house);

	*code = knock(fd, connect);
	if (*code == 0)
		return fd;
	raw_close(fd);
	return -1;
}
