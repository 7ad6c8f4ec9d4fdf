//! The object store: whole objects and files, digests, listings, presigned requests.

use std::sync::Arc;

use foreshard_model::ids::Sha256Hex;
use foreshard_stages::ports::PortError;

use crate::adapters::Adapters;

pub async fn a_blob_comes_back_as_it_was(on: Arc<Adapters>) {
    for (key, bytes) in [
        ("back/plain", b"hello".to_vec()),
        ("back/empty", Vec::new()),
        ("back/binary", (0..=255).cycle().take(300_000).collect()),
        ("back/task~2Fname with spaces+plus", b"x".to_vec()),
    ] {
        on.blob_writes.put(key, bytes.clone()).await.unwrap();
        assert_eq!(
            on.blobs.head(key).await,
            Ok(Some(bytes.len() as u64)),
            "{key}"
        );
        assert!(on.blobs.get(key).await.unwrap() == bytes, "{key}");
    }
    on.blob_writes
        .put("back/plain", b"again".to_vec())
        .await
        .unwrap();
    assert_eq!(on.blobs.get("back/plain").await.unwrap(), b"again");
}

pub async fn a_missing_blob_is_not_found(on: Arc<Adapters>) {
    let missing = on.blobs.get("missing/blob").await;
    assert!(
        matches!(missing, Err(PortError::NotFound(_))),
        "{missing:?}"
    );
    assert_eq!(on.blobs.head("missing/blob").await, Ok(None));
    let folder = tempfile::tempdir().unwrap();
    let file = on
        .blobs
        .get_file("missing/blob", &folder.path().join("f"))
        .await;
    assert!(matches!(file, Err(PortError::NotFound(_))), "{file:?}");
    let nothing = on
        .blob_writes
        .put_file("missing/file", &folder.path().join("none"))
        .await;
    assert!(nothing.is_err());
    assert_eq!(on.blobs.head("missing/file").await, Ok(None));
}

pub async fn a_new_blob_is_written_once(on: Arc<Adapters>) {
    let key = "new/blob";
    assert_eq!(
        on.blob_writes.put_new(key, b"first".to_vec()).await,
        Ok(true)
    );
    assert_eq!(
        on.blob_writes.put_new(key, b"second".to_vec()).await,
        Ok(false)
    );
    assert_eq!(on.blobs.get(key).await.unwrap(), b"first");
}

pub async fn files_go_there_and_back(on: Arc<Adapters>) {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    for size in [0_usize, 10, 1_000_003] {
        let content: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        std::fs::write(&from, &content).unwrap();
        let key = format!("files/{size}");
        on.blob_writes.put_file(&key, &from).await.unwrap();
        let seen = on.blobs.get_file(&key, &to).await.unwrap();
        assert_eq!(seen, (Sha256Hex::of(&content), size as u64));
        assert!(std::fs::read(&to).unwrap() == content, "{size} bytes");
    }
}

pub async fn keys_are_listed_in_order_and_in_pages(on: Arc<Adapters>) {
    let keys = ["list/a", "list/b/1", "list/b/10", "list/b/2", "list/c"];
    for key in keys.iter().rev().chain(&["list0", "lis"]) {
        on.blob_writes.put(key, b"x".to_vec()).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = on
            .blob_lists
            .list("list/", 2, after.as_deref())
            .await
            .unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, keys);
    let some = on
        .blob_lists
        .list("list/b/", 10, Some("list/b/1"))
        .await
        .unwrap();
    assert_eq!((some.items.len(), some.next), (2, None));
    let none = on.blob_lists.list("list/z", 10, None).await.unwrap();
    assert_eq!((none.items.len(), none.next), (0, None));
}

pub async fn presigned_requests_name_the_key(on: Arc<Adapters>) {
    let digest = Sha256Hex::of(b"hello");
    let put = on
        .presigns
        .presign_put("uploads/t/1", &digest, 5, 60)
        .await
        .unwrap();
    assert!(put.url.contains("uploads/t/1"), "{}", put.url);
    let get = on.presigns.presign_get("uploads/t/1", 60).await.unwrap();
    assert!(get.contains("uploads/t/1"), "{get}");
}
