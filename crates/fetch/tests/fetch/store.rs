//! The object store in a directory, and the links of both kinds.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::HeaderMap;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use fetch::{FetchError, Method, ObjectKey, SignedLink, Size, Store, StoreConfig, StoreLocation};
use futures::{StreamExt, TryStreamExt, stream};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::lab::{content, fetcher, serve};

fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).unwrap()
}

fn pieces(
    data: &Bytes,
    size: usize,
) -> impl futures::Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
    let data = data.clone();
    stream::iter((0..data.len()).step_by(size).map(move |at| Ok(data.slice(at..(at + size).min(data.len())))))
}

async fn read(store: &Store, key: &ObjectKey, range: Option<std::ops::Range<u64>>) -> Bytes {
    let body = store.get(key, range).await.unwrap();
    let parts: Vec<Bytes> = body.stream.try_collect().await.unwrap();
    let joined = parts.concat();
    assert_eq!(joined.len() as u64, body.range.end - body.range.start);
    joined.into()
}

async fn keys(store: &Store, prefix: Option<&ObjectKey>) -> Vec<String> {
    let mut keys: Vec<String> = store.list(prefix).map(|info| info.unwrap().key.to_string()).collect().await;
    keys.sort();
    keys
}

/// The headers that must be sent along with a link.
fn sent(link: &SignedLink) -> HeaderMap {
    let header = |(name, value): &(String, String)| (name.parse().unwrap(), value.parse().unwrap());
    link.headers.iter().map(header).collect()
}

fn files(dir: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn objects_are_kept_whole_and_read_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreConfig::local(dir.path().join("made/on/demand"))).unwrap();
    store.check().await.unwrap();
    // One that fits in a single request, and one that is stored in parts.
    for (name, length) in [("m/1/poster.jpg", 100_000), ("m/1/media.mp4", 20_000_001)] {
        let (data, key) = (content(length), key(name));
        let stored = store.put(&key, pieces(&data, 65_536), Size::Exactly(length as u64)).await.unwrap();
        assert_eq!(stored.size, length as u64);
        assert_eq!(stored.sha256, hex::encode(Sha256::digest(&data)));
        let info = store.head(&key).await.unwrap();
        assert_eq!((info.size, &info.key), (length as u64, &key));
        assert!(info.etag.as_ref().unwrap().starts_with('"'));
        assert_eq!(read(&store, &key, None).await, data);
        assert_eq!(read(&store, &key, Some(10..1000)).await, data[10..1000]);
        assert_eq!(read(&store, &key, Some(length as u64 - 5..u64::MAX)).await, data[length - 5..]);
        for range in [length as u64..length as u64 + 1, 5..5] {
            assert_eq!(store.get(&key, Some(range)).await.err().unwrap().code(), "object_range");
        }
        assert_eq!(store.get_bytes(&key, length as u64).await.unwrap(), data);
        assert_eq!(store.get_bytes(&key, length as u64 - 1).await.unwrap_err().code(), "object_size");
        // Written again, it is another version.
        store.put_bytes(&key, content(7)).await.unwrap();
        assert_ne!(store.head(&key).await.unwrap().etag, info.etag);
        assert_eq!(read(&store, &key, None).await, content(7));
    }
}

#[tokio::test]
async fn an_upload_of_another_size_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreConfig::local(dir.path())).unwrap();
    let before = files(dir.path());
    for length in [1_000, 20_000_000] {
        let (data, key) = (content(length), key("a/b"));
        let length = length as u64;
        for size in [Size::Exactly(length - 1), Size::Exactly(length + 1), Size::AtMost(length - 1)] {
            let error = store.put(&key, pieces(&data, 60_000), size).await.unwrap_err();
            assert_eq!(error.code(), "object_size", "{size:?}");
        }
        let broken = pieces(&data, 60_000)
            .map_err(|never| match never {})
            .chain(stream::iter([Err("the sender left")]));
        let error = store.put(&key, broken, Size::AtMost(u64::MAX)).await.unwrap_err();
        assert_eq!(error.code(), "upload_interrupted");
        assert_eq!(store.head(&key).await.unwrap_err().code(), "object_not_found");
        assert_eq!(files(dir.path()), before);
        store.put(&key, pieces(&data, 60_000), Size::AtMost(length)).await.unwrap();
        store.delete(&key).await.unwrap();
    }
}

