//! Uploads in parts that nobody finished: a bucket keeps their parts, unlisted and paid for, until they are aborted.
//!
//! A writer that fails aborts its own upload; this is for those that died with their process. Promises: everything unfinished
//! below a prefix is gone, or the store failed and the call is to be made again. A service that does not list such uploads, or
//! does not let us, is passed over with a warning: then only a lifecycle rule of the bucket can remove them.

use std::time::Duration;

use futures::TryStreamExt;
use http::StatusCode;
use object_store::aws::AmazonS3;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use serde::Deserialize;

/// How long one listing may take.
const LONGEST_LISTING: Duration = Duration::from_secs(30);

/// Most bytes of one listing; one of a thousand uploads has about half of one.
const LARGEST_LISTING: usize = 4 << 20;

/// Most listings of one call.
const MOST_LISTINGS: usize = 100;

#[derive(Debug, Deserialize)]
struct Listing {
    #[serde(rename = "IsTruncated", default)]
    truncated: bool,
    #[serde(rename = "Upload", default)]
    uploads: Vec<Unfinished>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(PartialEq, Eq))]
struct Unfinished {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "UploadId")]
    id: String,
}

/// Why they are still there.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Aborts every unfinished upload whose key begins with `prefix/`.
pub(crate) async fn abort(s3: &AmazonS3, http: &reqwest::Client, prefix: &Path) -> Result<(), Failure> {
    for _ in 0..MOST_LISTINGS {
        let Some(listing) = list(s3, http, prefix).await? else {
            return Ok(());
        };
        for upload in &listing.uploads {
            match s3.abort_multipart(&Path::parse(&upload.key)?, &upload.id).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !listing.truncated || listing.uploads.is_empty() {
            return Ok(());
        }
    }
    Err("there are too many unfinished uploads for one call".into())
}

/// Asked by a signed link, because `object_store` has no words for this request. `None` where the service refuses it for good.
async fn list(s3: &AmazonS3, http: &reqwest::Client, prefix: &Path) -> Result<Option<Listing>, Failure> {
    let query = [("uploads", String::new()), ("prefix", format!("{prefix}/"))];
    let options = SignedUrlOptions::default().with_query(query);
    let bucket = Path::default();
    let url = s3.signed_url_opts(http::Method::GET, &bucket, LONGEST_LISTING, &options).await?;
    // The link is a credential: errors are told without it.
    let response =
        http.get(url).timeout(LONGEST_LISTING).send().await.map_err(reqwest::Error::without_url)?;
    match response.status() {
        status if status.is_success() => {}
        StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
            tracing::warn!(
                status = response.status().as_u16(),
                "the bucket's unfinished uploads cannot be listed; give it a lifecycle rule that aborts them"
            );
            return Ok(None);
        }
        status => return Err(format!("listing unfinished uploads is answered with status {status}").into()),
    }
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(piece) = stream.try_next().await.map_err(reqwest::Error::without_url)? {
        if body.len() + piece.len() > LARGEST_LISTING {
            return Err("the list of unfinished uploads is too long".into());
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(read(&body)?))
}

fn read(body: &[u8]) -> Result<Listing, Failure> {
    Ok(quick_xml::de::from_reader(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_are_read() {
        let text = br#"<?xml version="1.0" encoding="UTF-8"?>
            <ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>b</Bucket>
            <Upload><Key>a&amp;b/uploads/1/content</Key><UploadId>one</UploadId><Owner><ID>x</ID></Owner></Upload>
            <IsTruncated>true</IsTruncated>
            <Upload><Key>uploads/2/content</Key><UploadId>two</UploadId></Upload></ListMultipartUploadsResult>"#;
        let listing = read(text).unwrap();
        let unfinished = |key: &str, id: &str| Unfinished { key: key.to_owned(), id: id.to_owned() };
        assert!(listing.truncated);
        assert_eq!(
            listing.uploads,
            [unfinished("a&b/uploads/1/content", "one"), unfinished("uploads/2/content", "two")]
        );
        let listing =
            read(b"<ListMultipartUploadsResult><Bucket>b</Bucket></ListMultipartUploadsResult>").unwrap();
        assert!(!listing.truncated && listing.uploads.is_empty());
        assert!(read(b"not a listing").is_err());
    }
}
