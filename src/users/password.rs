//! Passwords: which ones are accepted, and how they are kept.

use std::fmt;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::CryptoRng;
use zeroize::Zeroizing;
use zxcvbn::zxcvbn;

/// A password as somebody typed it. Nothing is changed about it: no trimming, no normal form.
pub struct Password(Zeroizing<String>);

impl Password {
    /// The shortest password, in bytes.
    pub const MIN_LENGTH: usize = 8;
    /// The longest password, in bytes.
    pub const MAX_LENGTH: usize = 1024;

    /// Takes a password as it came; [`check`](Self::check) says whether it may be a new one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// May it become somebody's password?
    ///
    /// `about` holds what others know of that person: the user name, the mail address, the name.
    /// This takes a moment, so it belongs off the async threads, as hashing does.
    pub fn check(&self, about: &[&str]) -> Result<(), PasswordProblem> {
        if self.0.len() < Self::MIN_LENGTH {
            return Err(PasswordProblem::TooShort);
        }
        if self.0.len() > Self::MAX_LENGTH {
            return Err(PasswordProblem::TooLong);
        }
        if is_about(&self.0, about) {
            return Err(PasswordProblem::Contextual);
        }
        if is_common(&self.0) {
            return Err(PasswordProblem::TooCommon);
        }
        Ok(())
    }

    fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[FILTERED]")
    }
}

/// Why a password can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// It is too short.
    #[error(
        "Password is too short (minimum is {} characters)",
        Password::MIN_LENGTH
    )]
    TooShort,
    /// It is too long.
    #[error("Password is too long (maximum is {} bytes)", Password::MAX_LENGTH)]
    TooLong,
    /// It is among the first that anybody would try.
    #[error("Password is too common")]
    TooCommon,
    /// It is what it protects.
    #[error("Password must not be your user name, your mail address, your name or Latchkey")]
    Contextual,
}

impl PasswordProblem {
    /// The sentence without its subject.
    pub fn message(self) -> String {
        let text = self.to_string();
        text.strip_prefix("Password ").unwrap_or(&text).to_owned()
    }
}

/// How many of the commonest passwords are refused.
const COMMONEST: u64 = 3_000;
/// No password among those is longer. Beyond that, even one letter over and over is accepted:
/// there are no rules about what a password is made of.
const LONGEST_COMMON: usize = 16;

fn is_common(password: &str) -> bool {
    // A guess more than the rank in the list of common passwords is what the estimate says.
    password.len() <= LONGEST_COMMON && zxcvbn(password, &[]).guesses() <= COMMONEST + 1
}

/// The name of the product, which people like to use as the password of a product.
const PRODUCT: &str = "latchkey";
/// As many digits and signs around a name don't make a password of it.
const DECORATION: usize = 6;

/// Is the password one of these words and nothing else but a few digits and signs?
fn is_about(password: &str, about: &[&str]) -> bool {
    let password = password.to_lowercase();
    let mut words: Vec<String> = about
        .iter()
        .map(|word| word.trim().to_lowercase())
        .collect();
    let parts: Vec<String> = words
        .iter()
        .flat_map(|word| word.split(|c: char| c == '@' || c.is_whitespace()))
        .map(ToOwned::to_owned)
        .collect();
    words.extend(parts);
    words.push(PRODUCT.to_owned());
    words
        .iter()
        .filter(|word| word.chars().count() >= 3)
        .any(|word| {
            let rest = password.replace(word.as_str(), "");
            rest.len() < password.len()
                && rest.chars().count() <= DECORATION
                && !rest.chars().any(char::is_alphabetic)
        })
}

/// The memory of one hash in KiB, the passes over it, and the lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);
/// The length of a salt in bytes.
const SALT_LENGTH: usize = 16;
/// The length of a hash in bytes.
const OUTPUT_LENGTH: usize = 32;
/// A stored hash that asks for more memory than this (in KiB) was not made by us.
const HIGHEST_MEMORY: u32 = 1 << 20;

/// The hash of a password could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(#[from] argon2::password_hash::Error);

/// Hashes a password for the database. This takes a while and 19 MiB; it belongs off the async
/// threads.
pub fn hash(password: &Password, rng: &mut impl CryptoRng) -> Result<String, HashError> {
    let mut salt = [0; SALT_LENGTH];
    rng.fill_bytes(&mut salt);
    let hash: PasswordHash = argon2()?.hash_password_with_salt(password.as_bytes(), &salt)?;
    Ok(hash.to_string())
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, Some(OUTPUT_LENGTH))
        .map_err(argon2::password_hash::Error::from)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// What came of comparing a password with a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Is it the right password?
    pub ok: bool,
    /// It is, and the hash was made at another cost than today's: make and store a new one.
    pub needs_rehash: bool,
}

