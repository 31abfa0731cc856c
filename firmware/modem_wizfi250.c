/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * modem_wizfi250: drives a WizFi250 by AT commands over SPI, in command mode (WizFi250 Programmer's Guide, docs.wiznet.io).
 *
 * A dialogue is a row of steps, each a command that is sent and an answer that is waited for:
 *
 *   start   RESET → BOOT → ECHO → SSID → SECURITY → DHCP → JOIN → IDLE       start(NULL)   … ECHO → SCAN → FAILED
 *   open    RESOLVE (a name) → CONNECT → CONNECTING → IDLE                   close         CLOSE → IDLE
 *   send    PART → DATA → PART → DATA → … → IDLE
 *
 * The module answers a command that comes while another one runs with an error, so a step is never left before its end: if the
 * peer goes or `close` is called meanwhile, `closing` is set, and CLOSE follows when the step has ended. After its prompt the module
 * takes exactly n bytes for data, whatever happens; those that are not sent by then are NULs, for the source may be gone.
 *
 * What is sent is rendered by its text_source into `chunk`, once in a poll, and goes from there byte by byte, while what comes in
 * is parsed at once: so nothing is received while a source writes, and the stack carries either the one or the other.
 *
 * What always holds: every step but IDLE has a deadline, and a poll makes at most EXCHANGES_MAX exchanges and one more. Data goes to
 * modem_received only while `connected`.
 */
#include "modem.h"

#include "at.h"
#include "clock.h"
#include "flash.h"
#include "spi.h"
#include "wire.h"

#define EXCHANGES_MAX 128
#define CHUNK_MAX     20
#define PART_MAX      256
#define ADDRESS_MAX   15
#define RESET_MS      500
#define SENDING_MS    3000 /* for all of a command, which the module may hold up by XOFF */

enum step {
	STEP_IDLE,
	STEP_RESET, /* held by its pin */
	STEP_BOOT,
	STEP_ECHO,
	STEP_SSID,
	STEP_SECURITY,
	STEP_DHCP,
	STEP_JOIN,
	STEP_SCAN,
	STEP_RESOLVE,
	STEP_CONNECT,
	STEP_CONNECTING, /* the module tries, and says so when it knows */
	STEP_PART,
	STEP_DATA,
	STEP_CLOSE
};

struct command {
	char text[15];   /* what follows it, if anything: write_command */
	uint8_t seconds; /* to wait for the answer after the last byte was sent */
};

/* The lines below BOOT stand in the order in which a join takes them. */
static const struct command commands[] FLASH = {
	[STEP_BOOT] = {"", 5},
	[STEP_ECHO] = {"AT+MECHO=0", 5},
	[STEP_SSID] = {"AT+WSET=0,", 5},
	[STEP_SECURITY] = {"AT+WSEC=0,", 5},
	[STEP_DHCP] = {"AT+WNET=1", 5},
	[STEP_JOIN] = {"AT+WJOIN", 25},
	[STEP_SCAN] = {"AT+WSCAN", 15},
	[STEP_RESOLVE] = {"AT+FDNS=", 7},
	[STEP_CONNECT] = {"AT+SCON=O,TCN,", 5},
	[STEP_CONNECTING] = {"", 10},
	[STEP_PART] = {"AT+SSEND=0,,,", 5},
	[STEP_DATA] = {"", 5},
	[STEP_CLOSE] = {"AT+SMGMT=ALL", 3},
};

static struct {
	struct at_in in;
	struct wire wire;

	union {
		struct modem_network network; /* JOINING; ssid NULL: only scan */
		const char *host;             /* OPENING */
		struct text_source source;    /* SENDING */
	} what;
	uint16_t port;
	uint16_t from, part, length; /* of the source: where the current part begins, its length, and that of all */

	uint16_t now;      /* as handed in last */
	uint16_t deadline; /* of the step: at most 25 s ahead */
	uint8_t step;      /* enum step */
	uint8_t state;     /* enum modem_state */
	uint8_t trouble;   /* enum modem_trouble */

	bool waiting : 1;   /* the step's bytes are sent, or it has none */
	bool rendered : 1;  /* the chunk holds the last of them */
	bool sync : 1;      /* is to be answered */
	bool linked : 1;    /* to the access point */
	bool connected : 1; /* to the peer, and the connection is wanted */
	bool closing : 1;   /* CLOSE follows when the step has ended */

	char address[ADDRESS_MAX + 1]; /* that was given to us, then the peer's; empty: none yet */
	uint16_t written;              /* bytes of the step that were rendered */
	uint8_t chunk_at, chunk_length;
	uint8_t chunk[CHUNK_MAX];
} modem;

/* ---- from one step to the next ---- */

static void begin(enum step step)
{
	modem.step = (uint8_t)step;
	modem.rendered = false;
	modem.written = 0;
	modem.chunk_at = modem.chunk_length = 0;
	modem.waiting = false;
	modem.deadline = (uint16_t)(modem.now + SENDING_MS);
}

/* All of the step is sent. */
static void await(void)
{
	modem.waiting = true;
	modem.deadline = (uint16_t)(modem.now + pgm_read_byte(&commands[modem.step].seconds) * 1000u);
}

static void begin_waiting(enum step step)
{
	begin(step);
	await();
}

static void rest(enum modem_state state, enum modem_trouble trouble)
{
	modem.step = STEP_IDLE;
	modem.state = (uint8_t)state;
	modem.trouble = (uint8_t)trouble;
	modem.connected = state == MODEM_OPEN;
	modem.closing = false;
}

static void fail(enum modem_trouble trouble)
{
	rest(MODEM_FAILED, trouble);
}

/* Ends the connection as soon as the module can hear of it. */
static void hang_up(enum modem_trouble trouble)
{
	modem.trouble = (uint8_t)trouble;
	modem.connected = false;
	modem.closing = true;
	if (modem.step == STEP_IDLE || modem.step == STEP_CONNECTING)
		begin(STEP_CLOSE);
}

/* The address that was told is one that can be used. */
static bool has_address(void)
{
	return modem.address[0] != '\0' && strcmp_P(modem.address, FLASH_TEXT("0.0.0.0")) != 0;
}

static void begin_part(void)
{
	const uint16_t left = (uint16_t)(modem.length - modem.from);

	modem.part = left < PART_MAX ? left : PART_MAX;
	if (left == 0)
		rest(MODEM_OPEN, MODEM_FINE);
	else
		begin(STEP_PART);
}

/* ---- what the module says ---- */

static void handle_ok(void)
{
	if (!modem.waiting || modem.step == STEP_PART)
		return;
	if (modem.closing && modem.step != STEP_CLOSE) {
		begin(STEP_CLOSE);
		return;
	}
	switch (modem.step) {
	case STEP_ECHO:
	case STEP_SSID:
	case STEP_SECURITY:
	case STEP_DHCP:
		begin(modem.what.network.ssid != NULL ? (enum step)(modem.step + 1) : STEP_SCAN);
		break;
	case STEP_JOIN:
		if (has_address())
			rest(MODEM_JOINED, MODEM_FINE);
		else
			fail(MODEM_NO_ADDRESS);
		break;
	case STEP_SCAN:
		fail(MODEM_FINE);
		break;
	case STEP_RESOLVE:
		if (has_address())
			begin(STEP_CONNECT);
		else
			rest(MODEM_JOINED, MODEM_NO_NAME);
		break;
	case STEP_CONNECT:
		if (modem.connected)
			rest(MODEM_OPEN, MODEM_FINE);
		else
			begin_waiting(STEP_CONNECTING);
		break;
	case STEP_DATA:
		modem.from = (uint16_t)(modem.from + modem.part);
		begin_part();
		break;
	case STEP_CLOSE:
		rest(MODEM_JOINED, (enum modem_trouble)modem.trouble);
		break;
	default:
		break;
	}
}

static void handle_error(void)
{
	/* Data may be given up by the module before it has all of it. */
	if (!modem.waiting && modem.step != STEP_DATA)
		return;
	switch (modem.step) {
	case STEP_IDLE:
	case STEP_BOOT:
	case STEP_CONNECTING:
		break;
	case STEP_JOIN:
		fail(modem.linked ? MODEM_NO_ADDRESS : MODEM_NO_NETWORK);
		break;
	case STEP_RESOLVE:
		rest(MODEM_JOINED, modem.closing ? MODEM_FINE : MODEM_NO_NAME);
		break;
	case STEP_CONNECT:
	case STEP_PART:
	case STEP_DATA:
		if (!modem.closing)
			hang_up(MODEM_REFUSED);
		begin(STEP_CLOSE);
		break;
	case STEP_CLOSE: /* it knows of no connection: as well */
		rest(MODEM_JOINED, (enum modem_trouble)modem.trouble);
		break;
	default:
		fail(MODEM_REFUSED);
	}
}

static void handle_prompt(void)
{
	if (modem.step != STEP_PART || !modem.waiting)
		return;
	if (modem.in.number == modem.part)
		begin(STEP_DATA);
	else
		fail(MODEM_REFUSED);
}

static void handle_connected(void)
{
	if (modem.step == STEP_CONNECTING)
		rest(MODEM_OPEN, MODEM_FINE);
	else if (modem.step == STEP_CONNECT && !modem.closing)
		modem.connected = true;
}

static void handle_disconnected(void)
{
	switch (modem.step) {
	case STEP_IDLE:
	case STEP_CONNECTING:
		if (modem.state != MODEM_JOINED)
			rest(MODEM_JOINED, MODEM_NO_PEER);
		break;
	case STEP_CONNECT:
		/* Perhaps all that is said of an attempt that failed. */
		hang_up(modem.closing ? MODEM_FINE : MODEM_NO_PEER);
		begin(STEP_CLOSE);
		break;
	case STEP_PART:
	case STEP_DATA:
		if (!modem.closing)
			hang_up(MODEM_NO_PEER);
		break;
	default:
		break;
	}
}

static void handle_reset(void)
{
	/* Its banner, and not "[Reset Event]", says that it listens. Until it has heard a command, neither is news. */
	if (modem.step == STEP_BOOT && modem.in.line[0] == 'W')
		begin(STEP_ECHO);
	else if (modem.step != STEP_BOOT && modem.step != STEP_ECHO)
		fail(MODEM_RESTARTED);
}

static void handle_line(void)
{
	const char *address;

	if (modem.step == STEP_SCAN && modem.waiting)
		modem_heard(modem.in.line);
	/* Of a join the first one behind Link-Up is ours, the next the gateway's; the lines before tell the network's name. */
	if (modem.address[0] != '\0' || !(modem.step == STEP_RESOLVE || (modem.step == STEP_JOIN && modem.linked)))
		return;
	address = at_line_address(&modem.in);
	if (address != NULL)
		strncpy(modem.address, address, ADDRESS_MAX);
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
		handle_prompt();
		break;
	case AT_CONNECTED:
		if (modem.in.number == 0)
			handle_connected();
		break;
	case AT_DISCONNECTED:
		if (modem.in.number == 0)
			handle_disconnected();
		break;
	case AT_LINK_UP:
		modem.linked = true;
		break;
	case AT_LINK_DOWN:
		if (modem.linked)
			fail(MODEM_LEFT);
		break;
	case AT_RESET:
		handle_reset();
		break;
	case AT_DATA:
		if (modem.in.number == 0 && modem.connected)
			modem_received(byte);
		break;
	case AT_LINE:
		handle_line();
		break;
	case AT_NOTHING:
		break;
	}
}

