# miniftpd - `make` builds; `make run`, `make check`, `make install` do what they say (see README.md)

PREFIX   = /usr/local
SBINDIR  = $(PREFIX)/sbin
MANDIR   = $(PREFIX)/share/man
UNITDIR  = $(PREFIX)/lib/systemd/system
PORT     =

CC      ?= cc
CFLAGS  ?= -O2 -g

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
           -Wformat=2 -Werror
LANGUAGE = -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64

# Hardening, where the compiler knows it: position-independent, read-only relocations, stack and
# buffer checks, control-flow enforcement.
try      = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo '$(1)')
FORTIFY := -U_FORTIFY_SOURCE $(if $(call try,-O2 -D_FORTIFY_SOURCE=3),-D_FORTIFY_SOURCE=3,-D_FORTIFY_SOURCE=2)
HARDEN  := -fPIE -fstack-protector-strong $(FORTIFY) \
           $(call try,-fstack-clash-protection) $(call try,-fcf-protection=full)
HARDEN_LINK = -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed

# The modules are optimized as one program, where the compiler and its linker can do that; LTO= does without.
ifeq ($(origin LTO),undefined)
LTO := $(shell out=$$(mktemp) && echo 'int main(void) { return 0; }' | \
         $(CC) -Werror -O2 -flto=auto -x c - -o "$$out" 2>/dev/null && echo -flto=auto; rm -f "$$out")
endif
HARDEN      += $(LTO)
HARDEN_LINK += $(LTO)

# What is there is used; 0 builds without it.
has_package  = $(shell printf '\043include <$(1)>\n' | $(CC) -E -x c - >/dev/null 2>&1 && echo 1)
ifeq ($(origin WITH_SECCOMP),undefined)
WITH_SECCOMP := $(call has_package,seccomp.h)
endif
ifeq ($(origin WITH_ZLIB),undefined)
WITH_ZLIB := $(call has_package,zlib.h)
endif
ifeq ($(origin WITH_LIBMD),undefined)
WITH_LIBMD := $(call has_package,sha2.h)
endif
# OpenSSL 3; earlier ones have no such header.
ifeq ($(origin WITH_TLS),undefined)
WITH_TLS := $(call has_package,openssl/provider.h)
endif
# PAM is for those who need it: the account files are read without it.
WITH_PAM     ?= 0

# The small libraries become part of the programs where their archives are: each mapped library costs every
# fork of a session time, and memory. STATIC_LIBS=0 links them like any other, for distributions.
# STATIC=1 goes on from there: the daemon has the C library in it, too. What needs name services, which
# cannot be had so, is in miniftpd-auth.
LIB_NAMES  = cap $(if $(filter 1,$(WITH_SECCOMP)),seccomp) $(if $(filter 1,$(WITH_ZLIB)),z) \
             $(if $(filter 1,$(WITH_LIBMD)),md)
AUTH_NAMES = cap crypt
missing    = $(filter-out /%,$(foreach l,$(1),$(shell $(CC) -print-file-name=lib$(l).a)))
ifeq ($(origin STATIC_LIBS),undefined)
STATIC_LIBS := $(if $(call missing,$(LIB_NAMES) $(AUTH_NAMES)),0,1)
endif
ifeq ($(origin STATIC),undefined)
STATIC := $(if $(filter 1,$(STATIC_LIBS)),$(if $(call missing,c),0,1),0)
endif

DEFINES = $(if $(filter 1,$(WITH_SECCOMP)),-DWITH_SECCOMP) \
          $(if $(filter 1,$(WITH_ZLIB)),-DWITH_ZLIB) $(if $(filter 1,$(WITH_LIBMD)),-DWITH_LIBMD) \
          $(if $(filter 1,$(WITH_PAM)),-DWITH_PAM)
link_libs = $(if $(filter 1,$(STATIC_LIBS)),-Wl$(comma)-Bstatic) $(1:%=-l%) \
            $(if $(filter 1,$(STATIC_LIBS)),-Wl$(comma)-Bdynamic)
LIBS      = $(call link_libs,$(LIB_NAMES))
AUTH_LIBS = $(call link_libs,$(AUTH_NAMES)) $(if $(filter 1,$(WITH_PAM)),-lpam)
PIE       = $(if $(filter 1,$(STATIC)),-static-pie,-pie)
DAEMON_LIBS = $(if $(filter 1,$(STATIC)),$(LIB_NAMES:%=-l%),$(LIBS))
comma     = ,

