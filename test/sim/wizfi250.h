/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wizfi250: a model of the WizFi250 WiFi module in command mode (module firmware 1.0.5.2): what it answers to AT commands, what
 * it tells by itself, and its one TCP connection, which is real (socket.h). Bytes only: the wire is wizfi250_spi.h.
 *
 *   AT   AT+MECHO=0|1                                [OK]
 *   AT+WSET=0,SSID   AT+WSEC=0,[MODE],KEY   AT+WNET=1 | 0,IP,MASK,GATEWAY        [OK]
 *   AT+WJOIN        after 300 ms  [Link-Up Event], IP Addr and Gateway lines, [OK]; after 3 s  [ERROR]: no such access point
 *                   or another key; Link-Up, then [ERROR] after 4 s: no DHCP
 *   AT+WLEAVE       [OK]           AT+WSCAN   a heading, a line each network, [OK]       AT+MRESET   [OK], then it starts again
 *   AT+FDNS=NAME,MS the address, [OK]; after MS  [ERROR]
 *   AT+SCON=O,TCN,IP,PORT,[LOCAL],0      [OK], later  [CONNECT 0]  or  [DISCONNECT 0]
 *   AT+SSEND=0,,,N[,MS]                  [0,,,N], then it takes exactly N bytes (1 … 2048), [OK]
 *   AT+SMGMT=ALL|0  [OK]
 *   received        {0,IP,PORT,N}data\r\n, 1460 bytes at most, at any moment between two other lines
 *
 * A command ends with CR; LF is nothing; it is answered after 2 ms unless said otherwise. A line of more than 256 bytes, an
 * unknown command or a wrong argument: [ERROR: INVALID INPUT]. Not joined, or joined when it must not be:
 * [ERROR: WiFi Status]. A socket that is not open, or open already: [ERROR: INVALID SCID]. What needs the access point's or
 * the data mode: [ERROR: Mode Status]. A command while another one runs: [ERROR]. Each byte of a command is echoed until
 * AT+MECHO=0. A connection that ends while it takes the bytes of AT+SSEND does not end the taking: it still takes all N, and
 * then answers [ERROR: INVALID SCID].
 *
 * It starts when it gets power, when its reset pin is let go after at least 10 ms, and by itself ([Reset Event]); its banner
 * comes a second later. Until then it takes and says nothing. While more than 2 KB wait for the wire it takes nothing from
 * the connection.
 *
 * All times are simulated microseconds.
 */
#ifndef SIM_WIZFI250_H
#define SIM_WIZFI250_H

#include "socket.h"

enum wizfi250_dhcp { WIZFI250_DHCP_ON, WIZFI250_DHCP_OFF, WIZFI250_DHCP_ZERO /* gives 0.0.0.0 */ };

struct wizfi250;

/* The access point's name and key; NULL: any. Without power. NULL: no memory. */
struct wizfi250 *wizfi250_new(const char *ssid, const char *key);
void wizfi250_free(struct wizfi250 *module);
/* Tells what is said both ways as events: secrets are among it. */
void wizfi250_trace(struct wizfi250 *module, bool on);

void wizfi250_power(struct wizfi250 *module, bool on, uint64_t now);
/* Its reset pin: low holds it. */
void wizfi250_pin(struct wizfi250 *module, bool low, uint64_t now);
/* Lets time pass. To be called at least once a millisecond. */
void wizfi250_poll(struct wizfi250 *module, uint64_t now);

/* Does it drive its wires (has power, is not held in reset, has started)? */
bool wizfi250_awake(const struct wizfi250 *module);
bool wizfi250_frozen(const struct wizfi250 *module);
/* Can it take a byte now? */
bool wizfi250_wants(const struct wizfi250 *module, uint64_t now);
/* A byte from the host. */
void wizfi250_take(struct wizfi250 *module, uint8_t byte, uint64_t now);
/* The next byte to the host; false: none. */
bool wizfi250_give(struct wizfi250 *module, uint8_t *byte);
/* Bytes that wait for the host. */
size_t wizfi250_waiting(const struct wizfi250 *module);

/* What the script does to it. */
void wizfi250_access_point(struct wizfi250 *module, bool on, uint64_t now);
void wizfi250_dhcp(struct wizfi250 *module, enum wizfi250_dhcp dhcp);
/* False: too many names, or one is too long. */
bool wizfi250_name(struct wizfi250 *module, const char *name, const char *ip);
void wizfi250_drop(struct wizfi250 *module, uint64_t now);
/* Random bytes as if received; false: not connected. */
bool wizfi250_garbage(struct wizfi250 *module, unsigned count);
void wizfi250_restart(struct wizfi250 *module, uint64_t now);
void wizfi250_freeze(struct wizfi250 *module, uint64_t now);
/* It takes no bytes for a while. */
void wizfi250_pause(struct wizfi250 *module, uint64_t until);

struct socket *wizfi250_socket(struct wizfi250 *module);

#endif
