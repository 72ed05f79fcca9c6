//! The value of a token: how it is made, recognised, and turned into what the database keeps.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What stands in logs where a secret would.
const FILTERED: &str = "[FILTERED]";

/// How the values of new tokens look. Values of either shape are always accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenShape {
    /// The prefix and twenty characters, about 118 random bits.
    Classic,
    /// The prefix, 160 random bits and a checksum, by which scanners and the server tell a value
    /// from noise without asking a database.
    Checked,
}

/// The value of a token that was just made. It exists nowhere else: whoever drops it has lost it.
pub struct Plaintext(Zeroizing<String>);

impl Plaintext {
    /// Makes a new value.
    pub fn generate(shape: TokenShape, prefix: &str, rng: &mut impl CryptoRng) -> Self {
        // Room for the longest, so that the string never moves and leaves a copy behind.
        let mut value = Zeroizing::new(String::with_capacity(prefix.len() + 64));
        value.push_str(prefix);
        match shape {
            TokenShape::Classic => push_classic(&mut value, rng),
            TokenShape::Checked => push_checked(&mut value, rng),
        }
        Self(value)
    }

    /// The value in a link that is good once, of 256 random bits: 43 characters that need no
    /// escaping in a URL.
    pub fn of_link(random: [u8; 32]) -> Self {
        let random = Zeroizing::new(random);
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(*random)))
    }

    /// The value itself, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its last four characters, by which people recognise it.
    pub fn hint(&self) -> String {
        last_four(&self.0)
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FILTERED)
    }
}

/// Twenty characters of 15 random bytes, without the four that people mistake for others.
fn push_classic(value: &mut String, rng: &mut impl CryptoRng) {
    let mut random = Zeroizing::new([0; 15]);
    rng.fill_bytes(&mut *random);
    let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(*random));
    value.extend(encoded.chars().map(|c| match c {
        'l' => 's',
        'I' => 'x',
        'O' => 'y',
        '0' => 'z',
        other => other,
    }));
}

/// The layout of public "routable" tokens, so that scanners that know those find ours as well.
fn push_checked(value: &mut String, rng: &mut impl CryptoRng) {
    let mut payload = Zeroizing::new([0; 24]);
    rng.fill_bytes(&mut payload[..20]);
    payload[20..].copy_from_slice(b"o:1\x03");
    URL_SAFE_NO_PAD.encode_string(*payload, value);
    value.push_str(CHECKED_VERSION);
    value.push_str("0w"); // the 32 characters of the payload, in base 36
    let checksum = checksum(value);
    value.push_str(&checksum);
}

/// Between the payload and the length in a value of the checked shape.
const CHECKED_VERSION: &str = ".01.";
/// The digits of the checksum.
const CHECKSUM_LENGTH: usize = 7;
/// Length and checksum.
const CHECKED_TAIL: usize = 2 + CHECKSUM_LENGTH;
/// The shortest payload that scanners take for one.
const CHECKED_PAYLOAD_MINIMUM: usize = 27;

/// CRC-32/IEEE in base 36.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = ['0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = char::from_digit(rest % 36, 36).unwrap_or('0');
        rest /= 36;
    }
    digits.iter().collect()
}

/// What comes before the checksum and the checksum, if the value has the checked shape.
fn split_checked(value: &str) -> Option<(&str, &str)> {
    let (before_tail, tail) = value.split_at_checked(value.len().checked_sub(CHECKED_TAIL)?)?;
    let payload = before_tail.strip_suffix(CHECKED_VERSION)?;
    let payload_length = payload
        .bytes()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        .count();
    let is_checked = payload_length >= CHECKED_PAYLOAD_MINIMUM
        && tail
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    is_checked.then(|| value.split_at(value.len() - CHECKSUM_LENGTH))
}

fn last_four(value: &str) -> String {
    let start = value.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    value[start..].to_owned()
}

/// A value that somebody sent and that may be a token.
pub struct Candidate(Zeroizing<String>);

