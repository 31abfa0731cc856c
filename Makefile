# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# make run      install what is needed, build, and start a broker with Hearth and a demo house
# make test     unit tests and tests against a real Mosquitto; the last line counts them
# make help     all the rest

VERSION  := 0.1.0
BUILD    ?= release
PREFIX   ?= /usr/local
ifeq ($(origin CC),default)
CC       := gcc
endif
MOSQUITTO ?= $(firstword $(wildcard /usr/sbin/mosquitto /usr/local/sbin/mosquitto) mosquitto)

Q := $(if $(V),,@)

ifeq ($(BUILD),release)
B        := build
MODE     := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
# The modules of a message's path are small functions in many files; linked as one, they are inlined into each other. The
# objects also hold plain code, so that tests link quickly.
LTO      := $(if $(findstring clang,$(CC)),,-flto=auto)
LTO_FAT  := $(if $(LTO),$(LTO) -ffat-lto-objects)
else ifeq ($(BUILD),asan)
B        := build/asan
MODE     := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
else ifeq ($(BUILD),tsan)
B        := build/tsan
MODE     := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
else
$(error BUILD=$(BUILD): wanted release, asan or tsan)
endif

WARNINGS := -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CFLAGS   ?=
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DHEARTH_VERSION='"$(VERSION)"' \
             -DHEARTH_SHARE='"$(PREFIX)/share/hearth"' $(MODE) $(WARNINGS) -fPIC -fvisibility=hidden \
             -MMD -MP $(CFLAGS)
LIBS     := -lcjson -lsqlite3 -lmariadb -lcrypto -lm -lpthread
HARDEN   := -Wl,-z,relro,-z,now

MODULES  := $(patsubst plugin/%.c,%,$(wildcard plugin/*.c))
OBJECTS  := $(MODULES:%=$(B)/plugin/%.o) $(B)/gen/schema_sqlite.o $(B)/gen/schema_mariadb.o
# What can run without a broker: everything but the files that call Mosquitto.
PURE     := $(filter-out $(B)/plugin/plugin.o $(B)/plugin/plugin_access.o $(B)/plugin/broker.o,$(OBJECTS))
CTRL     := $(patsubst plugin/ctrl/%.c,$(B)/plugin/ctrl/%.o,$(wildcard plugin/ctrl/*.c))
UNIT     := $(patsubst test/unit/%.c,$(B)/test/unit/%,$(wildcard test/unit/*_test.c))
UNIT_AID := $(patsubst test/unit/%.c,$(B)/test/unit/%.o,$(filter-out %_test.c,$(wildcard test/unit/*.c)))
BROKER   := $(patsubst test/broker/%.c,$(B)/test/broker/%,$(wildcard test/broker/*_test.c))
SUPPORT  := $(patsubst test/support/%.c,$(B)/test/support/%.o,$(wildcard test/support/*.c))
FAULT    := $(B)/test/fault
BENCH    := $(patsubst test/bench/%.c,$(B)/test/bench/%.o,$(filter-out test/bench/empty_plugin.c,$(wildcard test/bench/*.c)))

# Sanitized code in Debian's own broker: its runtime has to be there first.
ifeq ($(BUILD),asan)
PRELOAD  := $(shell $(CC) -print-file-name=libasan.so):$(shell $(CC) -print-file-name=libubsan.so)
else ifeq ($(BUILD),tsan)
PRELOAD  := $(shell $(CC) -print-file-name=libtsan.so)
endif

DEPS_RUN  := gcc libc6-dev mosquitto mosquitto-clients mosquitto-dev libmosquitto-dev libcjson-dev libsqlite3-dev \
             libmariadb-dev libssl-dev uthash-dev sqlite3 iproute2 gcc-avr avr-libc binutils-avr libsimavr-dev
DEPS_TEST := mariadb-server mariadb-client openssl libcmocka-dev python3-jsonschema clang clang-format clang-tidy cppcheck

.PHONY: all run test test-long test-unit test-broker test-device firmware flash provision fire bench bench-store bench-query bench-acl check check-format check-includes check-tidy check-cppcheck check-clang check-firmware \
        install clean deps-run deps-test help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/mosquitto_hearth.so $(B)/mosquitto_ctrl_hearth.so

$(B)/mosquitto_hearth.so: $(OBJECTS)
	@echo "  LINK  $@"
	$(Q)$(CC) $(MODE) $(LTO) -shared $(HARDEN) -o $@ $^ $(LIBS)

# mosquitto_ctrl hearth: what works offline takes from the plugin's modules what it needs.
$(B)/mosquitto_ctrl_hearth.so: $(CTRL) $(B)/libhearth.a
	@echo "  LINK  $@"
	$(Q)$(CC) $(MODE) $(LTO) -shared -Wl,-z,defs $(HARDEN) -o $@ $^ -lmosquitto $(LIBS)

$(B)/libhearth.a: $(PURE)
	$(Q)rm -f $@ && gcc-ar rcs $@ $^

# Compiled again if the Makefile, which holds the version and the flags, is another.
$(B)/plugin/%.o: plugin/%.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(LTO_FAT) -Iplugin -c -o $@ $<

# The SQL migrations travel inside the plugin; see plugin/migration.h.
$(B)/gen/schema_sqlite.c: $(sort $(wildcard schema/sqlite/*/*.sql)) plugin/embed.sh
	@mkdir -p $(@D)
	sh plugin/embed.sh $(filter %.sql,$^) > $@