MODULES = access account auth authhelper authproto codec confcheck config confworld conntab ctrlio \
          datachan digest dirfacts dirlist explain fence ftpcmd_copy ftpcmd_data ftpcmd_fact \
          ftpcmd_file ftpcmd_hash ftpcmd_info ftpcmd_list ftpcmd_message ftpcmd_session ftpcmd_tls \
          ftpcmd_tree ftpcmd_upload ftpcmd_xfer ftpgate ftplog ftppath ftpproto ftptime ftpxfer helper \
          inherit listener listfmt log logfile logline logsyslog namesort netaddr optdoc parseconf pattern \
          privcap privparent privsock proctitle rate resolver sandbox scoreboard scoreview sdnotify \
          session startup str sysutil tlshelper tlslink tlsproto tunable userdb userlist virtual who \
          xfer zstream
OBJECTS = $(MODULES:%=build/%.o) build/main.o

# The program miniftpd-auth, the only one with name services, PAM and libcrypt
AUTH_MODULES = authserver lookup pamlogin passwdcmd password utmprec verifier
AUTH_SHARED  = access account authproto netaddr parseconf pattern privcap privsock str sysutil tunable \
               userlist virtual
AUTH_OBJECTS = $(AUTH_MODULES:%=build/%.o) $(AUTH_SHARED:%=build/%.o)

# The program miniftpd-tls, the only one with OpenSSL: its own modules, and what it shares with the daemon
TLS_MODULES = tlsblind tlscert tlschan tlsctx tlsrelay tlssession tlsstore
TLS_OBJECTS = $(TLS_MODULES:%=build/%.o) \
              $(patsubst %,build/%.o,privcap rate sandbox str sysutil tlsproto)
PROGRAMS    = miniftpd miniftpd-auth $(if $(filter 1,$(WITH_TLS)),miniftpd-tls)

# Debian's names of what the targets below need
BUILD_PACKAGES = gcc make libc6-dev libcap-dev libcrypt-dev libseccomp-dev zlib1g-dev libmd-dev \
                 libssl-dev
CHECK_PACKAGES = $(BUILD_PACKAGES) clang libclang-rt-dev libcmocka-dev python3 python3-pytest \
                 iproute2 mount util-linux lftp tnftp ncftp curl wget valgrind strace libcap2-bin procps \
                 libpam0g-dev libpam-modules db-util man-db groff mandoc openssl

# V=1 shows the commands
Q   = $(if $(filter 1,$(V)),,@)
say = $(if $(Q),@echo '  $(1)	$(2)')

all: $(PROGRAMS)

