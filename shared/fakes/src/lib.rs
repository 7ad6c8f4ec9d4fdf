//! foreshard-fakes.