$(B)/gen/schema_mariadb.c: $(sort $(wildcard schema/mariadb/*.sql)) plugin/embed.sh
	@mkdir -p $(@D)
	sh plugin/embed.sh $(filter %.sql,$^) > $@

$(B)/gen/%.o: $(B)/gen/%.c Makefile
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -Iplugin -c -o $@ $<

# ---- run ----

# DEMO: options of the rooms with the simulated boards, such as DEMO="--hour 6 --day 120".
run: deps-run
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory $(B)/test/demo/rooms/rooms $(RIG) $(AVR)/hearth.elf || true
	@HEARTH_PRELOAD=$(PRELOAD) $(FIRMWARE_ENV) sh test/demo/run.sh $(B)/mosquitto_hearth.so $(DEMO)

deps-run:
	@sh test/deps.sh $(DEPS_RUN)

deps-test:
	@sh test/deps.sh $(DEPS_RUN) $(DEPS_TEST)

# How tests are linked: the linker would optimize what it finds anew for each program if it was not told otherwise.
PLAIN_LINK := $(CC) -fno-lto

# What is compiled for the board, its tests on the host, and the simulation that runs it.
include firmware/firmware.mk

# The demo's rooms, which the simulated boards are in.
ROOMS         := $(B)/test/demo/rooms/rooms
ROOMS_OBJECTS := $(patsubst test/demo/rooms/%.c,$(B)/test/demo/rooms/%.o,$(wildcard test/demo/rooms/*.c))

# ---- test ----

BENCH_ENV    = HEARTH_PLUGIN=$(abspath $(B))/mosquitto_hearth.so MOSQUITTO=$(MOSQUITTO)
BENCH_PARTS := $(B)/test/bench/bench $(B)/test/bench/empty_plugin.so $(B)/mosquitto_hearth.so

TEST_ENV  = HEARTH_PLUGIN=$(abspath $(B))/mosquitto_hearth.so MOSQUITTO=$(MOSQUITTO) HEARTH_PRELOAD=$(PRELOAD) \
            HEARTH_FAULT_PLUGIN=$(abspath $(FAULT))/mosquitto_hearth_fault.so TEST_FOLDER=$(abspath test) \
            $(FIRMWARE_ENV) \
            $(if $(filter tsan,$(BUILD)),TSAN_OPTIONS=suppressions=$(abspath test/tsan.supp))

PROGRAMS_UNIT   = $(UNIT) $(FAULT)/nth_call_test $(FIRMWARE_UNIT) $(RIG_MODEL) $(B)/test/demo/rooms_test
PROGRAMS_BROKER = $(BROKER)
PROGRAMS_DEVICE = $(DEVICE_TESTS) $(B)/test/demo/boards_test
PLUGINS         = $(B)/mosquitto_hearth.so $(B)/mosquitto_ctrl_hearth.so $(FAULT)/mosquitto_hearth_fault.so $(FIRMWARE_PARTS) $(ROOMS)
PYTHON_TESTS    = $(wildcard test/unit/*_test.py)

test: $(PROGRAMS_UNIT) $(PROGRAMS_BROKER) $(PROGRAMS_DEVICE) $(PLUGINS)
	@$(TEST_ENV) sh test/run.sh $(PROGRAMS_UNIT) $(PYTHON_TESTS) $(PROGRAMS_BROKER) $(PROGRAMS_DEVICE)

# Hundreds of kills, crash images, failing calls, and minutes of outage in place of a few.
test-long: $(PROGRAMS_UNIT) $(PROGRAMS_BROKER) $(PROGRAMS_DEVICE) $(PLUGINS) $(BENCH_PARTS)
	@$(TEST_ENV) TEST_LONG=1 TEST_TIMEOUT=3600 sh test/run.sh $(PROGRAMS_UNIT) $(PYTHON_TESTS) $(PROGRAMS_BROKER) $(PROGRAMS_DEVICE)
	@$(BENCH_ENV) $(B)/test/bench/bench blocked --seconds 60 --rate 5000 --assert
	@$(BENCH_ENV) $(B)/test/bench/bench blocked --store mariadb --seconds 60 --rate 5000 --assert

test-unit: $(PROGRAMS_UNIT) $(PROVISION)
	@$(TEST_ENV) sh test/run.sh $(PROGRAMS_UNIT) $(PYTHON_TESTS)

test-broker: $(PROGRAMS_BROKER) $(PLUGINS)
	@$(TEST_ENV) sh test/run.sh $(PROGRAMS_BROKER)

# Boards in simulation, with the real image.
test-device: $(PROGRAMS_DEVICE) $(PLUGINS)
	@$(TEST_ENV) sh test/run.sh $(PROGRAMS_DEVICE)

$(B)/test/%.o: test/%.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -Iplugin -Itest/support -Itest/bench -c -o $@ $<


SERVER   := $(addprefix $(B)/test/support/,mariadb_server.o mariadb_server_sql.o patience.o)

CTRL_UNIT := $(filter $(B)/test/unit/ctrl_%,$(UNIT))

$(filter-out $(CTRL_UNIT),$(UNIT)): $(B)/test/unit/%: $(B)/test/unit/%.o $(UNIT_AID) $(SERVER) $(PURE)
	@echo "  LINK  $@"
	$(Q)$(PLAIN_LINK) $(MODE) -o $@ $^ -lcmocka $(LIBS)

$(CTRL_UNIT): $(B)/test/unit/%: $(B)/test/unit/%.o $(CTRL) $(PURE)
	@echo "  LINK  $@"
	$(Q)$(PLAIN_LINK) $(MODE) -o $@ $^ -lmosquitto -lcmocka $(LIBS)

$(BROKER): $(B)/test/broker/%: $(B)/test/broker/%.o $(SUPPORT)
	@echo "  LINK  $@"
	$(Q)$(PLAIN_LINK) $(MODE) -o $@ $^ -lmosquitto -lcmocka $(LIBS)

$(ROOMS): $(ROOMS_OBJECTS)
	@echo "  LINK  $@"
	$(Q)$(PLAIN_LINK) $(MODE) -o $@ $^ -lmosquitto -lm

$(B)/test/demo/rooms_test: $(B)/test/demo/rooms_test.o $(filter-out %/rooms.o,$(ROOMS_OBJECTS))
	@echo "  LINK  $@"
	$(Q)$(PLAIN_LINK) $(MODE) -o $@ $^ -lmosquitto -lcmocka -lm

$(B)/test/demo/boards_test: $(B)/test/demo/boards_test.o $(B)/test/demo/demo.o $(SUPPORT)
	@echo "  LINK  $@"
	$(Q)$(PLAIN_LINK) $(MODE) -o $@ $^ -lmosquitto -lcmocka $(LIBS)

$(B)/test/broker/demo_test: $(B)/test/demo/demo.o

# It speaks MQTT by the benchmark's own packets, for it signs in a thousand clients at once.
$(B)/test/broker/sign_in_storm_test: $(addprefix $(B)/test/bench/,sign_in_attempts.o sign_in_pair.o packet.o fault.o clock.o latency.o)

# ---- calls that fail: test/fault/fault.h ----

# Plain objects, and never the link-time optimizer, which would inline what the linker is to put something in place of.
FAULT_LINK := $(PLAIN_LINK)
FAULT_SEAM := $(addprefix $(FAULT)/,fault.o seam_system.o seam_sqlite.o seam_vfs.o)

$(FAULT)/house_under.o: $(PURE) test/fault/wrapped.txt test/fault/wrapped_inside.txt
	@mkdir -p $(@D)
	$(Q)$(FAULT_LINK) -r -nostdlib -Wl,@test/fault/wrapped.txt -Wl,@test/fault/wrapped_inside.txt -o $@ $(PURE)

$(FAULT)/plugin_under.o: $(OBJECTS) test/fault/wrapped.txt test/fault/wrapped_broker.txt
	@mkdir -p $(@D)
	$(Q)$(FAULT_LINK) -r -nostdlib -Wl,@test/fault/wrapped.txt -Wl,@test/fault/wrapped_broker.txt -o $@ $(OBJECTS)

$(FAULT)/nth_call_test: $(addprefix $(FAULT)/,nth_call_test.o scenario.o scenario_check.o scenario_house.o house_under.o) \
		$(FAULT_SEAM) $(B)/test/unit/fake_broker.o
	@echo "  LINK  $@"
	$(Q)$(FAULT_LINK) $(MODE) -o $@ $^ -lcmocka $(LIBS)

$(FAULT)/mosquitto_hearth_fault.so: $(addprefix $(FAULT)/,plugin_fault.o seam_broker.o plugin_under.o) $(FAULT_SEAM)
	@echo "  LINK  $@"
	$(Q)$(FAULT_LINK) $(MODE) -shared $(HARDEN) -o $@ $^ $(LIBS)

# ---- the device ----

# The image, and what it takes of the chip: flash, static RAM, and the deepest stack of a session in simulation.
firmware: $(AVR)/hearth.hex $(FIRMWARE_PARTS) $(B)/test/device/size_test $(PLUGINS)
	@$(TEST_ENV) $(B)/test/device/size_test

flash: $(AVR)/hearth.hex
	@[ -n "$(PORT)" ] || { echo "usage: make flash PORT=/dev/ttyUSB0"; exit 2; }
	@command -v avrdude >/dev/null || { echo "flash: please install avrdude"; exit 1; }
	avrdude -p m328p -c arduino -b 115200 -P "$(PORT)" -U flash:w:$<:i

# CTRL: how mosquitto_ctrl reaches the broker as one who may add devices: "-h 192.168.1.10 -u admin". A device that is there gets a new secret.
provision: $(PROVISION) $(B)/mosquitto_ctrl_hearth.so
	@[ -n "$(PORT)" ] && [ -n "$(WIFI)" ] && [ -n "$(BROKER)" ] && [ -n "$(LOCATION)" ] && [ -n "$(DEVICE)" ] || { \
		echo "usage: make provision PORT=/dev/ttyUSB0 WIFI=network BROKER=192.168.1.10 LOCATION=livingroom DEVICE=uno1 [CTRL='-u admin']"; exit 2; }
	@sh firmware/provision/provision.sh $(abspath $(B)) $(PROVISION) "$(PORT)" "$(WIFI)" "$(BROKER)" "$(LOCATION)" "$(DEVICE)" $(CTRL)

fire:
	@sh test/demo/fire.sh $(B) $(ROOM)

# ---- bench ----

BENCH_ALL := "message" "journal" "store --backend sqlite" "blocked --seconds 6"

# They go on after one that failed, so that the others' figures are there, and make fails in the end.
bench: $(BENCH_PARTS)
ifdef BENCH_ARGS
	@$(BENCH_ENV) $(B)/test/bench/bench $(BENCH_ARGS)
else
	@status=0; for command in $(BENCH_ALL); do \
		$(BENCH_ENV) $(B)/test/bench/bench $$command || status=$$?; echo; \
	done; exit $$status
endif

# With MariaDB; started by the benchmark in a temporary folder.
bench-store bench-query: bench-%: $(BENCH_PARTS)
	@$(BENCH_ENV) $(B)/test/bench/bench $* $(BENCH_ARGS)

# What a check of rights costs, beside the dynamic security plugin; a thousand devices at once, a thousand wrong passwords a second.
bench-acl: $(BENCH_PARTS)
	@status=0; for command in acl sign-in; do \
		$(BENCH_ENV) $(B)/test/bench/bench $$command $(BENCH_ARGS) || status=$$?; echo; \
	done; exit $$status

# The plugin's own journal, writer and store are measured without a broker, hence PURE; linked as the plugin is.
$(B)/test/bench/bench: $(BENCH) $(SERVER) $(PURE)
	@echo "  LINK  $@"
	$(Q)$(CC) $(MODE) $(LTO) -o $@ $^ $(LIBS)

$(B)/test/bench/empty_plugin.so: $(B)/test/bench/empty_plugin.o
	$(Q)$(CC) $(MODE) -shared -o $@ $^

# ---- check ----

C_FILES   = $(filter-out test/firmware/% test/sim/%,$(wildcard plugin/*.c plugin/ctrl/*.c test/*/*.c test/demo/*/*.c))
CH_FILES  = $(wildcard plugin/*.[ch] plugin/ctrl/*.[ch] firmware/*.[ch] firmware/*/*.[ch] test/*/*.[ch] test/demo/*/*.[ch])

check: check-format check-includes check-clang check-tidy check-cppcheck check-firmware
	@echo "check: all fine"

check-format:
	@clang-format --dry-run -Werror $(CH_FILES)

check-includes:
	@sh test/check_includes.sh

# The other compiler has other warnings.
check-clang:
	@printf '%s\n' $(C_FILES) | xargs -P 2 -n 12 clang $(filter-out -MMD -MP,$(ALL_CFLAGS)) -Iplugin -Itest/support \
		-Itest/bench -fsyntax-only

check-tidy: build/compile_flags.txt
	@printf '%s\n' $(C_FILES) | xargs -P 2 -n 4 clang-tidy -p build --quiet 2>build/clang-tidy.log; status=$$?; \
		grep -Ev '^[0-9]+ warnings? (and [0-9]+ errors? )?generated\.$$' build/clang-tidy.log >&2; exit $$status

build/compile_flags.txt: Makefile
	@mkdir -p build
	@printf '%s\n' -std=c11 -D_GNU_SOURCE '-DHEARTH_VERSION="x"' '-DHEARTH_SHARE="x"' -I../plugin -I../test/support -I../test/bench > $@

check-cppcheck:
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j 2 --enable=warning,performance,portability \
		--suppress=missingIncludeSystem -DHEARTH_VERSION='"x"' -DHEARTH_SHARE='"x"' -Iplugin -Itest/support -Itest/bench $(C_FILES)

# ---- install ----

# mosquitto_ctrl finds its modules where the dynamic linker looks, and nowhere else.
LIBRARIES = $(PREFIX)/lib/$(shell $(CC) -print-multiarch 2>/dev/null || gcc -print-multiarch)

install: $(B)/mosquitto_hearth.so $(B)/mosquitto_ctrl_hearth.so
	install -d $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/share/hearth
	install -m 644 $(B)/mosquitto_hearth.so $(DESTDIR)$(PREFIX)/lib/mosquitto_hearth.so
	install -d $(DESTDIR)$(LIBRARIES) $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 644 $(B)/mosquitto_ctrl_hearth.so $(DESTDIR)$(LIBRARIES)/mosquitto_ctrl_hearth.so
	LD_LIBRARY_PATH=$(B) mosquitto_ctrl hearth completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mosquitto_ctrl
	[ -n "$(DESTDIR)" ] || ldconfig
	install -d $(DESTDIR)$(PREFIX)/share/hearth/mariadb/grants
	install -m 644 schema/mariadb/*.sql $(DESTDIR)$(PREFIX)/share/hearth/mariadb
	install -m 644 schema/mariadb/grants/*.sql $(DESTDIR)$(PREFIX)/share/hearth/mariadb/grants
	install -m 644 schema/config.schema.json $(DESTDIR)$(PREFIX)/share/hearth/config.schema.json

clean:
	rm -rf build

help:
	@echo "make run          start a broker with Hearth and a demo house (installs what is missing)"
	@echo "make all          build build/mosquitto_hearth.so"
	@echo "make fire         a fire in the demo house, while make run runs (ROOM=hall: there)"
	@echo "make firmware     the device's image, and what it takes of flash and RAM; firmware/README.md"
	@echo "make flash        PORT=… the image onto a board; make provision PORT=… WIFI=… BROKER=… LOCATION=… DEVICE=…: its settings"
	@echo "make test         unit tests, tests against a real Mosquitto and with boards in simulation (test-unit, test-broker, test-device: one part)"
	@echo "make test-long    the same with hundreds of kills, crash images and failing calls; about half an hour"
	@echo "make bench        CPU a message, journal, journal to SQLite, a locked database (BENCH_ARGS=\"store\": one of them)"
	@echo "make bench-store  journal to database beside its own bulk inserts, SQLite and MariaDB; bench-query: questions to 10 M readings"
	@echo "make bench-acl    rights and sign-in beside the dynamic security plugin and a password file"
	@echo "make check        format, include arrows, clang, clang-tidy, cppcheck"
	@echo "make install      into \$$(DESTDIR)\$$(PREFIX), by default /usr/local"
	@echo "make deps-run     install what building and running need; deps-test: also what tests and checks need"
	@echo "make clean        remove build/"
	@echo
	@echo "BUILD=asan|tsan   the same with sanitizers, in build/asan or build/tsan"
	@echo "MOSQUITTO=PATH    the broker to test against    V=1  show the commands"

-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d $(B)/*/*/*/*.d)