impl Verified {
    const WRONG: Self = Self {
        ok: false,
        needs_rehash: false,
    };
}

/// Compares a password with a stored hash. A hash that can't be read fits no password.
pub fn verify(password: &Password, stored: &str) -> Verified {
    if password.0.len() > Password::MAX_LENGTH {
        return Verified::WRONG;
    }
    let Ok(stored) = PasswordHash::new(stored) else {
        return Verified::WRONG;
    };
    let Ok(params) = Params::try_from(&stored) else {
        return Verified::WRONG;
    };
    if stored.algorithm.as_str() != "argon2id" || params.m_cost() > HIGHEST_MEMORY {
        return Verified::WRONG;
    }
    if Argon2::default()
        .verify_password(password.as_bytes(), &stored)
        .is_err()
    {
        return Verified::WRONG;
    }
    Verified {
        ok: true,
        needs_rehash: !is_current(&stored, &params),
    }
}

/// Is this the hash of a password as [`verify`] reads them?
pub fn is_hash(text: &str) -> bool {
    PasswordHash::new(text).is_ok_and(|stored| {
        stored.algorithm.as_str() == "argon2id"
            && stored.salt.is_some()
            && stored.hash.is_some()
            && Params::try_from(&stored).is_ok_and(|params| params.m_cost() <= HIGHEST_MEMORY)
    })
}

fn is_current(stored: &PasswordHash, params: &Params) -> bool {
    (params.m_cost(), params.t_cost(), params.p_cost()) == COST
        && stored.version == Some(u32::from(Version::V0x13))
        && stored.salt.is_some_and(|salt| salt.len() == SALT_LENGTH)
        && stored.hash.is_some_and(|hash| hash.len() == OUTPUT_LENGTH)
}