impl Candidate {
    /// The longest value that is looked at, in bytes.
    pub const MAX_LENGTH: usize = 512;

    /// Takes a value as it came, or says why it can't be a token.
    ///
    /// Only what is certainly not ours is refused. The prefix is never looked at: it is a setting
    /// that changes, and tokens made under an earlier one go on working.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let value = text.trim();
        if value.is_empty() {
            return Err(Refused::Absent);
        }
        if value.len() > Self::MAX_LENGTH {
            return Err(Refused::TooLong);
        }
        if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Refused::NotPrintable);
        }
        if let Some((before, sent)) = split_checked(value)
            && checksum(before) != sent
        {
            return Err(Refused::WrongChecksum);
        }
        Ok(Self(Zeroizing::new(value.to_owned())))
    }

    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FILTERED)
    }
}

/// Why a value can't be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing was sent; to be treated as if the carrier had been left out.
    #[error("empty")]
    Absent,
    /// Longer than any token.
    #[error("longer than {} bytes", Candidate::MAX_LENGTH)]
    TooLong,
    /// It holds something that is not printable ASCII.
    #[error("not printable ASCII")]
    NotPrintable,
    /// It looks like a token with a checksum, and the checksum is wrong.
    #[error("wrong checksum")]
    WrongChecksum,
}

/// What new values begin with: an instance setting, possibly empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The longest prefix.
    pub const MAX_LENGTH: usize = 20;

    /// Checks a prefix; what is wrong with it comes all at once.
    pub fn parse(text: &str) -> Result<Self, Vec<PrefixProblem>> {
        let mut problems = Vec::new();
        if !text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'+' | b'=' | b'/' | b'@' | b':' | b'.' | b'-')
        }) {
            problems.push(PrefixProblem::Alphabet);
        }
        if text.chars().count() > Self::MAX_LENGTH {
            problems.push(PrefixProblem::TooLong);
        }
        if problems.is_empty() {
            Ok(Self(text.to_owned()))
        } else {
            Err(problems)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("glpat-".to_owned())
    }
}

/// What is wrong with a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixProblem {
    /// Some character is not allowed.
    #[error(
        "can contain only letters of the Base64 alphabet (RFC4648) with the addition of '@', ':' and '.'"
    )]
    Alphabet,
    /// It is too long.
    #[error("is too long (maximum is {} characters)", Prefix::MAX_LENGTH)]
    TooLong,
}

/// The key that turns values into digests. It comes from the instance secret, so that a stolen or
/// injected database row is of no use.
#[derive(Clone)]
pub struct DigestKey(Zeroizing<[u8; 64]>);

impl DigestKey {
    /// The digest key of an instance.
    pub fn derive(instance_secret: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(&derive_key(instance_secret, "latchkey token digest v1"));
        Self(block)
    }

    /// What the database keeps of a value.
    pub fn digest(&self, value: &str) -> Digest {
        self.digest_of([value.as_bytes()])
    }

    /// The digest of these pieces, one after the other. What is no value begins with a byte that no value has.
    pub(super) fn digest_of<const N: usize>(&self, pieces: [&[u8]; N]) -> Digest {
        // HMAC pads a key to its block with zeros; with a whole block nothing can go wrong.
        let mut mac = Hmac::<Sha256>::new(&(*self.0).into());
        for piece in pieces {
            mac.update(piece);
        }
        Digest(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FILTERED)
    }
}

/// What the database keeps of a token's value. It is compared in constant time.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The bytes as they are stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A digest from the database.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FILTERED)
    }
}

/// A key for one purpose, named by `info`. Keys of different purposes tell nothing about each
/// other or about the secret.
pub fn derive_key(instance_secret: &[u8], info: &str) -> [u8; 32] {
    let mut key = [0; 32];
    #[expect(
        clippy::expect_used,
        reason = "it fails only for keys of more than 255 blocks"
    )]
    Hkdf::<Sha256>::new(None, instance_secret)
        .expand(info.as_bytes(), &mut key)
        .expect("one block is a valid length");
    key
}

