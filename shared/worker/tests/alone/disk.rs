//! An object store in a folder: streams as S3 does, and keeps nothing in memory.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use foreshard_model::ids::Sha256Hex;
use foreshard_stages::ports::{BlobReads, BlobWrites, PortError, PortResult};
use sha2::{Digest as _, Sha256};

pub struct DiskBlobs(pub PathBuf);

impl DiskBlobs {
    fn path(&self, key: &str) -> PathBuf {
        self.0.join(Sha256Hex::of(key.as_bytes()).as_str())
    }
}

fn failed(error: io::Error) -> PortError {
    PortError::Unavailable(error.to_string())
}

#[async_trait]
impl BlobReads for DiskBlobs {
    async fn get(&self, key: &str) -> PortResult<Vec<u8>> {
        fs::read(self.path(key)).map_err(failed)
    }

    async fn get_file(&self, key: &str, path: &Path) -> PortResult<(Sha256Hex, u64)> {
        let (mut from, mut to) = (
            File::open(self.path(key)).map_err(failed)?,
            File::create(path).map_err(failed)?,
        );
        let (mut hash, mut chunk, mut bytes) = (Sha256::new(), vec![0; 64 * 1024], 0);
        loop {
            let read = from.read(&mut chunk).map_err(failed)?;
            if read == 0 {
                return Ok((
                    Sha256Hex(data_encoding::HEXLOWER.encode(&hash.finalize())),
                    bytes,
                ));
            }
            hash.update(&chunk[..read]);
            to.write_all(&chunk[..read]).map_err(failed)?;
            bytes += read as u64;
        }
    }

    async fn head(&self, key: &str) -> PortResult<Option<u64>> {
        Ok(fs::metadata(self.path(key)).ok().map(|m| m.len()))
    }
}

#[async_trait]
impl BlobWrites for DiskBlobs {
    async fn put(&self, key: &str, bytes: Vec<u8>) -> PortResult<()> {
        fs::write(self.path(key), bytes).map_err(failed)
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> PortResult<bool> {
        let free = !self.path(key).exists();
        if free {
            self.put(key, bytes).await?;
        }
        Ok(free)
    }

    async fn put_file(&self, key: &str, path: &Path) -> PortResult<()> {
        fs::copy(path, self.path(key)).map(drop).map_err(failed)
    }
}
