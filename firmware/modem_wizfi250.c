/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * modem_wizfi250: drives a WizFi250 by AT commands over SPI, in command mode (WizFi250 Programmer's Guide, docs.wiznet.io).
 *
 * A dialogue is a row of steps, each a command that is sent and an answer that is waited for:
 *
 *   start   RESET → BOOT → ECHO → SSID → SECURITY → DHCP → JOIN → IDLE       start(NULL)   … ECHO → SCAN → FAILED
 *   open    RESOLVE (a name) → CONNECT → CONNECTING → IDLE                   close         CLOSE → IDLE
 *   send    LENGTH → DATA → IDLE
 *
 * Whatever goes wrong with a connection ends in CLOSE, and whatever else goes wrong is FAILED, which `start` cures by a reset. The
 * module answers a command that comes while another one runs with an error, so when the peer goes, CLOSE waits for the step's end.
 *
 * What is sent is rendered by its text_source into `chunk`, once in a poll, and goes from there byte by byte, while what comes in
 * is parsed at once: so nothing is received while a source writes, and the stack carries either the one or the other.
 *
 * What always holds: every step but IDLE has a deadline, and a poll makes at most ROUNDS_MAX times two exchanges. Data goes to
 * modem_received only while `connected`.
 */
#include "modem.h"

#include "at.h"
#include "clock.h"
#include "flash.h"
#include "names.h"
#include "spi.h"
#include "wire.h"

#define ROUNDS_MAX  96
#define CHUNK_MAX   20
#define ADDRESS_MAX 15

/* Those up to CONNECTING say nothing. From ECHO to JOIN in the order in which a join takes them. */
enum step {
	STEP_IDLE,
	STEP_RESET, /* held by its pin */
	STEP_BOOT,
	STEP_CONNECTING, /* the module tries, and says so when it knows */
	STEP_ECHO,
	STEP_SSID,
	STEP_SECURITY,
	STEP_DHCP,
	STEP_JOIN,
	STEP_SCAN,
	STEP_RESOLVE,
	STEP_CONNECT,
	STEP_LENGTH,
	STEP_CLOSE,
	STEP_DATA
};

/* What stands behind "AT+" in the commands of ECHO … CLOSE; the signs that are put in are write_command's. */
static const char commands[] FLASH = "MECHO=0\0"
									 "WSET=0,$\0"
									 "WSEC=0,&\0"
									 "WNET=1\0"
									 "WJOIN\0"
									 "WSCAN\0"
									 "FDNS=$,5000\0"
									 "SCON=O,TCN,@,#,,0\0"
									 "SSEND=0,,,#\0"
									 "SMGMT=ALL";

/* How long a step may take, in units of 256 ms. */
static const uint8_t patience[] FLASH = {
	[STEP_RESET] = 3,     [STEP_BOOT] = 20,   [STEP_CONNECTING] = 40, [STEP_ECHO] = 20, [STEP_SSID] = 20,
	[STEP_SECURITY] = 20, [STEP_DHCP] = 20,   [STEP_JOIN] = 110,      [STEP_SCAN] = 60, [STEP_RESOLVE] = 30,
	[STEP_CONNECT] = 20,  [STEP_LENGTH] = 20, [STEP_CLOSE] = 20,      [STEP_DATA] = 30,
};

static uint16_t now; /* as handed in last */

static struct {
	struct at_in in;
	struct wire wire;

	union {
		struct modem_network network; /* JOINING; ssid NULL: only scan */
		const char *name;             /* the network's, or, OPENING, the peer's */
		struct text_source source;    /* SENDING */
	} what;
	uint16_t number; /* the peer's port, or the length of the source */

	uint16_t deadline; /* of the step */
	uint8_t step;      /* enum step */
	uint8_t state;     /* enum modem_state */
	uint8_t trouble;   /* enum modem_trouble: what it is if the step fails */

	bool more;      /* of the step's bytes are to be rendered */
	bool sync;      /* is to be answered */
	bool connected; /* to the peer, and the connection is wanted */

	char address[ADDRESS_MAX + 1]; /* that was given to us, then the peer's; empty: none yet */
	uint16_t written;              /* bytes of the step that were rendered */
	uint16_t seen;                 /* that came from its source in this rendering */
	uint8_t chunk_at, chunk_length;
	uint8_t chunk[CHUNK_MAX];
} modem;

/* ---- from one step to the next ---- */

static void begin(enum step step)
{
	modem.step = (uint8_t)step;
	modem.more = step >= STEP_ECHO;
	modem.written = 0;
	modem.chunk_at = modem.chunk_length = 0;
	modem.deadline = (uint16_t)(now + (uint16_t)(pgm_read_byte(&patience[step]) << 8));
}

static bool is_sent(void)
{
	return !modem.more && modem.chunk_at == modem.chunk_length;
}

static void rest(enum modem_state state)
{
	modem.state = (uint8_t)state;
	begin(STEP_IDLE);
}

static void fail(enum modem_trouble trouble)
{
	modem.trouble = (uint8_t)trouble;
	rest(MODEM_FAILED);
}

static void hang_up(void)
{
	modem.state = MODEM_OPENING;
	modem.trouble = MODEM_NO_PEER;
	modem.connected = false;
	begin(STEP_CLOSE);
}

/* Takes a text for the address, if it looks like one; what is none after all will not be connected to. */
static void take_address(const char *text)
{
	for (uint8_t i = 0; i <= ADDRESS_MAX; i++) {
		modem.address[i] = text[i];
		if (text[i] == '\0')
			return;
		if (text[i] != '.' && (uint8_t)(text[i] - '0') > 9)
			break;
	}
	modem.address[0] = '\0';
}

/* There is one, and not 0.0.0.0. */
static bool has_address(void)
{
	return modem.address[0] > '0';
}

/* ---- what the module says ---- */

static void handle_ok(void)
{
	if (!is_sent())
		return;
	switch (modem.step) {
	case STEP_DHCP:
		modem.trouble = MODEM_NO_NETWORK;
		/* fall through */
	case STEP_ECHO:
	case STEP_SSID:
	case STEP_SECURITY:
		begin(modem.what.network.ssid != NULL ? (enum step)(modem.step + 1) : STEP_SCAN);
		break;
	case STEP_JOIN:
		rest(has_address() ? MODEM_JOINED : MODEM_FAILED);
		break;
	case STEP_SCAN:
		fail(MODEM_FINE);
		break;
	case STEP_RESOLVE:
		if (has_address()) {
			begin(STEP_CONNECT);
			break;
		}
		modem.trouble = MODEM_NO_NAME;
		/* fall through */
	case STEP_CLOSE:
		rest(MODEM_JOINED);
		break;
	case STEP_CONNECT:
		if (modem.connected)
			rest(MODEM_OPEN);
		else
			begin(STEP_CONNECTING);
		break;
	case STEP_DATA:
		if (modem.connected)
			rest(MODEM_OPEN);
		else
			hang_up();
		break;
	default:
		break;
	}
}

static void handle_error(void)
{
	switch (modem.step) {
	case STEP_IDLE:
	case STEP_BOOT:
	case STEP_CONNECTING:
		break;
	case STEP_RESOLVE:
		modem.trouble = MODEM_NO_NAME;
		/* fall through */
	case STEP_CLOSE: /* it knows of no connection: as well */
		rest(MODEM_JOINED);
		break;
	case STEP_CONNECT:
	case STEP_LENGTH:
	case STEP_DATA:
		hang_up();
		break;
	default:
		rest(MODEM_FAILED);
	}
}

static void handle_line(void)
{
	const char *blank = strrchr(modem.in.line, ' ');

	if (modem.step == STEP_SCAN)
		modem_heard(modem.in.line);
	/* Of a join the first one is ours, the next the gateway's. */
	if (modem.address[0] == '\0')
		take_address(blank != NULL ? blank + 1 : modem.in.line);
}

static void handle(uint8_t byte)
{
	switch (at_feed(&modem.in, byte)) {
	case AT_OK:
		handle_ok();
		break;
	case AT_ERROR:
		handle_error();
		break;
	case AT_PROMPT:
		if (modem.step == STEP_LENGTH && is_sent())
			begin(STEP_DATA);
		break;
	case AT_CONNECTED:
		modem.connected = true;
		if (modem.step == STEP_CONNECTING)
			rest(MODEM_OPEN);
		break;
	case AT_DISCONNECTED:
		modem.connected = false;
		/* To CONNECT it may be all that is said of an attempt that failed. */
		if (modem.state == MODEM_OPEN || modem.step == STEP_CONNECT || modem.step == STEP_CONNECTING)
			hang_up();
		break;
	case AT_LINK_UP:
		/* What the lines before tell is the network's name. */
		modem.address[0] = '\0';
		modem.trouble = MODEM_NO_ADDRESS;
		break;
	case AT_LINK_DOWN:
		if (modem.state != MODEM_JOINING)
			fail(MODEM_LEFT);
		break;
	case AT_STARTED:
		if (modem.step == STEP_BOOT)
			begin(STEP_ECHO);
		else
			fail(MODEM_FAULT);
		break;
	case AT_LINE:
		handle_line();
		break;
	case AT_DATA:
		if (modem.connected)
			modem_received(byte);
		break;
	case AT_NOTHING:
		break;
	}
}

/* ---- what the module is told ---- */

static void write_command(struct sink *sink)
{
	const char *at = names_at(commands, (uint8_t)(modem.step - STEP_ECHO));

	text_flash(sink, FLASH_TEXT("AT+"));
	for (uint8_t byte; (byte = pgm_read_byte(at)) != '\0'; at++) {
		switch (byte) {
		case '$':
			text_string(sink, modem.what.name);
			break;
		case '&':
			/* Without a kind of security the module finds it out; for that it wants a key. */
			if (modem.what.network.key[0] == '\0') {
				text_flash(sink, FLASH_TEXT("OPEN"));
				break;
			}
			text_put(sink, ',');
			text_string(sink, modem.what.network.key);
			break;
		case '@':
			text_string(sink, modem.address);
			break;
		case '#':
			text_unsigned(sink, modem.number);
			break;
		default:
			text_put(sink, byte);
		}
	}
	text_put(sink, '\r');
}

static void chunk_put(struct sink *sink, uint8_t byte)
{
	(void)sink;
	if ((uint16_t)(modem.seen++ - modem.written) < CHUNK_MAX)
		modem.chunk[modem.chunk_length++] = byte;
}

/* Renders what comes next of the step. */
static void render(void)
{
	struct sink sink = {chunk_put};

	modem.seen = 0;
	modem.chunk_at = modem.chunk_length = 0;
	if (modem.step == STEP_DATA)
		modem.what.source.write(&sink, modem.what.source.context);
	else
		write_command(&sink);
	modem.written = (uint16_t)(modem.written + modem.chunk_length);
	modem.more = modem.written != modem.seen;
}

static void exchange(uint8_t raw)
{
	uint8_t byte;

	switch (wire_feed(&modem.wire, spi_exchange(raw), &byte)) {
	case WIRE_BYTE:
		handle(byte);
		break;
	case WIRE_SYNC_WANTED:
		modem.sync = true;
		break;
	case WIRE_NOTHING:
		break;
	}
}

/* Moves bytes both ways, as long as there are any. */
static void talk(void)
{
	/* A module that holds us up is asked at least once, lest its XON be missed. */
	bool ask = modem.wire.paused;

	if (modem.more && modem.chunk_at == modem.chunk_length)
		render();
	for (uint8_t round = 0; round < ROUNDS_MAX && modem.state != MODEM_FAILED; round++) {
		uint8_t raw = WIRE_NULL;
		bool escape = modem.sync;

		if (escape) {
			raw = WIRE_SYNC;
			modem.sync = false;
		} else if (modem.chunk_at < modem.chunk_length && !modem.wire.paused) {
			/* Its answer may begin with the very exchange that ends it. */
			raw = modem.chunk[modem.chunk_at++];
			escape = wire_escape(&raw);
		} else if (!spi_data_ready() && !ask) {
			break;
		}
		ask = false;
		if (escape)
			exchange(WIRE_ESCAPE);
		exchange(raw);
	}
}

/* The step has lasted long enough. */
static void expire(void)
{
	switch (modem.step) {
	case STEP_IDLE:
		break;
	case STEP_RESET:
		spi_module_reset(false);
		begin(STEP_BOOT);
		break;
	case STEP_CONNECTING:
		hang_up();
		break;
	default:
		rest(MODEM_FAILED);
	}
}

/* ---- what is asked of it ---- */

void modem_start(const struct modem_network *network)
{
	memset(&modem, 0, sizeof modem);
	if (network != NULL)
		modem.what.network = *network;
	modem.trouble = MODEM_FAULT;
	begin(STEP_RESET);
	spi_module_reset(true);
}

enum modem_state modem_poll(uint16_t now_ms)
{
	now = now_ms;
	if (modem.step != STEP_RESET)
		talk();
	if (clock_reached_short(now, modem.deadline))
		expire();
	return (enum modem_state)modem.state;
}

void modem_open(const char *host, uint16_t port)
{
	modem.what.name = host;
	modem.number = port;
	modem.state = MODEM_OPENING;
	modem.trouble = MODEM_FAULT;
	modem.connected = false;
	take_address(host);
	begin(modem.address[0] != '\0' ? STEP_CONNECT : STEP_RESOLVE);
}

void modem_send(const struct text_source *source)
{
	modem.what.source = *source;
	modem.number = text_length(source);
	modem.state = MODEM_SENDING;
	begin(STEP_LENGTH);
}

void modem_close(void)
{
	if (modem.state == MODEM_OPEN)
		hang_up();
	else if (modem.state != MODEM_JOINED)
		fail(MODEM_FINE);
}

enum modem_trouble modem_trouble(void)
{
	return (enum modem_trouble)modem.trouble;
}