/* ---- what the module is told ---- */

static void write_command(struct sink *sink, const void *context)
{
	(void)context;
	text_flash(sink, commands[modem.step].text);
	switch (modem.step) {
	case STEP_SSID:
		text_string(sink, modem.what.network.ssid);
		break;
	case STEP_SECURITY:
		/* Without a kind of security the module finds it out; for that it wants a key. */
		if (modem.what.network.key[0] == '\0') {
			text_flash(sink, FLASH_TEXT("OPEN"));
			break;
		}
		text_put(sink, ',');
		text_string(sink, modem.what.network.key);
		break;
	case STEP_RESOLVE:
		text_string(sink, modem.what.host);
		text_flash(sink, FLASH_TEXT(",5000"));
		break;
	case STEP_CONNECT:
		text_string(sink, modem.address);
		text_put(sink, ',');
		text_unsigned(sink, modem.port);
		text_flash(sink, FLASH_TEXT(",,0"));
		break;
	case STEP_PART:
		text_unsigned(sink, modem.part);
		break;
	default:
		break;
	}
	text_put(sink, '\r');
}

static void chunk_put(struct sink *sink, uint8_t byte)
{
	(void)sink;
	if (modem.chunk_length < CHUNK_MAX)
		modem.chunk[modem.chunk_length++] = byte;
}

