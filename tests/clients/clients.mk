# clients.mk - FileZilla and rclone against the daemon; the top Makefile includes this
#
# They bring a few hundred megabytes of packages along, so `make check` leaves them out.

CLIENT_PACKAGES = $(BUILD_PACKAGES) python3 python3-pytest iproute2 mount util-linux rclone filezilla \
                  xvfb xdotool imagemagick openssl

# Pictures of FileZilla's window stay in build/clients. The last line counts.
check-clients:
	@tests/install-packages $(CLIENT_PACKAGES)
	@$(MAKE) --no-print-directory -j"$$(nproc)" $(PROGRAMS)
	@tests/run-clients

.PHONY: check-clients
