//! Stable codes of what is said to users: an enum whose values have a text each, and a section each in `docs/errors.md`.

/// Defines such an enum: its documentation and name, then the values with their codes, ascending.
macro_rules! codes {
    (
        $(#[$about:meta])* $vis:vis $codes:ident
        $($(#[$doc:meta])* $name:ident = $text:literal,)*
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        $vis enum $codes {
            $($(#[$doc])* $name,)*
        }

        impl $codes {
            /// The code as users see it.
            $vis fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Every code, in the order of the enum.
            #[cfg(test)]
            $vis const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

pub(crate) use codes;

/// Every code is its own, ascending, and has one section in `docs/errors.md`.
#[cfg(test)]
pub(crate) fn check(codes: impl Iterator<Item = &'static str>) {
    let page = include_str!("../../../docs/errors.md");
    let mut last = "";
    for code in codes {
        assert!(last < code, "{last} before {code}");
        assert_eq!(page.matches(&format!("\n## {code} ")).count(), 1, "{code}");
        last = code;
    }
}