#[tokio::test]
async fn objects_are_listed_and_removed_by_prefix() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreConfig::local(dir.path())).unwrap();
    for name in ["m/1/a", "m/1/b/c", "m/12/a", "m/2/a", "n"] {
        store.put_bytes(&key(name), Bytes::from_static(b"x")).await.unwrap();
    }
    // The link secret of the directory and strangers' files are no objects.
    std::fs::write(dir.path().join("m/1/Not Ours"), b"x").unwrap();
    assert_eq!(keys(&store, None).await, ["m/1/a", "m/1/b/c", "m/12/a", "m/2/a", "n"]);
    assert_eq!(keys(&store, Some(&key("m/1"))).await, ["m/1/a", "m/1/b/c"]);
    store.delete_prefix(&key("m/1")).await.unwrap();
    store.delete_prefix(&key("m/1")).await.unwrap();
    store.delete(&key("n")).await.unwrap();
    store.delete(&key("n")).await.unwrap();
    assert_eq!(keys(&store, None).await, ["m/12/a", "m/2/a"]);
    assert!(!dir.path().join("m/1").exists());
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

#[tokio::test]
async fn links_of_a_directory_are_good_for_one_thing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreConfig::local(dir.path())).unwrap();
    let link =
        store.sign(Method::Put, &key("m/1/a"), Duration::from_secs(60), Some(5), at(1_000)).await.unwrap();
    assert!(!format!("{link:?}").contains("signature"));
    let (path, query) = link.url.split_once('?').unwrap();
    assert_eq!(path, "/v1/objects/m/1/a");
    assert_eq!(store.verify(Method::Put, &key("m/1/a"), query, at(1_059)).unwrap().bytes, Some(5));
    // Another service on the same directory, without any setting, knows the same secret.
    let again = Store::open(&StoreConfig::local(dir.path())).unwrap();
    assert!(again.verify(Method::Put, &key("m/1/a"), query, at(1_059)).is_ok());
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Store::open(&StoreConfig::local(elsewhere.path())).unwrap();
    for refused in [
        store.verify(Method::Put, &key("m/1/a"), query, at(1_060)),
        store.verify(Method::Get, &key("m/1/a"), query, at(1_001)),
        store.verify(Method::Put, &key("m/1/b"), query, at(1_001)),
        store.verify(Method::Put, &key("m/1/a"), &query.replace("bytes=5", "bytes=6"), at(1_001)),
        store.verify(Method::Put, &key("m/1/a"), &query.replace("expires=1060", "expires=9060"), at(1_001)),
        other.verify(Method::Put, &key("m/1/a"), query, at(1_001)),
    ] {
        assert_eq!(refused, Err(FetchError::SignatureInvalid));
    }
    let based = StoreConfig {
        base_url: Some("https://gate.example/sm/".parse().unwrap()),
        ..StoreConfig::local(dir.path())
    };
    let link = Store::open(&based)
        .unwrap()
        .sign(Method::Get, &key("a"), Duration::from_secs(60), None, at(0))
        .await
        .unwrap();
    assert!(
        link.url.starts_with("https://gate.example/sm/v1/objects/a?method=GET&expires=60&signature="),
        "{}",
        link.url
    );
}

#[tokio::test]
async fn the_secret_of_a_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    Store::open(&StoreConfig::local(dir.path())).unwrap();
    let mode = std::fs::metadata(dir.path().join(".signing-secret")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
}

#[test]
fn a_store_that_cannot_be_used_says_which_setting() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Store::open(&StoreConfig::local(file.path().join("x"))).err().unwrap();
    assert!(error.to_string().starts_with("SM_OBJECT_STORE"), "{error}");
    let s3 = StoreConfig {
        location: StoreLocation::S3 { bucket: "b".into(), prefix: String::new() },
        s3_access_key_id: Some("only-half".into()),
        ..StoreConfig::local("/")
    };
    assert!(Store::open(&s3).err().unwrap().to_string().starts_with("SM_S3_ACCESS_KEY_ID"));
}

