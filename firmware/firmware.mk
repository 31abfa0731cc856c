# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# The device's image, the same sources on the host for tests, and the rig that runs the image. Included by the Makefile.

AVR_CC      ?= avr-gcc
# What makes this image smallest with avr-gcc 5.4, tried one by one.
AVR_SMALL   := -Os -flto -fshort-enums -ffunction-sections -fdata-sections -mcall-prologues -mrelax -mstrict-X \
               -fno-move-loop-invariants -fno-tree-loop-optimize -fno-jump-tables -fno-gcse -fno-partial-inlining -fno-tree-pre \
               -fno-expensive-optimizations -fno-inline-small-functions -fno-toplevel-reorder -fira-algorithm=priority
AVR_FLAGS   := -mmcu=atmega328p -DF_CPU=16000000UL -std=gnu11 -g $(AVR_SMALL) \
               -DHEARTH_VERSION='"$(VERSION)"' $(WARNINGS) -MMD -MP
AVR         := build/firmware
AVR_SOURCES := $(wildcard firmware/*.c)
AVR_OBJECTS := $(AVR_SOURCES:firmware/%.c=$(AVR)/%.o)

# What touches hardware; all else is tested on the host too.
FIRMWARE_HARDWARE := spi clock eeprom uart inputs outputs main
FIRMWARE_PURE     := $(filter-out $(FIRMWARE_HARDWARE),$(AVR_SOURCES:firmware/%.c=%))
FIRMWARE_HOST     := $(FIRMWARE_PURE:%=$(B)/firmware_host/%.o)
FIRMWARE_AID      := $(patsubst test/firmware/%.c,$(B)/test/firmware/%.o,$(filter-out %_test.c,$(wildcard test/firmware/*.c)))
FIRMWARE_UNIT     := $(patsubst test/firmware/%.c,$(B)/test/firmware/%,$(filter-out %/rig_model_test.c,$(wildcard test/firmware/*_test.c)))
PROVISION         := build/firmware/provision/provision
RIG               := build/test/sim/rig
RIG_OBJECTS       := $(patsubst test/sim/%.c,build/test/sim/%.o,$(wildcard test/sim/*.c))
RIG_MODEL         := $(B)/test/firmware/rig_model_test

$(AVR)/%.o: firmware/%.c Makefile firmware/firmware.mk
	@mkdir -p $(@D)
	@echo "  AVR   $<"
	$(Q)$(AVR_CC) $(AVR_FLAGS) -c -o $@ $<

$(AVR)/hearth.elf: $(AVR_OBJECTS)
	@echo "  LINK  $@"
	$(Q)$(AVR_CC) $(AVR_FLAGS) -Wl,--gc-sections -o $@ $^

$(AVR)/hearth.sym: $(AVR)/hearth.elf
	$(Q)avr-nm $< > $@

$(AVR)/hearth.hex: $(AVR)/hearth.elf
	$(Q)avr-objcopy -O ihex -R .eeprom $< $@

$(B)/firmware_host/%.o: firmware/%.c Makefile firmware/firmware.mk
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/libfirmware.a: $(FIRMWARE_HOST)
	$(Q)rm -f $@ && gcc-ar rcs $@ $^

$(B)/test/firmware/%.o: test/firmware/%.c Makefile firmware/firmware.mk
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -Ifirmware -Itest/sim -c -o $@ $<

$(FIRMWARE_UNIT): $(B)/test/firmware/%: $(B)/test/firmware/%.o $(FIRMWARE_AID) $(B)/libfirmware.a
	@echo "  LINK  $@"
	$(Q)$(PLAIN_LINK) $(MODE) -o $@ $^ -lcjson -lcmocka -lpthread -lutil

# The rig keeps real time, so it is always built for speed.
build/test/sim/%.o: test/sim/%.c Makefile firmware/firmware.mk
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 -g $(WARNINGS) -MMD -MP -c -o $@ $<

$(RIG): $(RIG_OBJECTS)
	@echo "  LINK  $@"
	$(Q)$(CC) -o $@ $^ -lsimavr

$(RIG_MODEL): $(B)/test/firmware/rig_model_test.o $(addprefix build/test/sim/,wizfi250.o wizfi250_command.o wizfi250_spi.o socket.o bytes.o events.o)
	@echo "  LINK  $@"
	$(Q)$(PLAIN_LINK) $(MODE) -o $@ $^ -lcmocka

# ---- provisioning: a program for the PC ----

build/firmware/provision/%.o: firmware/provision/%.c Makefile firmware/firmware.mk
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(PROVISION): $(patsubst firmware/provision/%.c,build/firmware/provision/%.o,$(wildcard firmware/provision/*.c))
	@echo "  LINK  $@"
	$(Q)$(CC) $(MODE) $(HARDEN) -o $@ $^

# ---- tests with boards in simulation: test/device ----

DEVICE_TESTS := $(patsubst test/device/%.c,$(B)/test/device/%,$(wildcard test/device/*_test.c))
FIRMWARE_ENV  = HEARTH_RIG=$(abspath $(RIG)) HEARTH_FIRMWARE=$(abspath $(AVR))/hearth.elf HEARTH_PROVISION=$(abspath $(PROVISION))
FIRMWARE_PARTS = $(RIG) $(AVR)/hearth.elf $(AVR)/hearth.sym $(PROVISION)

$(DEVICE_TESTS): $(B)/test/device/%: $(B)/test/device/%.o $(SUPPORT)
	@echo "  LINK  $@"
	$(Q)$(PLAIN_LINK) $(MODE) -o $@ $^ -lmosquitto -lcmocka $(LIBS)

# ---- check ----

FIRMWARE_CHECKED = $(addprefix firmware/,$(FIRMWARE_PURE:%=%.c)) $(wildcard firmware/provision/*.c test/firmware/*.c test/sim/*.c)

# The pure modules and all that runs on the host; avr-gcc has seen to the rest. A loop of eight bits over an enum's few values is what an
# eight-bit processor wants.
check-firmware: build/firmware_check/compile_flags.txt
	@printf '%s\n' $(FIRMWARE_CHECKED) | xargs -P 2 -n 12 clang $(filter-out -MMD -MP,$(ALL_CFLAGS)) -Ifirmware -Itest/sim -fsyntax-only
	@printf '%s\n' $(FIRMWARE_CHECKED) | xargs -P 2 -n 4 clang-tidy -p build/firmware_check --quiet \
		--checks=-bugprone-too-small-loop-variable 2>build/clang-tidy-firmware.log; \
		status=$$?; grep -Ev '^[0-9]+ warnings? (and [0-9]+ errors? )?generated\.$$' build/clang-tidy-firmware.log >&2; exit $$status
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j 2 --enable=warning,performance,portability \
		--suppress=missingIncludeSystem -DHEARTH_VERSION='"x"' -Ifirmware -Itest/sim $(FIRMWARE_CHECKED)

build/firmware_check/compile_flags.txt: Makefile firmware/firmware.mk
	@mkdir -p $(@D)
	@printf '%s\n' -std=c11 -D_GNU_SOURCE '-DHEARTH_VERSION="x"' -I../../firmware -I../../test/sim > $@

-include $(wildcard $(AVR)/*.d $(B)/firmware_host/*.d build/test/sim/*.d)
