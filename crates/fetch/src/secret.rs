//! The secret that signs links to the objects of a directory, where the operator set none.
//!
//! It lies in the directory itself, so that all services which share the directory share the secret; whoever can read it could
//! read the objects as well.

use std::io;
use std::path::Path;

use secrecy::SecretString;

/// The file of a local store that holds the secret for its links. Begins with a dot, which no key does.
const SECRET_FILE: &str = ".signing-secret";

/// The secret that all services on this directory share: read, or made by whoever comes first.
pub(crate) fn shared_secret(root: &Path) -> io::Result<SecretString> {
    let path = root.join(SECRET_FILE);
    if !path.exists() {
        // Readable by its owner only, and in place at once or not at all.
        let mut file = tempfile::NamedTempFile::with_prefix_in(".signing-", root)?;
        io::Write::write_all(&mut file, hex::encode(rand::random::<[u8; 32]>()).as_bytes())?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&path) {
            Ok(_) => {}
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.error),
        }
    }
    let secret = std::fs::read_to_string(&path)?;
    if secret.trim().len() < 32 {
        return Err(io::Error::other("the signing secret is damaged"));
    }
    Ok(SecretString::from(secret.trim()))
}