/// By what an instance recognises its secret without keeping it: 32 hexadecimal digits.
pub fn fingerprint(instance_secret: &[u8]) -> String {
    hex::encode(&derive_key(instance_secret, "latchkey secret fingerprint v1")[..16])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::convert::Infallible;

    use proptest::prelude::*;
    use rand::{SeedableRng as _, TryCryptoRng, TryRng, rngs::StdRng};

    use super::*;

    /// Deals 0, 1, 2, … instead of random bytes.
    struct Counting(u8);

    impl TryRng for Counting {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u32::from_le_bytes(bytes))
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_le_bytes(bytes))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            for byte in bytes {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
            Ok(())
        }
    }

    impl TryCryptoRng for Counting {}

    const VECTORS: [(&str, &str); 3] = [
        (
            "glpat-",
            "glpat-AAECAwQFBgcICQoLDA0ODxAREhNvOjED.01.0w1t87232",
        ),
        ("", "AAECAwQFBgcICQoLDA0ODxAREhNvOjED.01.0w0221qi9"),
        (
            "acme_",
            "acme_AAECAwQFBgcICQoLDA0ODxAREhNvOjED.01.0w04nnac7",
        ),
    ];

    #[test]
    fn checked_values_look_like_the_published_examples() {
        for (prefix, value) in VECTORS {
            let made = Plaintext::generate(TokenShape::Checked, prefix, &mut Counting(0));
            assert_eq!(made.expose(), value);
            assert_eq!(made.hint(), value[value.len() - 4..]);
            assert_eq!(Candidate::parse(value).unwrap().expose(), value);
        }
    }

    #[test]
    fn classic_values_avoid_the_characters_that_look_alike() {
        // The bytes spell "lIO0" five times over before the four are replaced.
        struct LookAlikes;
        impl TryRng for LookAlikes {
            type Error = Infallible;
            fn try_next_u32(&mut self) -> Result<u32, Infallible> {
                Ok(0)
            }
            fn try_next_u64(&mut self) -> Result<u64, Infallible> {
                Ok(0)
            }
            fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
                bytes.copy_from_slice(&URL_SAFE_NO_PAD.decode("lIO0lIO0lIO0lIO0lIO0").unwrap());
                Ok(())
            }
        }
        impl TryCryptoRng for LookAlikes {}

        let made = Plaintext::generate(TokenShape::Classic, "glpat-", &mut LookAlikes);
        assert_eq!(made.expose(), "glpat-sxyzsxyzsxyzsxyzsxyz");
    }

    #[test]
    fn classic_values_match_what_scanners_look_for() {
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..200 {
            let made = Plaintext::generate(TokenShape::Classic, "glpat-", &mut rng);
            let random = made.expose().strip_prefix("glpat-").unwrap();
            assert_eq!(random.len(), 20);
            assert!(
                random
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            );
            assert!(!random.contains(['l', 'I', 'O', '0']));
        }
    }

    #[test]
    fn the_value_in_a_link_keeps_every_random_bit_and_fits_a_url() {
        let random: [u8; 32] = std::array::from_fn(|at| 251 - u8::try_from(at).unwrap());
        let made = Plaintext::of_link(random);
        assert_eq!(made.expose().len(), 43);
        assert!(
            made.expose()
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
        assert_eq!(URL_SAFE_NO_PAD.decode(made.expose()).unwrap(), random);
        assert_eq!(format!("{made:?}"), "[FILTERED]");
    }

    #[test]
    fn no_two_values_are_the_same() {
        let mut rng = StdRng::seed_from_u64(2);
        for shape in [TokenShape::Classic, TokenShape::Checked] {
            let made: HashSet<String> = (0..500)
                .map(|_| Plaintext::generate(shape, "", &mut rng).expose().to_owned())
                .collect();
            assert_eq!(made.len(), 500);
        }
    }

    #[test]
    fn a_changed_character_anywhere_in_a_checked_value_is_noticed() {
        for (_, value) in VECTORS {
            for at in 0..value.len() {
                let mut bytes = value.as_bytes().to_vec();
                bytes[at] = if bytes[at] == b'q' { b'r' } else { b'q' };
                let changed = String::from_utf8(bytes).unwrap();
                match Candidate::parse(&changed) {
                    Err(refused) => assert_eq!(refused, Refused::WrongChecksum, "{changed}"),
                    // Then it lost its shape with its dots, and the look-up decides.
                    Ok(_) => assert!(!changed.contains(".01."), "{changed}"),
                }
            }
        }
    }

    #[test]
    fn only_what_is_certainly_no_token_is_refused_unseen() {
        let long_enough = "a".repeat(512);
        let too_long = "a".repeat(513);
        for (text, expected) in [
            ("", Err(Refused::Absent)),
            (" \t\r\n ", Err(Refused::Absent)),
            ("x", Ok("x")),
            ("  glpat-abc\n", Ok("glpat-abc")),
            ("two words", Ok("two words")),
            ("other-prefix_1234", Ok("other-prefix_1234")),
            (&long_enough, Ok(&*long_enough)),
            (&too_long, Err(Refused::TooLong)),
            ("gl\0pat", Err(Refused::NotPrintable)),
            ("gl\npat", Err(Refused::NotPrintable)),
            ("gl\u{7f}pat", Err(Refused::NotPrintable)),
            ("glpät", Err(Refused::NotPrintable)),
            ("🔑", Err(Refused::NotPrintable)),
            // Near the checked shape, but without it.
            ("short.01.0w0000000", Ok("short.01.0w0000000")),
            (
                "AAECAwQFBgcICQoLDA0ODxAREhNvOjED.02.0w0221qi9",
                Ok("AAECAwQFBgcICQoLDA0ODxAREhNvOjED.02.0w0221qi9"),
            ),
            (
                "AAECAwQFBgcICQoLDA0ODxAREhNvOjED.01.0w0221QI9",
                Ok("AAECAwQFBgcICQoLDA0ODxAREhNvOjED.01.0w0221QI9"),
            ),
            (
                "AAECAwQFBgcICQoLDA0ODxAREhNvOjED.01.0w0221qi8",
                Err(Refused::WrongChecksum),
            ),
            // A prefix may hold dots, and 27 characters are enough for a payload.
            (
                "a.c-AAECAwQFBgcICQoLDA0ODxAREhNvOjED.01.0w0221qi9",
                Err(Refused::WrongChecksum),
            ),
            (
                ".AwQFBgcICQoLDA0ODxAREhNvOjE.01.0w0221qi9",
                Err(Refused::WrongChecksum),
            ),
            (
                ".wQFBgcICQoLDA0ODxAREhNvOjE.01.0w0221qi9",
                Ok(".wQFBgcICQoLDA0ODxAREhNvOjE.01.0w0221qi9"),
            ),
        ] {
            let parsed = Candidate::parse(text);
            let parsed = parsed.as_ref().map(Candidate::expose).map_err(|r| *r);
            assert_eq!(parsed, expected, "{text:?}");
        }
    }

    #[test]
    fn the_length_counts_after_trimming() {
        let padded = format!("  {}  ", "a".repeat(512));
        assert!(Candidate::parse(&padded).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_is_made_under_any_prefix_is_taken_back(
            prefix in "[A-Za-z0-9_+=/@:.-]{0,20}", seed: u64, checked: bool
        ) {
            let shape = if checked { TokenShape::Checked } else { TokenShape::Classic };
            let prefix = Prefix::parse(&prefix).unwrap();
            let made =
                Plaintext::generate(shape, prefix.as_str(), &mut StdRng::seed_from_u64(seed));
            let candidate = Candidate::parse(made.expose()).unwrap();
            prop_assert_eq!(candidate.expose(), made.expose());
            prop_assert!(made.expose().starts_with(prefix.as_str()));
        }

        #[test]
        fn any_text_at_all_is_taken_or_refused_without_a_crash(text in ".{0,80}") {
            let _ = Candidate::parse(&text);
            let _ = Prefix::parse(&text);
        }
    }

    #[test]
    fn a_prefix_says_what_is_wrong_with_it() {
        let alphabet = "can contain only letters of the Base64 alphabet (RFC4648) with the addition of '@', ':' and '.'";
        let length = "is too long (maximum is 20 characters)";
        for (text, expected) in [
            ("", vec![]),
            ("glpat-", vec![]),
            ("AZaz09_+=/@:.-", vec![]),
            ("12345678901234567890", vec![]),
            ("123456789012345678901", vec![length]),
            ("with space", vec![alphabet]),
            ("ümlaut", vec![alphabet]),
            ("new\nline", vec![alphabet]),
            ("%%%%%%%%%%%%%%%%%%%%%", vec![alphabet, length]),
        ] {
            match Prefix::parse(text) {
                Ok(prefix) => {
                    assert_eq!(prefix.as_str(), text);
                    assert!(expected.is_empty(), "{text:?}");
                }
                Err(problems) => {
                    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    assert_eq!(texts, expected, "{text:?}");
                }
            }
        }
        assert_eq!(Prefix::default().as_str(), "glpat-");
    }

    #[test]
    fn the_digest_is_an_hmac_under_a_key_of_its_own() {
        let secret = b"an instance secret of at least 32 bytes";
        let key = DigestKey::derive(secret);
        let digest = key.digest(VECTORS[0].1);

        // The same from the definitions: extract and expand with HMAC, then HMAC again.
        let hmac = |key: &[u8], text: &[u8]| -> [u8; 32] {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
            mac.update(text);
            mac.finalize().into_bytes().into()
        };
        let pseudorandom = hmac(&[0; 32], secret);
        let derived = hmac(&pseudorandom, b"latchkey token digest v1\x01");
        assert_eq!(derive_key(secret, "latchkey token digest v1"), derived);
        assert_eq!(digest.as_bytes(), &hmac(&derived, VECTORS[0].1.as_bytes()));
        assert_eq!(Digest::from_bytes(*digest.as_bytes()), digest);
    }

    #[test]
    fn the_digest_of_a_known_secret_and_value_never_changes() {
        // A change here means that no stored token works any more.
        let key = DigestKey::derive(&[0x42; 32]);
        assert_eq!(
            hex::encode(key.digest(VECTORS[0].1).as_bytes()),
            "cf3452e3b664021e04e55fc5a6c5194d09344a8adf6799f5c54fc8ecdfb97792"
        );
        assert_eq!(fingerprint(&[0x42; 32]), "6b0be40757edd29586194ae6b571fc10");
    }

    #[test]
    fn another_secret_or_another_value_gives_another_digest() {
        let key = DigestKey::derive(&[1; 32]);
        assert_ne!(key.digest("a"), DigestKey::derive(&[2; 32]).digest("a"));
        assert_ne!(key.digest("a"), key.digest("b"));
        assert_eq!(key.digest("a"), key.clone().digest("a"));
    }

    #[test]
    fn keys_of_different_purposes_differ() {
        let purposes = [
            "latchkey token digest v1",
            "latchkey secret fingerprint v1",
            "x",
        ];
        let keys: HashSet<[u8; 32]> = purposes.map(|info| derive_key(&[7; 32], info)).into();
        assert_eq!(keys.len(), 3);
        assert_ne!(fingerprint(&[1; 32]), fingerprint(&[2; 32]));
        assert_eq!(fingerprint(&[1; 32]).len(), 32);
    }

    #[test]
    fn no_secret_prints_itself() {
        let value = Plaintext::generate(TokenShape::Checked, "glpat-", &mut Counting(0));
        let key = DigestKey::derive(&[1; 32]);
        for printed in [
            format!("{value:?}"),
            format!("{:?}", Candidate::parse(value.expose()).unwrap()),
            format!("{key:?}"),
            format!("{:?}", key.digest(value.expose())),
        ] {
            assert_eq!(printed, "[FILTERED]");
        }
    }
}