#[tokio::test]
async fn links_of_s3_carry_its_own_signature() {
    type Seen = Arc<Mutex<Vec<(String, String, String)>>>;
    let seen: Seen = Arc::default();
    let kept = Arc::clone(&seen);
    let url = serve(Router::new().fallback(move |request: Request| async move {
        let (method, uri) = (request.method().to_string(), request.uri().clone());
        let body = to_bytes(request.into_body(), 1000).await.unwrap();
        let query = uri.query().unwrap_or_default().to_owned();
        seen.lock().unwrap().push((
            format!("{method} {}", uri.path()),
            query,
            String::from_utf8(body.to_vec()).unwrap(),
        ));
        "stored"
    }))
    .await;
    let config = StoreConfig {
        location: StoreLocation::S3 { bucket: "clips".into(), prefix: "prod/media".into() },
        s3_endpoint: Some(url.parse().unwrap()),
        s3_access_key_id: Some("AKEXAMPLE".into()),
        s3_secret_access_key: Some("the-secret-of-the-test".into()),
        s3_allow_http: true,
        ..StoreConfig::local("/")
    };
    let store = Store::open(&config).unwrap();
    assert!(!store.serves_own_links());
    assert_eq!(store.largest_by_link(), Some(5 << 30));
    let valid = Duration::from_secs(300);
    let put = store.sign(Method::Put, &key("m/1/a.mp4"), valid, Some(5), Utc::now()).await.unwrap();
    let get = store.sign(Method::Get, &key("m/1/a.mp4"), valid, None, Utc::now()).await.unwrap();
    fetcher().put_bytes(&put.url, &sent(&put), Bytes::from_static(b"bytes")).await.unwrap();
    let source = fetcher().open_signed(&get.url).await.unwrap();
    assert_eq!(source.read_at(0, 10).await.unwrap(), "stored");

    // For services that do not know the condition.
    let plain = Store::open(&StoreConfig { s3_conditional_put: false, ..config }).unwrap();
    let unconditional = plain.sign(Method::Put, &key("m/1/a.mp4"), valid, None, Utc::now()).await.unwrap();
    assert!(unconditional.headers.is_empty());
    assert!(unconditional.url.contains("X-Amz-SignedHeaders=host&"), "{}", unconditional.url);

    let seen = kept.lock().unwrap();
    let signature = |query: &str, headers: &str| {
        let fields: std::collections::HashMap<_, _> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(fields["X-Amz-Algorithm"], "AWS4-HMAC-SHA256");
        assert_eq!(fields["X-Amz-Expires"], "300");
        assert!(fields["X-Amz-Credential"].starts_with("AKEXAMPLE/"));
        assert_eq!(fields["X-Amz-SignedHeaders"], headers);
        fields["X-Amz-Signature"].clone()
    };
    assert_eq!(seen[0].0, "PUT /clips/prod/media/m/1/a.mp4");
    assert_eq!(seen[0].2, "bytes");
    assert_eq!(seen[1].0, "GET /clips/prod/media/m/1/a.mp4");
    // The method is part of what is signed.
    assert_ne!(signature(&seen[0].1, "host;if-none-match"), signature(&seen[1].1, "host"));
    assert!(!put.url.contains("the-secret-of-the-test"));
    assert_eq!(store.verify(Method::Get, &key("a"), "", Utc::now()), Err(FetchError::SignatureInvalid));
}

