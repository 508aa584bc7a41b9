# peers.mk - miniftpd compared with other FTP servers; the top Makefile includes this
#
# It fetches these servers from Debian and takes some minutes, so `make check` leaves it out.

PEERS_PACKAGES = $(BUILD_PACKAGES) python3 iproute2 mount util-linux

# Prints where the reply codes differ; PEERS='-v' prints all steps. The last line counts.
check-peers:
	@tests/install-packages $(PEERS_PACKAGES)
	@$(MAKE) --no-print-directory all
	@tests/run-peers $(PEERS)

.PHONY: check-peers
