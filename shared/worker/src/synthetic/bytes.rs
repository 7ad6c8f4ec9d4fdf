//! Bytes that no compression makes smaller, the same for the same name, and a fingerprint of bytes; both faster than a disk.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use foreshard_model::ids::Sha256Hex;

/// Bytes written at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// An odd constant with bits spread evenly: 2^64 divided by the golden ratio (Knuth, volume 3, section 6.4).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of pseudo-random bytes: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub(crate) struct Noise {
    state: u64,
}

impl Noise {
    /// The stream of a name and a number.
    pub(crate) fn of(name: &str, number: u64) -> Self {
        let digest = Sha256Hex::of(format!("{name}\0{number}").as_bytes());
        let seed = u64::from_str_radix(&digest.as_str()[..16], 16).unwrap_or_default();
        Self { state: seed }
    }

    /// Fills `bytes` with what comes next; every call but the last takes a multiple of eight.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        let mut words = bytes.chunks_exact_mut(8);
        for word in &mut words {
            word.copy_from_slice(&self.next().to_le_bytes());
        }
        let rest = words.into_remainder();
        let last = self.next().to_le_bytes();
        rest.copy_from_slice(&last[..rest.len()]);
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(SPREAD);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }
}

/// A fingerprint of bytes: not a cryptographic digest, but any change of content or order changes it.
#[derive(Default)]
pub(crate) struct Fingerprint {
    state: u64,
    bytes: u64,
}

impl Fingerprint {
    /// Adds what comes next; every call but the last of a file takes a multiple of eight.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            self.mix(u64::from_le_bytes(eight));
        }
        for byte in words.remainder() {
            self.mix(u64::from(*byte) + 1);
        }
        self.bytes += bytes.len() as u64;
    }

    fn mix(&mut self, word: u64) {
        self.state = (self.state ^ word).wrapping_mul(SPREAD).rotate_left(29);
    }

    /// The fingerprint of everything added.
    pub(crate) fn finish(mut self) -> u64 {
        self.mix(self.bytes);
        self.mix(SPREAD);
        self.state
    }
}

/// Writes a generated file for a task that is not synthetic.
pub(crate) fn write_file(path: &Path, name: &str, bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut noise = Noise::of(name, bytes);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut left = bytes;
    while left > 0 {
        let length = usize::try_from(left)
            .unwrap_or(CHUNK_BYTES)
            .min(CHUNK_BYTES);
        noise.fill(&mut chunk[..length]);
        file.write_all(&chunk[..length])?;
        left -= length as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(name: &str, number: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        Noise::of(name, number).fill(&mut bytes);
        bytes
    }

    #[test]
    fn the_same_name_gives_the_same_bytes_and_they_do_not_compress() {
        assert_eq!(noise("a", 1, 100), noise("a", 1, 100));
        assert_ne!(noise("a", 1, 100), noise("a", 2, 100));
        let bytes = noise("a", 1, 100_000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&bytes).unwrap();
        assert!(gzip.finish().unwrap().len() > 99_000);
    }

    #[test]
    fn any_change_changes_the_fingerprint() {
        let of = |bytes: &[u8]| {
            let mut fingerprint = Fingerprint::default();
            fingerprint.add(bytes);
            fingerprint.finish()
        };
        let bytes = noise("a", 1, 1_003);
        let original = of(&bytes);
        for position in [0, 500, 1_002] {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            assert_ne!(of(&changed), original, "{position}");
        }
        assert_ne!(of(&bytes[..1_002]), original);
        assert_ne!(of(&[]), of(&[0]));
    }

    #[test]
    fn a_generated_file_has_its_size() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        write_file(&path, "file", 600_001).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 600_001);
    }
}
