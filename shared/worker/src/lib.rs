//! foreshard-worker.
