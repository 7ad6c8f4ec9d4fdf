//! How the steps of bringing the emulator up are shown.

/// Shows what is being done. The command line draws spinners; tests print lines.
pub trait Progress: Send + Sync {
    /// A step begins.
    fn begin(&self, step: &str);
    /// Something happened within it.
    fn note(&self, text: &str);
    /// The step that began last has ended well.
    fn end(&self, outcome: &str);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str) {}
    fn note(&self, _: &str) {}
    fn end(&self, _: &str) {}
}
