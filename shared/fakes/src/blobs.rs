//! The object store in memory.

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use foreshard_model::ids::Sha256Hex;
use foreshard_stages::ports::{
    BlobLists, BlobPresigns, BlobReads, BlobWrites, Page, PortError, PortResult, Presigned,
};

use crate::world::{State, World};

fn content(state: &State, key: &str) -> PortResult<Vec<u8>> {
    let found = state.blobs.get(key).cloned();
    found.ok_or_else(|| PortError::NotFound(format!("object `{key}`")))
}

fn unreadable(path: &Path, error: &std::io::Error) -> PortError {
    PortError::Unavailable(format!("`{}`: {error}", path.display()))
}

#[async_trait]
impl BlobReads for World {
    async fn get(&self, key: &str) -> PortResult<Vec<u8>> {
        self.read(|state| content(state, key)).await
    }

    async fn get_file(&self, key: &str, path: &Path) -> PortResult<(Sha256Hex, u64)> {
        let bytes = self.read(|state| content(state, key)).await?;
        std::fs::write(path, &bytes).map_err(|error| unreadable(path, &error))?;
        Ok((Sha256Hex::of(&bytes), bytes.len() as u64))
    }

    async fn head(&self, key: &str) -> PortResult<Option<u64>> {
        self.read(|state| Ok(state.blobs.get(key).map(|bytes| bytes.len() as u64)))
            .await
    }
}

#[async_trait]
impl BlobLists for World {
    async fn list(
        &self,
        prefix: &str,
        limit: usize,
        after: Option<&str>,
    ) -> PortResult<Page<String>> {
        self.read(|state| {
            let matching = state
                .blobs
                .range(prefix.to_owned()..)
                .map(|(key, _)| key)
                .take_while(|key| key.starts_with(prefix))
                .filter(|key| after.is_none_or(|a| key.as_str() > a));
            let mut items: Vec<String> = matching.take(limit + 1).cloned().collect();
            let more = items.len() > limit;
            items.truncate(limit);
            let next = items.last().filter(|_| more).cloned();
            Ok(Page { items, next })
        })
        .await
    }
}

#[async_trait]
impl BlobWrites for World {
    async fn put(&self, key: &str, bytes: Vec<u8>) -> PortResult<()> {
        self.write("put", |state| {
            state.blobs.insert(key.to_owned(), bytes.clone());
            Ok(())
        })
        .await
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> PortResult<bool> {
        self.write("put_new", |state| {
            let free = !state.blobs.contains_key(key);
            if free {
                state.blobs.insert(key.to_owned(), bytes.clone());
            }
            Ok(free)
        })
        .await
    }

    async fn put_file(&self, key: &str, path: &Path) -> PortResult<()> {
        let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
        self.write("put_file", |state| {
            state.blobs.insert(key.to_owned(), bytes.clone());
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl BlobPresigns for World {
    async fn presign_put(
        &self,
        key: &str,
        sha256: &Sha256Hex,
        bytes: u64,
        valid_s: u64,
    ) -> PortResult<Presigned> {
        self.read(|_| {
            let headers = BTreeMap::from([
                ("content-length".to_owned(), bytes.to_string()),
                ("x-amz-checksum-sha256".to_owned(), sha256.to_string()),
            ]);
            let url = format!("https://blobs.invalid/{key}?expires={valid_s}");
            Ok(Presigned { url, headers })
        })
        .await
    }

    async fn presign_get(&self, key: &str, valid_s: u64) -> PortResult<String> {
        self.read(|_| Ok(format!("https://blobs.invalid/{key}?expires={valid_s}")))
            .await
    }
}