/// Against a real S3 service, where one is named; the bucket must exist.
#[tokio::test]
async fn a_real_s3_keeps_the_same_promises() {
    let setting = |name: &str| std::env::var(name).ok();
    let (Some(endpoint), Some(bucket)) = (setting("SM_TEST_S3_ENDPOINT"), setting("SM_TEST_S3_BUCKET"))
    else {
        println!("skipped: SM_TEST_S3_ENDPOINT and SM_TEST_S3_BUCKET name no S3 service");
        return;
    };
    let config = StoreConfig {
        location: StoreLocation::S3 {
            bucket: bucket.clone(),
            prefix: format!("test-{}", std::process::id()),
        },
        s3_endpoint: Some(endpoint.parse().unwrap()),
        s3_access_key_id: setting("SM_TEST_S3_ACCESS_KEY_ID").map(Into::into),
        s3_secret_access_key: setting("SM_TEST_S3_SECRET_ACCESS_KEY").map(Into::into),
        s3_allow_http: true,
        ..StoreConfig::local("/")
    };
    let store = Store::open(&config).unwrap();
    // A bucket that is not there is no working store.
    let location = StoreLocation::S3 { bucket: format!("{bucket}-that-is-not-there"), prefix: String::new() };
    let nowhere = Store::open(&StoreConfig { location, ..config.clone() }).unwrap();
    let error = nowhere.check().await.unwrap_err();
    assert!(error.to_string().contains("bucket"), "{error}");
    let stranger = StoreConfig { s3_secret_access_key: Some("another-secret".into()), ..config.clone() };
    let error = Store::open(&stranger).unwrap().check().await.unwrap_err();
    assert!(error.to_string().contains("credentials"), "{error}");
    store.check().await.unwrap();
    for length in [5, 20_000_001] {
        let (data, key) = (content(length), key("m/1/media.mp4"));
        let length = length as u64;
        let error = store.put(&key, pieces(&data, 65_536), Size::Exactly(length + 1)).await.unwrap_err();
        assert_eq!(error.code(), "object_size");
        assert_eq!(store.head(&key).await.unwrap_err().code(), "object_not_found");
        store.put(&key, pieces(&data, 65_536), Size::Exactly(length)).await.unwrap();
        assert_eq!(store.head(&key).await.unwrap().size, length);
        assert_eq!(read(&store, &key, None).await, data);
        assert_eq!(read(&store, &key, Some(2..u64::MAX)).await, data[2..]);
        assert_eq!(store.get(&key, Some(length..length + 1)).await.err().unwrap().code(), "object_range");
        store.delete(&key).await.unwrap();
    }
    let (data, key) = (content(3_000_000), key("m/2/media.mp4"));
    let valid = Duration::from_secs(60);
    let put = store.sign(Method::Put, &key, valid, Some(3_000_000), Utc::now()).await.unwrap();
    let get = store.sign(Method::Get, &key, valid, None, Utc::now()).await.unwrap();
    let fetcher = fetcher();
    let as_other = get.url.replace("X-Amz-Signature=", "X-Amz-Signature=0");
    fetcher.put_bytes(&put.url, &sent(&put), data.clone()).await.unwrap();
    // Sent again it stays as it is, and without the condition the link is good for nothing.
    assert_eq!(fetcher.put_bytes(&put.url, &sent(&put), content(7)).await.unwrap().status, 412);
    assert_eq!(store.head(&key).await.unwrap().size, 3_000_000);
    assert_eq!(
        fetcher.open_signed(&get.url).await.unwrap().read_at(1_000, 2_000_000).await.unwrap(),
        data[1_000..2_001_000]
    );
    for refused in [
        fetcher.put_bytes(&put.url, &HeaderMap::new(), data.clone()).await.map(drop),
        fetcher.put_bytes(&get.url, &HeaderMap::new(), data.clone()).await.map(drop),
        fetcher.open_signed(&put.url).await.map(drop),
        fetcher.open_signed(&as_other).await.map(drop),
        fetcher.open_signed(&get.url.replace("m/2", "m/3")).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), "source_forbidden");
    }
    assert_eq!(keys(&store, None).await, ["m/2/media.mp4"]);
    store.delete_prefix(&ObjectKey::parse("m").unwrap()).await.unwrap();
    assert_eq!(keys(&store, None).await, Vec::<String>::new());
    what_died_with_its_process_is_removed(&config).await;
}

/// An upload in parts that nobody ends, as a killed process leaves it.
async fn what_died_with_its_process_is_removed(config: &StoreConfig) {
    use object_store::ObjectStoreExt;
    let StoreLocation::S3 { bucket, prefix } = &config.location else { panic!("{config:?}") };
    let secret = |secret: &Option<secrecy::SecretString>| {
        secret.as_ref().map(|secret| secret.expose_secret().to_owned()).unwrap_or_default()
    };
    let s3 = object_store::aws::AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&config.s3_region)
        .with_endpoint(config.s3_endpoint.as_ref().unwrap().as_str().trim_end_matches('/'))
        .with_access_key_id(secret(&config.s3_access_key_id))
        .with_secret_access_key(secret(&config.s3_secret_access_key))
        .with_allow_http(true)
        .build()
        .unwrap();
    let mut begun = Vec::new();
    for name in ["uploads/1/content", "uploads/12/content"] {
        let path = object_store::path::Path::parse(format!("{prefix}/{name}")).unwrap();
        let mut upload = s3.put_multipart(&path).await.unwrap();
        upload.put_part(content(5 << 20).into()).await.unwrap();
        begun.push(upload);
    }
    Store::open(config).unwrap().delete_prefix(&key("uploads/1")).await.unwrap();
    assert!(begun[0].complete().await.is_err(), "the parts are still there");
    assert!(begun[1].complete().await.is_ok(), "another upload's parts are gone");
    Store::open(config).unwrap().delete_prefix(&key("uploads/12")).await.unwrap();
}
