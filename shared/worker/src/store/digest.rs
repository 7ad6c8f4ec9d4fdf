//! Digests of files, streamed: no file is ever whole in memory.

use std::fs::File;
use std::io::{self, Read};

use data_encoding::HEXLOWER;
use foreshard_model::ids::Sha256Hex;
use sha2::{Digest as _, Sha256};

/// Bytes read at once: large enough that system calls do not matter, small enough for the smallest tier.
const CHUNK_BYTES: usize = 256 * 1024;

/// Digest and length of what is left of `file`.
pub(crate) fn of_file(mut file: File) -> io::Result<(Sha256Hex, u64)> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok((Sha256Hex(HEXLOWER.encode(&hash.finalize())), bytes)),
            Ok(read) => {
                hash.update(&chunk[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
