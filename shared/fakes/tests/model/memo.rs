//! Tables of what was computed once.

use std::collections::HashMap;

use foldhash::fast::FixedState;

/// What was computed, by what it was computed of: mostly by numbers of our own, for which a quick hash is good enough.
pub(crate) type Memo<K, V> = HashMap<K, V, FixedState>;
