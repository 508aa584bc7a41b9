# fuzz.mk - libFuzzer programs; the top Makefile includes this. They need clang.
#
# fuzz        builds build/fuzz/<name> for each tests/fuzz/fuzz_<name>.c
# fuzz-short  runs each of them for a bounded number of runs, on a copy of its corpus
#
# To go on for longer:  build/fuzz/control -max_len=16384 DIR tests/fuzz/corpus/control
# What libFuzzer finds new goes to DIR.

FUZZ_CC       ?= clang
FUZZ_SANITIZE = address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_CFLAGS   = -O1 -g

FUZZ_NAMES    = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZERS       = $(FUZZ_NAMES:%=build/fuzz/%)
FUZZ_OBJECTS  = $(MODULES:%=build/fuzz/%.o)
FUZZ_COMPILE  = $(FUZZ_CC) $(LANGUAGE) $(WARNINGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) \
                $(DEFINES) $(CPPFLAGS) -I. -MMD -MP
# What a program under test must not do: connect, verify passwords, fill the terminal. The harness has
# its own version of these.
FUZZ_WRAP_parent = -Wl,--wrap=connect -Wl,--wrap=auth_start -Wl,--wrap=log_message

fuzz: $(FUZZERS)

$(FUZZERS): build/fuzz/%: build/fuzz/fuzz_%.o build/fuzz/libminiftpd.a
	$(call say,LINK,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer,$(FUZZ_SANITIZE) $(FUZZ_WRAP_$*) $(LDFLAGS) -o $@ $^ $(LIBS)

build/fuzz/libminiftpd.a: $(FUZZ_OBJECTS)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(FUZZ_OBJECTS): build/fuzz/%.o: %.c build/flags
	@mkdir -p build/fuzz
	$(call say,CC,$< (fuzz))
	$(Q)$(FUZZ_COMPILE) -c -o $@ $<

$(FUZZ_NAMES:%=build/fuzz/fuzz_%.o): build/fuzz/%.o: tests/fuzz/%.c build/flags
	@mkdir -p build/fuzz
	$(call say,CC,$<)
	$(Q)$(FUZZ_COMPILE) -c -o $@ $<

fuzz-short: fuzz
	@tests/fuzz/run-short $(FUZZERS)

-include $(FUZZ_OBJECTS:.o=.d) $(FUZZ_NAMES:%=build/fuzz/fuzz_%.d)

.PHONY: fuzz fuzz-short
