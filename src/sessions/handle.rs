//! What pages call a session: a short name that is derived from what the database knows it by, and leads back to
//! nothing.

use crate::access_tokens::secret::DigestKey;

/// Bytes of a handle: it only has to tell a person's own sessions apart.
const LENGTH: usize = 8;

/// The handle of the session that is kept under this digest: 16 hexadecimal digits.
pub fn of(key: &DigestKey, id_digest: &[u8]) -> String {
    let digest = key.digest(&format!("session handle {}", hex::encode(id_digest)));
    hex::encode(&digest.as_bytes()[..LENGTH])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_short_tells_sessions_apart_and_shows_nothing_of_the_digest() {
        let key = DigestKey::derive(b"secret");
        let digests = [[1; 32], [2; 32]];
        let [one, two] = digests.map(|digest| of(&key, &digest));
        assert_ne!(one, two);
        assert_eq!(one.len(), 16);
        assert!(!hex::encode(digests[0]).contains(&one));
        assert_ne!(one, of(&DigestKey::derive(b"another"), &digests[0]));
    }
}
