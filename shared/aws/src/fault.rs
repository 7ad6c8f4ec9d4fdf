//! Around every write to a service: where a test may kill the process, and nothing at all in what ships.
//!
//! A test of the protocol lets a stage die before and after each of its writes in turn. It puts `<n>:before` or `<n>:after`
//! into the switch's file; the first invocation that reaches its n-th write renames the file to `<file>.fired` and aborts.
//! Only one process can rename it, so a switch fires once, however many workers are warm.

use std::future::Future;

/// A new invocation: writes count from 1 again.
#[cfg(not(feature = "faults"))]
pub(crate) fn begin() {}

/// Carries out one write.
#[cfg(not(feature = "faults"))]
pub(crate) async fn write<T>(write: impl Future<Output = T>) -> T {
    write.await
}

#[cfg(feature = "faults")]
pub(crate) use switch::{begin, write};

#[cfg(feature = "faults")]
mod switch {
    use super::Future;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use crate::config;

    static WRITES: AtomicU32 = AtomicU32::new(0);
    static ARMED: Mutex<Option<Fault>> = Mutex::new(None);

    /// Where to die.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct Fault {
        pub(super) write: u32,
        pub(super) after: bool,
    }

    impl Fault {
        pub(super) fn parse(text: &str) -> Option<Self> {
            let (number, when) = text.trim().split_once(':')?;
            let after = match when {
                "before" => false,
                "after" => true,
                _ => return None,
            };
            let write = number.parse().ok()?;
            Some(Self { write, after })
        }
    }

    /// A new invocation: writes count from 1 again, and the switch is read again.
    pub(crate) fn begin() {
        WRITES.store(0, Ordering::SeqCst);
        let fault = config::fault_file()
            .and_then(|file| std::fs::read_to_string(file).ok())
            .and_then(|text| Fault::parse(&text));
        if let Ok(mut armed) = ARMED.lock() {
            *armed = fault;
        }
    }

    /// Carries out one write, unless this is where to die.
    pub(crate) async fn write<T>(write: impl Future<Output = T>) -> T {
        let number = WRITES.fetch_add(1, Ordering::SeqCst) + 1;
        die_at(number, false);
        let answer = write.await;
        die_at(number, true);
        answer
    }

    fn die_at(write: u32, after: bool) {
        let armed = ARMED.lock().ok().and_then(|armed| *armed);
        if armed != Some(Fault { write, after }) {
            return;
        }
        let Some(file) = config::fault_file() else {
            return;
        };
        let fired = file.with_extension("fired");
        if std::fs::rename(&file, &fired).is_ok() {
            std::process::abort();
        }
    }

    #[cfg(test)]
    mod tests {
        use super::Fault;

        #[test]
        fn a_switch_names_a_write_and_a_side() {
            let at = |write, after| Some(Fault { write, after });
            assert_eq!(Fault::parse("3:before\n"), at(3, false));
            assert_eq!(Fault::parse("1:after"), at(1, true));
            assert_eq!(Fault::parse("1:during"), None);
            assert_eq!(Fault::parse(""), None);
        }
    }
}

#[cfg(test)]
mod tests {
    /// The test binary holds the whole crate, so what is in it is in every function built with the same features.
    #[test]
    fn the_switch_is_only_in_what_is_built_for_tests() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        // Put together here, so that this test does not find itself.
        let name = ["FORESHARD_FAULT", "FILE"].join("_");
        let found = program.windows(name.len()).any(|w| w == name.as_bytes());
        assert_eq!(found, cfg!(feature = "faults"));
    }
}
