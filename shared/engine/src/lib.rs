//! foreshard-engine.
