//! The object store: each request is charged, its first byte takes a while, and the rest comes at the pace of an environment.

use std::path::Path;

use async_trait::async_trait;
use foreshard_engine::place::TRANSFER_BYTES_PER_MS;
use foreshard_model::ids::Sha256Hex;
use foreshard_stages::ports::{
    BlobLists, BlobPresigns, BlobReads, BlobWrites, Page, PortResult, Presigned,
};

use crate::cloud::{Cloud, Service};
use crate::parameters::{GET_MS, PUT_MS};

impl Cloud {
    pub(crate) async fn gets(&self, bytes: u64) {
        self.lock().usage.gets += 1;
        self.takes(Service::Store, GET_MS + transfer_ms(bytes))
            .await;
    }

    pub(crate) async fn puts(&self, bytes: u64) {
        self.lock().usage.puts += 1;
        self.takes(Service::Store, PUT_MS + transfer_ms(bytes))
            .await;
    }

    async fn size(&self, key: &str) -> PortResult<u64> {
        Ok(self.world.head(key).await?.unwrap_or_default())
    }
}

/// How long so many bytes are on their way.
pub(crate) fn transfer_ms(bytes: u64) -> u64 {
    (bytes as f64 / TRANSFER_BYTES_PER_MS) as u64
}

#[async_trait]
impl BlobReads for Cloud {
    async fn get(&self, key: &str) -> PortResult<Vec<u8>> {
        self.gets(self.size(key).await?).await;
        self.world.get(key).await
    }

    async fn get_file(&self, key: &str, path: &Path) -> PortResult<(Sha256Hex, u64)> {
        self.gets(self.size(key).await?).await;
        self.world.get_file(key, path).await
    }

    async fn head(&self, key: &str) -> PortResult<Option<u64>> {
        self.gets(0).await;
        self.world.head(key).await
    }
}

#[async_trait]
impl BlobLists for Cloud {
    async fn list(
        &self,
        prefix: &str,
        limit: usize,
        after: Option<&str>,
    ) -> PortResult<Page<String>> {
        // A listing is charged as a PUT (S3 pricing).
        self.puts(0).await;
        self.world.list(prefix, limit, after).await
    }
}

#[async_trait]
impl BlobWrites for Cloud {
    async fn put(&self, key: &str, bytes: Vec<u8>) -> PortResult<()> {
        self.puts(bytes.len() as u64).await;
        self.world.put(key, bytes).await
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> PortResult<bool> {
        self.puts(bytes.len() as u64).await;
        self.world.put_new(key, bytes).await
    }

    async fn put_file(&self, key: &str, path: &Path) -> PortResult<()> {
        let bytes = std::fs::metadata(path).map_or(0, |of| of.len());
        self.puts(bytes).await;
        self.world.put_file(key, path).await
    }
}

#[async_trait]
impl BlobPresigns for Cloud {
    async fn presign_put(
        &self,
        key: &str,
        sha256: &Sha256Hex,
        bytes: u64,
        valid_s: u64,
    ) -> PortResult<Presigned> {
        self.world.presign_put(key, sha256, bytes, valid_s).await
    }

    async fn presign_get(&self, key: &str, valid_s: u64) -> PortResult<String> {
        self.world.presign_get(key, valid_s).await
    }
}
