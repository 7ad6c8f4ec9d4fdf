"""Names of the variables that a function inherits from the host."""

# Those without which a native program does not start or does not find its certificates.
HOST_VARIABLES = frozenset({
    "PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "RUST_BACKTRACE", "RUST_LOG",
})  # fmt: skip
