# unit.mk - the unit tests; the top Makefile includes this
#
# One program for each module of the daemon and of miniftpd-auth that has a tests/unit/test_<module>.c. All of it, the modules
# too, is compiled with AddressSanitizer and UndefinedBehaviorSanitizer, apart from the real build.
# A test of a module of TLS_MODULES includes its .c, and is linked with OpenSSL.

UNIT_SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
UNIT_CFLAGS   = -O1 -g $(UNIT_SANITIZE)

UNIT_ALL      = $(MODULES) $(filter-out authserver,$(AUTH_MODULES))
UNIT_MODULES  = $(foreach m,$(UNIT_ALL),$(if $(wildcard tests/unit/test_$(m).c),$(m)))
UNIT_TLS      = $(if $(filter 1,$(WITH_TLS)),$(foreach m,$(TLS_MODULES),$(if $(wildcard tests/unit/test_$(m).c),$(m))))
UNIT_STRANGE  = $(filter-out $(UNIT_ALL) $(TLS_MODULES),$(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c)))
UNIT_TESTS    = $(UNIT_MODULES:%=build/unit/test_%) $(UNIT_TLS:%=build/unit/test_%)
UNIT_OBJECTS  = $(UNIT_ALL:%=build/unit/%.o) build/unit/unit.o
UNIT_COMPILE  = $(CC) $(LANGUAGE) $(WARNINGS) $(UNIT_CFLAGS) $(DEFINES) $(CPPFLAGS) -I. -MMD -MP

$(if $(UNIT_STRANGE),$(error tests/unit holds tests of no module: $(UNIT_STRANGE)))

unit: $(UNIT_TESTS) build/unit/miniftpd-auth

# Run them all at the terminal; `make check` counts them.
unit-run: unit
	@for t in $(UNIT_TESTS); do ./$$t || exit 1; done

$(UNIT_TESTS): build/unit/test_%: build/unit/test_%.o build/unit/libminiftpd.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(UNIT_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) $(AUTH_LIBS) -lcmocka $(UNIT_LIBS)

$(UNIT_TLS:%=build/unit/test_%): UNIT_LIBS = -lssl -lcrypto

# Tests start it as the daemon does: it lies beside them.
build/unit/miniftpd-auth: build/unit/authserver.o build/unit/libminiftpd.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(UNIT_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) $(AUTH_LIBS)

build/unit/libminiftpd.a: $(UNIT_OBJECTS)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(UNIT_ALL:%=build/unit/%.o) build/unit/authserver.o: build/unit/%.o: %.c build/flags
	@mkdir -p build/unit
	$(call say,CC,$< (unit))
	$(Q)$(UNIT_COMPILE) -c -o $@ $<

$(UNIT_MODULES:%=build/unit/test_%.o) $(UNIT_TLS:%=build/unit/test_%.o) build/unit/unit.o: build/unit/%.o: tests/unit/%.c build/flags
	@mkdir -p build/unit
	$(call say,CC,$<)
	$(Q)$(UNIT_COMPILE) -c -o $@ $<

-include $(UNIT_OBJECTS:.o=.d) $(UNIT_MODULES:%=build/unit/test_%.d) $(UNIT_TLS:%=build/unit/test_%.d)

.PHONY: unit unit-run
