//! Values that another product hashed: SHA-256 of the value and a salt of its instance.
//!
//! Such a hash is kept as a keyed digest of itself, so that whoever holds the other product's table can neither put it
//! into ours nor send it in place of a value.

use std::fmt;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::access_tokens::secret::{Digest, DigestKey};

/// `access_tokens.digest_version` of the digest of a value.
pub const OF_VALUE: i32 = 1;

/// `access_tokens.digest_version` of the digest of a salted hash.
pub const OF_SALTED_HASH: i32 = 2;

/// What an instance of another product appends to each value before it hashes it. Prints as `[FILTERED]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt(Zeroizing<String>);

impl Salt {
    /// The longest salt, in bytes.
    pub const MAX_LENGTH: usize = 1_024;

    /// Takes a salt as it is, or says why it is none.
    ///
    /// # Errors
    /// A sentence without its subject.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text.len() {
            0 => Err("can't be blank"),
            1..=Self::MAX_LENGTH => Ok(Self(Zeroizing::new(text.to_owned()))),
            _ => Err("is too long (maximum is 1024 bytes)"),
        }
    }

    /// The hash that the other product keeps of a value.
    pub fn hash(&self, value: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(value.as_bytes());
        hash.update(self.0.as_bytes());
        hash.finalize().into()
    }

    /// The text, for encryption.
    fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[FILTERED]")
    }
}

/// The salts of this instance's imported tokens: none, one, hardly ever more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salts(Vec<Salt>);

impl Salts {
    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Salt> {
        self.0.iter()
    }
}

impl FromIterator<Salt> for Salts {
    fn from_iter<I: IntoIterator<Item = Salt>>(salts: I) -> Self {
        Self(salts.into_iter().collect())
    }
}

/// Everything that the database may keep of one value.
#[derive(Clone, Debug)]
pub struct Digests {
    /// The digest of the value itself.
    pub own: Digest,
    /// The digests of its salted hashes.
    pub salted: Vec<Digest>,
}

impl From<&Digest> for Digests {
    fn from(own: &Digest) -> Self {
        Digests {
            own: *own,
            salted: Vec::new(),
        }
    }
}

/// No value holds a NUL, so that none has the digest of something else.
const SALTED: &[u8] = b"\0salted sha-256\0";
const SEALING: &[u8] = b"\0key for imported salts\0";
const KNOWN: &[u8] = b"\0imported salt\0";

/// A sealed text that wasn't sealed under this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an imported salt was encrypted under another instance secret")]
pub struct WrongKey;

impl DigestKey {
    /// Everything that the database may keep of a value.
    pub fn digests(&self, value: &str, salts: &Salts) -> Digests {
        Digests {
            own: self.digest(value),
            salted: salts
                .iter()
                .map(|salt| self.of_salted_hash(&salt.hash(value)))
                .collect(),
        }
    }

    /// What the database keeps of a salted hash.
    pub fn of_salted_hash(&self, hash: &[u8; 32]) -> Digest {
        self.digest_of([SALTED, hash])
    }

    /// By what a salt is known again without being told.
    pub fn of_salt(&self, salt: &Salt) -> Digest {
        self.digest_of([KNOWN, salt.expose().as_bytes()])
    }

    /// Encrypts a salt. `nonce` is random.
    pub fn seal(&self, salt: &Salt, nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let mut text = salt.expose().as_bytes().to_vec();
        let mut sealed = nonce.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let key = self.sealing_key();
        // It fails for texts of gigabytes only.
        if let Some(Ok(())) =
            key.map(|key| key.seal_in_place_append_tag(nonce, Aad::empty(), &mut text))
        {
            sealed.append(&mut text);
        }
        sealed
    }

    /// Decrypts a salt.
    ///
    /// # Errors
    /// When it was encrypted under another key, or changed since.
    pub fn open(&self, sealed: &[u8]) -> Result<Salt, WrongKey> {
        let (nonce, text) = sealed.split_first_chunk().ok_or(WrongKey)?;
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let key = self.sealing_key().ok_or(WrongKey)?;
        let opened = key
            .open_in_place(nonce, Aad::empty(), &mut text)
            .map_err(|_| WrongKey)?;
        let opened = std::str::from_utf8(opened).map_err(|_| WrongKey)?;
        Salt::parse(opened).map_err(|_| WrongKey)
    }

    fn sealing_key(&self) -> Option<LessSafeKey> {
        let key = self.digest_of([SEALING]);
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_bytes()).ok()?;
        Some(LessSafeKey::new(key))
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    fn key(secret: u8) -> DigestKey {
        DigestKey::derive(&[secret; 32])
    }

    fn salt(text: &str) -> Salt {
        Salt::parse(text).unwrap()
    }

    #[test]
    fn a_hash_is_that_of_the_value_with_the_salt_behind_it() {
        // printf '%s' 'glpat-AbCdEfGhIjKlMnOpQrStthe salt of the old instance' | openssl dgst -sha256 -binary | base64
        let hash = salt("the salt of the old instance").hash("glpat-AbCdEfGhIjKlMnOpQrSt");
        assert_eq!(
            STANDARD.encode(hash),
            "hp4J26PhzltXda4VNOr4lTjDfVI9EJqDqWka14Cqcx8="
        );
    }

    #[test]
    fn a_value_is_looked_for_under_every_salt() {
        let salts: Salts = [salt("one"), salt("two")].into_iter().collect();
        let digests = key(1).digests("value", &salts);
        assert_eq!(digests.own, key(1).digest("value"));
        let expected = ["one", "two"].map(|text| key(1).of_salted_hash(&salt(text).hash("value")));
        assert_eq!(digests.salted, expected);
        assert!(key(1).digests("value", &Salts::default()).salted.is_empty());
    }

    #[test]
    fn the_hash_itself_is_no_value() {
        let hash = [b'x'; 32];
        let text = std::str::from_utf8(&hash).unwrap();
        assert_ne!(key(1).of_salted_hash(&hash), key(1).digest(text));
        assert_ne!(key(1).of_salted_hash(&hash), key(2).of_salted_hash(&hash));
    }

    #[test]
    fn a_salt_is_opened_with_the_key_that_sealed_it_and_with_no_other() {
        let salt = salt("a key of the old instance");
        let sealed = key(1).seal(&salt, [7; NONCE_LEN]);
        assert!(!String::from_utf8_lossy(&sealed).contains("old instance"));
        assert_eq!(key(1).open(&sealed), Ok(salt));
        assert_eq!(key(2).open(&sealed), Err(WrongKey));
        for at in [0, NONCE_LEN, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key(1).open(&changed), Err(WrongKey), "byte {at}");
        }
        assert_eq!(key(1).open(b"short"), Err(WrongKey));
    }

    #[test]
    fn a_salt_is_never_printed() {
        let salts: Salts = [salt("hunter2")].into_iter().collect();
        assert_eq!(format!("{salts:?}"), "Salts([[FILTERED]])");
    }
}