/// A hash at today's cost that fits no password. Comparing with it when nobody has the given name
/// takes as long as comparing with a real one.
pub const fn dummy_hash() -> &'static str {
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    const ABOUT: [&str; 3] = ["olivia", "olivia.lima@example.com", "Olivia Lima"];

    fn problem(text: &str) -> Option<PasswordProblem> {
        Password::new(text).check(&ABOUT).err()
    }

    #[test]
    fn common_passwords_are_refused() {
        for text in [
            "password",
            "12345678",
            "123456789",
            "qwertyuiop",
            "Password",
            "PASSWORD",
            "11111111",
            "aaaaaaaa",
            "xxxxxxxxxxxxxxxx",
            "abcdefgh",
            "baseball",
            "football",
            "iloveyou",
            "trustno1",
            "sunshine",
            "princess",
            "superman",
            "polniypizdec0211",
            "digital1",
            "beautifu",
        ] {
            assert_eq!(problem(text), Some(PasswordProblem::TooCommon), "{text}");
        }
    }

    #[test]
    fn what_everybody_knows_about_a_person_is_no_password() {
        for text in [
            "latchkey",
            "Latchkey",
            "latchkey123",
            "latchkey749301",
            "LATCHKEY-2026",
            "olivia2026",
            "!!olivia!!",
            "oliviaolivia",
            "olivia.lima",
            "olivia.lima@example.com",
            "Olivia.Lima@Example.com1",
            "Olivia Lima",
            "example.com",
        ] {
            assert_eq!(problem(text), Some(PasswordProblem::Contextual), "{text}");
        }
    }

    #[test]
    fn a_name_within_a_longer_password_is_fine() {
        for text in [
            "latchkey opens my cellar",
            "olivia-grows-tomatoes",
            "latchkey7493017",
            "olivia74930174",
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
        // A short user name would be within everything.
        assert_eq!(Password::new("bo7493017").check(&["bo"]), Ok(()));
        assert_eq!(
            Password::new("bob749301").check(&[" Bob "]),
            Err(PasswordProblem::Contextual)
        );
    }

    #[test]
    fn everything_else_is_accepted_without_rules_about_its_characters() {
        let seventeen = "x".repeat(17);
        let sixty_four = "x".repeat(64);
        let longest = "é".repeat(512);
        for text in [
            "jW4kz0vQmT8rYxB",
            // Common, but no more among the commonest.
            "idontkno",
            "valkyrie",
            "correct horse battery staple",
            "  leading and trailing  ",
            "🔑🌂🎻🪁🧭🪗🛶🧶",
            "passwort ohne sonderzeichen",
            "73019463825",
            "🔑🌂🎻🪁",
            &seventeen,
            &sixty_four,
            &longest,
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
    }

    #[test]
    fn the_length_is_counted_in_bytes() {
        for (text, expected) in [
            (String::new(), Some(PasswordProblem::TooShort)),
            ("kV4$zq7".to_owned(), Some(PasswordProblem::TooShort)),
            ("kV4$zq7w".to_owned(), None),
            ("k".repeat(1024), None),
            ("k".repeat(1025), Some(PasswordProblem::TooLong)),
            ("é".repeat(513), Some(PasswordProblem::TooLong)),
        ] {
            assert_eq!(problem(&text), expected, "{} bytes", text.len());
        }
    }

    #[test]
    fn the_reasons_are_sentences() {
        for (problem, text, message) in [
            (
                PasswordProblem::TooShort,
                "Password is too short (minimum is 8 characters)",
                "is too short (minimum is 8 characters)",
            ),
            (
                PasswordProblem::TooLong,
                "Password is too long (maximum is 1024 bytes)",
                "is too long (maximum is 1024 bytes)",
            ),
            (
                PasswordProblem::TooCommon,
                "Password is too common",
                "is too common",
            ),
        ] {
            assert_eq!(problem.to_string(), text);
            assert_eq!(problem.message(), message);
        }
    }

    #[test]
    fn only_the_right_password_fits_its_hash() {
        let mut rng = StdRng::seed_from_u64(1);
        let stored = hash(&Password::new("  correct horse  "), &mut rng).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(
            verify(&Password::new("  correct horse  "), &stored),
            Verified {
                ok: true,
                needs_rehash: false
            }
        );
        for wrong in ["", "correct horse", "  Correct horse  ", "x"] {
            assert_eq!(
                verify(&Password::new(wrong), &stored),
                Verified::WRONG,
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn the_same_password_has_another_hash_each_time() {
        let mut rng = StdRng::seed_from_u64(1);
        let password = Password::new("correct horse");
        let first = hash(&password, &mut rng).unwrap();
        let second = hash(&password, &mut rng).unwrap();
        assert_ne!(first, second);
        let salt = |stored: &str| PasswordHash::new(stored).unwrap().salt.unwrap().len();
        assert_eq!((salt(&first), salt(&second)), (16, 16));
    }

    #[test]
    fn a_hash_at_another_cost_still_fits_and_asks_for_a_new_one() {
        for (memory, passes, output) in [(1024, 1, 32), (19_456, 1, 32), (19_456, 2, 16)] {
            let params = Params::new(memory, passes, 1, Some(output)).unwrap();
            let stored: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_with_salt(b"correct horse", &[7; 16])
                .unwrap();
            let stored = stored.to_string();
            assert_eq!(
                verify(&Password::new("correct horse"), &stored),
                Verified {
                    ok: true,
                    needs_rehash: true
                },
                "{stored}"
            );
            assert_eq!(verify(&Password::new("wrong"), &stored), Verified::WRONG);
        }
    }

    #[test]
    fn the_longest_password_fits_its_hash_and_no_longer_one_is_tried() {
        let mut rng = StdRng::seed_from_u64(1);
        for (length, ok) in [(1024, true), (1025, false)] {
            let password = Password::new("k".repeat(length));
            let stored = hash(&password, &mut rng).unwrap();
            let verified = verify(&password, &stored);
            assert_eq!(
                (verified.ok, verified.needs_rehash),
                (ok, false),
                "{length}"
            );
        }
    }

    #[test]
    fn what_is_no_hash_of_ours_fits_nothing() {
        let argon2i: PasswordHash = Argon2::new(
            Algorithm::Argon2i,
            Version::V0x13,
            Params::new(1024, 2, 1, Some(32)).unwrap(),
        )
        .hash_password_with_salt(b"correct horse", &[7; 16])
        .unwrap();
        let greedy = dummy_hash().replace("m=19456", "m=4194304");
        for stored in [
            "",
            "correct horse",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
            &argon2i.to_string(),
            &greedy,
        ] {
            assert_eq!(
                verify(&Password::new("correct horse"), stored),
                Verified::WRONG,
                "{stored}"
            );
        }
    }

    #[test]
    fn the_dummy_costs_what_a_real_hash_costs_and_fits_nothing() {
        let dummy = PasswordHash::new(dummy_hash()).unwrap();
        assert!(is_current(&dummy, &Params::try_from(&dummy).unwrap()));
        for text in ["", "password", "correct horse"] {
            assert_eq!(verify(&Password::new(text), dummy_hash()), Verified::WRONG);
        }
    }

    #[test]
    fn a_password_never_prints_itself() {
        assert_eq!(format!("{:?}", Password::new("hunter2")), "[FILTERED]");
    }
}
