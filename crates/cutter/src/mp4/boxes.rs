//! The bytes of MP4 boxes: big-endian numbers, and lengths in front that are filled in when a box is complete.
//!
//! Nothing here can fail. A box holds at most 4 GiB; [`super::arrange`] bounds the number of samples so that the
//! tables stay far below.

/// Bytes in the making.
pub(super) type Bytes = Vec<u8>;

/// Appending big-endian numbers.
pub(super) trait Put {
    /// Appends one byte.
    fn u8(&mut self, value: u8);
    /// Appends two bytes.
    fn u16(&mut self, value: u16);
    /// Appends four bytes.
    fn u32(&mut self, value: u32);
    /// Appends eight bytes.
    fn u64(&mut self, value: u64);
    /// Appends these bytes.
    fn bytes(&mut self, value: &[u8]);
    /// Appends zeros.
    fn zeros(&mut self, count: usize);
    /// Appends `value` as eight bytes if `wide`, else as four.
    fn sized(&mut self, wide: bool, value: u64);
}

impl Put for Bytes {
    fn u8(&mut self, value: u8) {
        self.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn bytes(&mut self, value: &[u8]) {
        self.extend_from_slice(value);
    }

    fn zeros(&mut self, count: usize) {
        self.resize(self.len() + count, 0);
    }

    fn sized(&mut self, wide: bool, value: u64) {
        if wide { self.u64(value) } else { self.u32(value as u32) }
    }
}

/// Whether a number needs eight bytes.
pub(super) fn is_wide(value: u64) -> bool {
    value > u64::from(u32::MAX)
}

/// Appends a box of this kind with the content that `content` appends.
pub(super) fn put_box(out: &mut Bytes, kind: &[u8; 4], content: impl FnOnce(&mut Bytes)) {
    let start = out.len();
    out.u32(0);
    out.bytes(kind);
    content(out);
    let length = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Appends a box that begins with a version and 24 flags.
pub(super) fn put_full_box(
    out: &mut Bytes,
    kind: &[u8; 4],
    version: u8,
    flags: u32,
    content: impl FnOnce(&mut Bytes),
) {
    put_box(out, kind, |out| {
        out.u32(u32::from(version) << 24 | flags & 0x00FF_FFFF);
        content(out);
    });
}

/// Appends a file type box.
pub(super) fn put_file_type(out: &mut Bytes, major: &[u8; 4], compatible: &[&[u8; 4]]) {
    put_box(out, b"ftyp", |out| {
        out.bytes(major);
        out.u32(0x200);
        for brand in compatible {
            out.bytes(*brand);
        }
    });
}

/// Appends the header of an `mdat` box with a payload of that many bytes.
pub(super) fn put_media_header(out: &mut Bytes, payload: u64) {
    if is_wide(payload.saturating_add(8)) {
        out.u32(1);
        out.bytes(b"mdat");
        out.u64(payload.saturating_add(16));
    } else {
        out.u32(payload as u32 + 8);
        out.bytes(b"mdat");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A tree of boxes: leaves hold bytes.
    #[derive(Debug, Clone, PartialEq)]
    enum Tree {
        Leaf(Vec<u8>),
        Node(Vec<Tree>),
    }

    fn put(out: &mut Bytes, tree: &Tree) {
        match tree {
            Tree::Leaf(content) => put_full_box(out, b"leaf", 1, 0xABCDEF, |out| out.bytes(content)),
            Tree::Node(children) => {
                put_box(out, b"node", |out| children.iter().for_each(|child| put(out, child)));
            }
        }
    }

    /// Reads boxes until `bytes` are used up.
    fn parse(mut bytes: &[u8]) -> Vec<Tree> {
        let mut trees = Vec::new();
        while !bytes.is_empty() {
            let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
            let content = &bytes[8..length];
            trees.push(match &bytes[4..8] {
                b"leaf" => {
                    assert_eq!(content[..4], [1, 0xAB, 0xCD, 0xEF]);
                    Tree::Leaf(content[4..].to_vec())
                }
                _ => Tree::Node(parse(content)),
            });
            bytes = &bytes[length..];
        }
        trees
    }

    fn trees() -> impl Strategy<Value = Tree> {
        let leaf = proptest::collection::vec(any::<u8>(), 0..40).prop_map(Tree::Leaf);
        leaf.prop_recursive(4, 40, 6, |inner| proptest::collection::vec(inner, 0..6).prop_map(Tree::Node))
    }

    proptest! {
        #[test]
        fn lengths_lead_to_the_next_box(tree in trees()) {
            let mut out = Bytes::new();
            put(&mut out, &tree);
            prop_assert_eq!(parse(&out), vec![tree]);
        }
    }

    #[test]
    fn media_headers_grow_when_they_must() {
        let header = |payload| {
            let mut out = Bytes::new();
            put_media_header(&mut out, payload);
            out
        };
        assert_eq!(header(0xFFFF_FFF7), [0xFF, 0xFF, 0xFF, 0xFF, b'm', b'd', b'a', b't']);
        assert_eq!(header(0xFFFF_FFF8)[..8], [0, 0, 0, 1, b'm', b'd', b'a', b't']);
        assert_eq!(header(0xFFFF_FFF8)[8..], [0, 0, 0, 1, 0, 0, 0, 8]);
    }
}