miniftpd: $(OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(PIE) $(HARDEN_LINK) $(LDFLAGS) -o $@ $(OBJECTS) $(DAEMON_LIBS)

miniftpd-auth: $(AUTH_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie $(HARDEN_LINK) $(LDFLAGS) -o $@ $(AUTH_OBJECTS) $(AUTH_LIBS)

miniftpd-tls: $(TLS_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie $(HARDEN_LINK) $(LDFLAGS) -o $@ $(TLS_OBJECTS) $(LIBS) -lssl -lcrypto

build/%.o: %.c build/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(LANGUAGE) $(WARNINGS) $(CFLAGS) $(HARDEN) $(DEFINES) $(CPPFLAGS) -MMD -MP -c -o $@ $<

# The same with PAM, for the tests
PAM_OBJECTS      = $(MODULES:%=build/pam/%.o) build/pam/main.o
PAM_AUTH_OBJECTS = $(AUTH_OBJECTS:build/%=build/pam/%)

build/pam/miniftpd: $(PAM_OBJECTS) build/pam/miniftpd-auth
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(PIE) $(HARDEN_LINK) $(LDFLAGS) -o $@ $(PAM_OBJECTS) $(DAEMON_LIBS)

build/pam/miniftpd-auth: $(PAM_AUTH_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie $(HARDEN_LINK) $(LDFLAGS) -o $@ $(PAM_AUTH_OBJECTS) $(AUTH_LIBS) -lpam

$(sort $(PAM_OBJECTS) $(PAM_AUTH_OBJECTS)): build/pam/%.o: %.c build/flags
	@mkdir -p build/pam
	$(call say,CC,$< (pam))
	$(Q)$(CC) $(LANGUAGE) $(WARNINGS) $(CFLAGS) $(HARDEN) $(DEFINES) -UWITH_PAM -DWITH_PAM $(CPPFLAGS) -MMD -MP -c -o $@ $<

# The same with shared libraries: valgrind has to replace functions of the C library.
build/dynamic/miniftpd: $(OBJECTS) miniftpd-auth
	@mkdir -p build/dynamic
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie $(HARDEN_LINK) $(LDFLAGS) -o $@ $(OBJECTS) $(LIBS)
	$(Q)cp miniftpd-auth build/dynamic/miniftpd-auth

# Rebuild everything when compiler or flags change.
build/flags: FORCE
	@mkdir -p build
	@echo '$(CC) $(CFLAGS) $(LTO) $(CPPFLAGS) $(DEFINES) $(PIE) $(LIBS) $(AUTH_LIBS) $(LDFLAGS)' | cmp -s - $@ || \
	 echo '$(CC) $(CFLAGS) $(LTO) $(CPPFLAGS) $(DEFINES) $(PIE) $(LIBS) $(AUTH_LIBS) $(LDFLAGS)' >$@

-include $(sort $(patsubst %.o,%.d,$(OBJECTS) $(AUTH_OBJECTS) $(TLS_OBJECTS) $(PAM_OBJECTS) $(PAM_AUTH_OBJECTS)))

# Install what is missing, build, and serve in the foreground: PORT=2121 for another port than 21.
run:
	@tests/install-packages $(BUILD_PACKAGES)
	@$(MAKE) --no-print-directory all
	@echo 'Log in with name and password of an account of this machine, for example:'
	@echo '    ftp localhost $(or $(PORT),21)     (Ctrl-C here ends the server)'
	@./miniftpd miniftpd.conf $(if $(PORT),-olisten_port=$(PORT))

# Install what the tests need, build, and run all of them. The last line counts them.
check:
	@tests/install-packages $(CHECK_PACKAGES)
	@$(MAKE) --no-print-directory -j"$$(nproc)" miniftpd miniftpd-auth miniftpd-tls unit fuzz build/pam/miniftpd \
	    build/dynamic/miniftpd
	@UNIT_TESTS='$(UNIT_TESTS)' FUZZERS='$(FUZZERS)' tests/run-all

# The sample configuration and the tables of the migration guide come from the table in tunable.h; tests
# hold them against it.
sample: miniftpd
	./miniftpd --print-sample >miniftpd.conf
	sed -i '/^<!-- From here on/q' doc/migrating-from-vsftpd.md
	./miniftpd --print-migration >>doc/migrating-from-vsftpd.md

build/miniftpd.conf.5: doc/miniftpd.conf.5.in miniftpd
	@./miniftpd --print-manual | sed -e '/^@OPTIONS@$$/{r /dev/stdin' -e 'd;}' doc/miniftpd.conf.5.in >$@

# An existing configuration is left alone.
install: $(PROGRAMS) build/miniftpd.conf.5
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)/etc $(DESTDIR)$(UNITDIR) \
	    $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8
	install -m 755 $(PROGRAMS) $(DESTDIR)$(SBINDIR)
	test -e $(DESTDIR)/etc/miniftpd.conf || \
	    install -m 644 miniftpd.conf $(DESTDIR)/etc/miniftpd.conf
	install -m 644 build/miniftpd.conf.5 $(DESTDIR)$(MANDIR)/man5/miniftpd.conf.5
	install -m 644 doc/miniftpd.8 $(DESTDIR)$(MANDIR)/man8/miniftpd.8
	for unit in miniftpd.service miniftpd@.service; do \
	    sed 's,@SBINDIR@,$(SBINDIR),' doc/$$unit.in >$(DESTDIR)$(UNITDIR)/$$unit || exit 1; done
	install -m 644 doc/miniftpd.socket $(DESTDIR)$(UNITDIR)/miniftpd.socket

# The configuration stays if it was changed.
uninstall:
	rm -f $(PROGRAMS:%=$(DESTDIR)$(SBINDIR)/%) $(DESTDIR)$(MANDIR)/man5/miniftpd.conf.5 \
	    $(DESTDIR)$(MANDIR)/man8/miniftpd.8 $(DESTDIR)$(UNITDIR)/miniftpd.service \
	    $(DESTDIR)$(UNITDIR)/miniftpd@.service $(DESTDIR)$(UNITDIR)/miniftpd.socket
	if cmp -s miniftpd.conf $(DESTDIR)/etc/miniftpd.conf; then \
	    rm $(DESTDIR)/etc/miniftpd.conf; fi

clean:
	rm -rf build miniftpd miniftpd-auth miniftpd-tls

include tests/unit/unit.mk
include tests/fuzz/fuzz.mk
include tests/clients/clients.mk
include tests/peers/peers.mk
include bench/bench.mk

.PHONY: all run check sample install uninstall clean FORCE
