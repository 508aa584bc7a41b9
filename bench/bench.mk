# bench.mk - the programs of the benchmark; the top Makefile includes this. They need OpenSSL.
#
# build/bench/load    the load generator: an FTP client
# build/bench/floor   bare kernel loops to compare servers with
#
# `make bench` compares the servers (bench/README.md):
#   ROW=name[,name]     only these rows; `bench/run --list` names them
#   REPEAT=n            repetitions (5)
#   BENCH=option        further options of bench/run: --quick, --document

BENCH_CFLAGS  = -O2 -g
BENCH_LOAD    = client load login options reply transfer wire
BENCH_COMPILE = $(CC) $(LANGUAGE) $(WARNINGS) $(BENCH_CFLAGS) $(CPPFLAGS) -MMD -MP

build/bench/load: $(BENCH_LOAD:%=build/bench/%.o)
	$(call say,LINK,$@)
	$(Q)$(CC) $(BENCH_CFLAGS) $(LDFLAGS) -o $@ $^ -lssl -lcrypto

build/bench/floor: build/bench/floor.o build/bench/ftpfloor.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(BENCH_CFLAGS) $(LDFLAGS) -o $@ $^ -lssl -lcrypto

build/bench/%.o: bench/%.c build/flags
	@mkdir -p build/bench
	$(call say,CC,$<)
	$(Q)$(BENCH_COMPILE) -c -o $@ $<

-include $(wildcard build/bench/*.d)

BENCH_PACKAGES = $(BUILD_PACKAGES) libssl-dev openssl python3 iproute2 mount util-linux
BENCH_OPTIONS  = $(if $(ROW),--rows '$(ROW)') $(if $(REPEAT),--repeat '$(REPEAT)') $(BENCH)

# Install what is missing, build, measure. It takes a quarter of an hour and wants the machine alone.
bench:
	@tests/install-packages $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory all build/bench/load build/bench/floor
	@bench/run $(BENCH_OPTIONS)

.PHONY: bench