/* Renders what comes next of the step. */
static void render(void)
{
	struct sink chunk = {chunk_put};
	struct text_source source = {write_command, NULL};
	struct text_window window;
	uint16_t from = modem.written;
	uint16_t count = CHUNK_MAX;

	modem.chunk_at = modem.chunk_length = 0;
	if (modem.step == STEP_DATA) {
		const uint16_t left = (uint16_t)(modem.part - modem.written);
		source = modem.what.source;
		from = (uint16_t)(from + modem.from);
		count = left < CHUNK_MAX ? left : CHUNK_MAX;
	}
	window = text_window(&chunk, from, count);
	if (modem.step == STEP_DATA && modem.closing)
		while (modem.chunk_length < count)
			chunk_put(&chunk, 0);
	else
		source.write(&window.sink, source.context);
	modem.written = (uint16_t)(modem.written + modem.chunk_length);
	modem.rendered = modem.written == (modem.step == STEP_DATA ? modem.part : window.seen);
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
	uint8_t exchanges = 0;
	/* A module that holds us up is asked at least once, lest its XON be missed. */
	bool ask = modem.wire.paused;

	if (!modem.waiting && !modem.rendered && modem.chunk_at == modem.chunk_length && modem.step != STEP_IDLE)
		render();
	while (exchanges < EXCHANGES_MAX && modem.state != MODEM_FAILED) {
		uint8_t raw[2] = {WIRE_NULL, WIRE_NULL};
		uint8_t count = 1;

		if (modem.sync) {
			raw[0] = WIRE_ESCAPE;
			raw[1] = WIRE_SYNC;
			count = 2;
			modem.sync = false;
		} else if (modem.chunk_at < modem.chunk_length && !modem.wire.paused) {
			count = wire_escape(modem.chunk[modem.chunk_at++], raw);
			/* Its answer may begin with the very exchange that ends it. */
			if (modem.rendered && modem.chunk_at == modem.chunk_length)
				await();
		} else if (!spi_data_ready() && !ask)
			break;
		ask = false;
		for (uint8_t i = 0; i < count; i++)
			exchange(raw[i]);
		exchanges = (uint8_t)(exchanges + count);
	}
}

