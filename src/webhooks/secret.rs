//! Signing keys: how one is made from what is kept, how it is shown, and how it signs.
//!
//! The scheme is that of Standard Webhooks, so that receivers have libraries for it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::access_tokens::secret::{DigestKey, derive_key};

/// What stands where a secret would.
const FILTERED: &str = "[FILTERED]";

/// What a signing key begins with when people see it.
pub const PREFIX: &str = "whsec_";

/// What all signing keys of an instance are made from. It comes from the instance secret: the database alone signs
/// nothing.
#[derive(Clone)]
pub struct WebhookKey {
    signing: Zeroizing<[u8; 32]>,
    naming: DigestKey,
}

impl WebhookKey {
    /// The key of an instance.
    pub fn derive(instance_secret: &[u8]) -> Self {
        WebhookKey {
            signing: Zeroizing::new(derive_key(instance_secret, "latchkey webhook key v1")),
            naming: DigestKey::derive(&derive_key(instance_secret, "latchkey webhook ids v1")),
        }
    }

    /// The signing key that goes with a salt.
    pub fn signing_key(&self, salt: &Salt) -> SigningKey {
        let mut key = Zeroizing::new([0; 32]);
        #[expect(
            clippy::expect_used,
            reason = "it fails only for keys of more than 255 blocks"
        )]
        Hkdf::<Sha256>::new(Some(&salt.0), &*self.signing)
            .expand(b"latchkey webhook signing key v1", &mut *key)
            .expect("one block is a valid length");
        SigningKey(key)
    }

    /// An id for something, always the same, that tells nothing and that no other instance gives.
    pub fn uuid(&self, something: &str) -> String {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.naming.digest(something).as_bytes()[..16]);
        uuid(bytes)
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FILTERED)
    }
}

/// Bytes in the form of a UUID of version 8, whose meaning is its maker's.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    let parts = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    parts.join("-")
}

/// A new id for something that has no other name.
pub fn random_uuid(rng: &mut impl CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    uuid(bytes)
}

/// What makes the signing key of one webhook different from all others. A new one makes a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// A new one.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        Salt(salt)
    }

    /// As it is kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// From the database, which refuses any other length.
impl From<Vec<u8>> for Salt {
    fn from(bytes: Vec<u8>) -> Self {
        let mut salt = [0; 32];
        for (to, from) in salt.iter_mut().zip(bytes) {
            *to = from;
        }
        Salt(salt)
    }
}

/// The key that signs what one webhook sends. Its receiver has it too, and nobody else.
pub struct SigningKey(Zeroizing<[u8; 32]>);

impl SigningKey {
    /// As people copy it, for the one answer that shows it.
    pub fn expose(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(64));
        text.push_str(PREFIX);
        STANDARD.encode_string(*self.0, &mut text);
        text
    }

    /// The value of `webhook-signature`. `sent_at` is `webhook-timestamp`, in seconds since 1970.
    pub fn sign(&self, message_id: &str, sent_at: i64, body: &str) -> String {
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(&*self.0);
        // HMAC pads a key to its block with zeros; with a whole block nothing can go wrong.
        let mut mac = Hmac::<Sha256>::new(&(*block).into());
        mac.update(format!("{message_id}.{sent_at}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FILTERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"a secret for tests, long enough to be one";

    fn key(secret: &[u8], salt: u8) -> SigningKey {
        WebhookKey::derive(secret).signing_key(&Salt([salt; 32]))
    }

    #[test]
    fn signatures_are_those_of_the_published_example() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut bytes = [0; 32];
        bytes[..24].copy_from_slice(&secret);
        // A shorter key is the same as one that is filled up with zeros.
        let signed = SigningKey(Zeroizing::new(bytes)).sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_key_depends_on_the_instance_and_on_the_salt_and_is_always_the_same() {
        let shown = key(SECRET, 1).expose();
        assert_eq!(*shown, *key(SECRET, 1).expose());
        assert_ne!(*shown, *key(SECRET, 2).expose());
        assert_ne!(*shown, *key(b"another secret", 1).expose());
        let bytes = STANDARD
            .decode(shown.strip_prefix("whsec_").unwrap())
            .unwrap();
        assert_eq!(bytes.len(), 32);
    }

    #[test]
    fn keys_are_not_printed() {
        assert_eq!(format!("{:?}", key(SECRET, 1)), FILTERED);
        assert_eq!(format!("{:?}", WebhookKey::derive(SECRET)), FILTERED);
    }

    #[test]
    fn ids_are_uuids_and_the_same_for_the_same() {
        let instance = WebhookKey::derive(SECRET);
        let id = instance.uuid("a");
        assert_eq!(id, instance.uuid("a"));
        assert_ne!(id, instance.uuid("b"));
        assert_ne!(id, WebhookKey::derive(b"another secret").uuid("a"));
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(&id[14..15], "8");
    }
}
