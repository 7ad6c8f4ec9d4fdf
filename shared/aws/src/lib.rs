//! foreshard-aws.
