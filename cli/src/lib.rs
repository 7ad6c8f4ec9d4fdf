//! foreshard-cli.
