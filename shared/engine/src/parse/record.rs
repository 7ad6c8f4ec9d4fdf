//! The two macros that declare types of the document language: objects with fixed fields, and enums of words.

use super::code::Code;
use super::decode::wrong_type;
use super::node::Node;
use super::problems::{At, Trouble, did_you_mean, shown};

/// Declares an object of the language: the type, its schema and its decoder from one list of fields, so that they
/// cannot drift apart. `open` passes over fields that are not listed.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $openness:ident struct $name:ident {
            $( $(#[$field_meta:meta])* $presence:ident $key:tt $field:ident : $type:ty, )*
        }
    ) => {
        #[derive(Debug, Clone, Default, schemars::JsonSchema)]
        #[schemars(default, extend("required" = $name::REQUIRED, "additionalProperties" = $name::OPEN))]
        $(#[$meta])*
        pub(crate) struct $name {
            $( $(#[$field_meta])* #[schemars(rename = $key)] pub(crate) $field: $type, )*
        }

        impl $name {
            /// Whether fields that are not listed are passed over.
            const OPEN: bool = record!(@open $openness);
            pub(crate) const FIELDS: &'static [&'static str] = &[$($key),*];
            pub(crate) const REQUIRED: &'static [&'static str] = {
                const FLAGS: &[(&str, bool)] = &[$(($key, record!(@required $presence))),*];
                &$crate::parse::record::required::<{ $crate::parse::record::count(FLAGS) }>(FLAGS)
            };
        }

        impl $crate::parse::decode::Decode for $name {
            fn decode(
                node: $crate::parse::node::Node,
                at: &mut $crate::parse::problems::At<'_>,
            ) -> Self {
                let mut out = Self::default();
                $crate::parse::decode::fields(
                    node,
                    Self::FIELDS,
                    Self::REQUIRED,
                    Self::OPEN,
                    at,
                    |name, value, at| match name {
                        $( $key => out.$field = $crate::parse::decode::Decode::decode(value, at), )*
                        _ => {}
                    },
                );
                out
            }
        }
    };
    (@required required) => { true };
    (@required optional) => { false };
    (@open open) => { true };
    (@open closed) => { false };
}
pub(crate) use record;

/// How many fields are required; for [`record!`].
pub(crate) const fn count(flags: &[(&str, bool)]) -> usize {
    let mut count = 0;
    let mut index = 0;
    while index < flags.len() {
        if flags[index].1 {
            count += 1;
        }
        index += 1;
    }
    count
}

/// The names of the required fields; for [`record!`].
pub(crate) const fn required<const N: usize>(flags: &[(&'static str, bool)]) -> [&'static str; N] {
    let mut names = [""; N];
    let (mut index, mut next) = (0, 0);
    while index < flags.len() {
        if flags[index].1 {
            names[next] = flags[index].0;
            next += 1;
        }
        index += 1;
    }
    names
}

/// Implements [`Decode`] for an enum of words.
macro_rules! words {
    ($type:ty: $($word:literal => $value:expr,)*) => {
        impl $crate::parse::decode::Decode for $type {
            fn decode(
                node: $crate::parse::node::Node,
                at: &mut $crate::parse::problems::At<'_>,
            ) -> Self {
                const WORDS: &[&str] = &[$($word),*];
                match node.text() {
                    $(Some($word) => $value,)*
                    found => {
                        $crate::parse::record::unknown_word(found.is_some(), &node, WORDS, at);
                        Self::default()
                    }
                }
            }
        }
    };
}
pub(crate) use words;

/// Reports a word that is not one of `words`.
pub(crate) fn unknown_word(is_text: bool, node: &Node, words: &[&'static str], at: &mut At<'_>) {
    let list = words.join(", ");
    if !is_text {
        wrong_type(&format!("a text, one of {list}"), node, at);
        return;
    }
    let word = node.text().unwrap_or_default();
    at.report_with(|| {
        let message = format!("`{}` is not one of {list}", shown(word));
        let trouble = Trouble::new(Code::UnknownWord, node.mark, message);
        match did_you_mean(word, words.iter().copied()) {
            Some(hint) => trouble.hint(hint),
            None => trouble,
        }
    });
}