/* The step has lasted too long. */
static void expire(void)
{
	if (modem.step == STEP_CONNECTING)
		hang_up(MODEM_NO_PEER);
	else if (modem.step == STEP_JOIN && modem.linked)
		fail(MODEM_NO_ADDRESS);
	else
		fail(MODEM_SILENT);
}

/* ---- what is asked of it ---- */

/* Can a command hold it as its last argument? */
static bool is_argument(const char *text)
{
	for (; *text != '\0'; text++)
		if ((uint8_t)*text < ' ' || *text == '\x7F')
			return false;
	return true;
}

/*
 * Can a command hold it as any of its arguments? Commas part these, and a quotation mark at the beginning quotes one; there is no
 * escape from either that every version of the module's firmware knows (WizFi250_SDK: WXParse_NextParamGet; some take all
 * behind "AT+WSET=0," for the name). A key is an argument behind which there is none, so that it may have both.
 */
static bool is_plain(const char *text)
{
	const char *first = text;

	while (*first == ' ')
		first++;
	return *first != '\0' && *first != '"' && strchr(text, ',') == NULL && is_argument(text);
}

void modem_start(const struct modem_network *network)
{

	memset(&modem, 0, sizeof modem);
	at_in_reset(&modem.in);
	if (network != NULL)
		modem.what.network = *network;
	modem.state = MODEM_JOINING;
	if (network != NULL && (!is_plain(network->ssid) || !is_argument(network->key))) {
		fail(MODEM_REFUSED);
		return;
	}
	modem.step = STEP_RESET;
	spi_module_reset(true);
}

enum modem_state modem_poll(uint16_t now)
{
	modem.now = now;
	if (modem.step == STEP_RESET) {
		if (!modem.waiting) {
			modem.waiting = true;
			modem.deadline = (uint16_t)(now + RESET_MS);
		}
		if (clock_reached_short(modem.now, modem.deadline)) {
			spi_module_reset(false);
			begin_waiting(STEP_BOOT);
		}
		return (enum modem_state)modem.state;
	}
	talk();
	if (modem.step != STEP_IDLE && clock_reached_short(modem.now, modem.deadline))
		expire();
	return (enum modem_state)modem.state;
}

void modem_open(const char *host, uint16_t port)
{

	const char *at = host;

	if (modem.state != MODEM_JOINED)
		return;
	if (!is_plain(host)) {
		rest(MODEM_JOINED, MODEM_REFUSED);
		return;
	}
	modem.state = MODEM_OPENING;
	modem.trouble = MODEM_FINE;
	modem.what.host = host;
	modem.port = port;
	memset(modem.address, 0, sizeof modem.address);
	while (*at == '.' || (*at >= '0' && *at <= '9'))
		at++;
	if (*at != '\0' || at - host > ADDRESS_MAX) {
		begin(STEP_RESOLVE);
		return;
	}
	strncpy(modem.address, host, ADDRESS_MAX);
	begin(STEP_CONNECT);
}

void modem_send(const struct text_source *source)
{

	if (modem.state != MODEM_OPEN)
		return;
	modem.state = MODEM_SENDING;
	modem.what.source = *source;
	modem.length = text_length(source);
	modem.from = 0;
	begin_part();
}

void modem_close(void)
{
	if (modem.state != MODEM_OPENING && modem.state != MODEM_OPEN && modem.state != MODEM_SENDING)
		return;
	modem.state = MODEM_OPENING;
	hang_up(MODEM_FINE);
}

enum modem_trouble modem_trouble(void)
{
	return (enum modem_trouble)modem.trouble;
}

