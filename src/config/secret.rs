//! The instance secret: the one key that all others are derived from.

use std::{
    fmt, fs,
    io::{self, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::source::{ConfigError, Sources};
use crate::db::DatabaseUrl;

/// Fewer bytes than this are no secret.
const SHORTEST: usize = 32;

/// The file in the data directory that holds a secret made at the first start.
const FILE_NAME: &str = "secret.key";

/// The instance secret. Lost from memory when dropped; prints as `[FILTERED]`.
#[derive(Clone, PartialEq, Eq)]
pub struct InstanceSecret(Zeroizing<Vec<u8>>);

impl InstanceSecret {
    /// The bytes, to derive keys from and for nothing else.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Takes the bytes as they are, or says why they are no secret.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<InstanceSecret, String> {
        let bytes = Zeroizing::new(bytes);
        if bytes.len() < SHORTEST {
            return Err(format!(
                "holds {} bytes; a secret has at least {SHORTEST}",
                bytes.len()
            ));
        }
        Ok(InstanceSecret(bytes))
    }
}

impl fmt::Debug for InstanceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstanceSecret([FILTERED])")
    }
}

/// Where the instance secret comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// Given as it is.
    Given(InstanceSecret),
    /// The contents of a file that the operator made, less one line end.
    File(PathBuf),
    /// `secret.key` in the data directory, made when the instance is new.
    DataDirectory,
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Given(_) => f.write_str("Given([FILTERED])"),
            SecretSource::File(path) => write!(f, "File({})", path.display()),
            SecretSource::DataDirectory => f.write_str("DataDirectory"),
        }
    }
}

impl SecretSource {
    pub(super) fn find(
        sources: &Sources,
        database: &DatabaseUrl,
    ) -> Result<SecretSource, ConfigError> {
        match sources.find_either("secret", "secret_file")? {
            (Some(secret), _) => InstanceSecret::from_bytes(secret.raw().as_bytes().to_vec())
                .map(SecretSource::Given)
                .map_err(|reason| secret.refuse(&reason)),
            (_, Some(file)) if file.raw().is_empty() => {
                Err(file.refuse("is empty; it must name a file"))
            }
            (_, Some(file)) => Ok(SecretSource::File(PathBuf::from(file.raw()))),
            (None, None) if !database.is_sqlite() => Err(ConfigError::new(
                "with PostgreSQL the instance secret must be given, because every node needs the same one: \
                 set LATCHKEY_SECRET or LATCHKEY_SECRET_FILE (openssl rand -hex 32 makes one)",
            )),
            (None, None) => Ok(SecretSource::DataDirectory),
        }
    }

    /// The file that the secret is in, if it is in one.
    pub fn file(&self, data_dir: &Path) -> Option<PathBuf> {
        match self {
            SecretSource::Given(_) => None,
            SecretSource::File(path) => Some(path.clone()),
            SecretSource::DataDirectory => Some(data_dir.join(FILE_NAME)),
        }
    }

    /// Reads the secret and makes none; nothing where an instance would make its own at the first start.
    pub(super) fn look(&self, data_dir: &Path) -> Result<Option<InstanceSecret>, ConfigError> {
        let Some(path) = self.file(data_dir) else {
            return match self {
                SecretSource::Given(secret) => Ok(Some(secret.clone())),
                _ => Ok(None),
            };
        };
        match read(&path) {
            Ok(bytes) => InstanceSecret::from_bytes(bytes)
                .map(Some)
                .map_err(|reason| ConfigError::new(format!("{} {reason}", path.display()))),
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && *self == SecretSource::DataDirectory =>
            {
                Ok(None)
            }
            Err(error) => Err(ConfigError::new(format!(
                "{} can't be read: {error}",
                path.display()
            ))),
        }
    }

    /// Reads the secret; makes `secret.key` if this instance has no secret and no database yet.
    pub(super) fn load(
        &self,
        data_dir: &Path,
        database: &DatabaseUrl,
        rng: &mut impl CryptoRng,
    ) -> Result<InstanceSecret, ConfigError> {
        match self {
            SecretSource::Given(secret) => Ok(secret.clone()),
            SecretSource::File(path) => read(path)
                .map_err(|error| {
                    ConfigError::new(format!(
                        "the secret file {} can't be read: {error}",
                        path.display()
                    ))
                })
                .and_then(|bytes| accept(path, bytes)),
            SecretSource::DataDirectory => load_or_make(&data_dir.join(FILE_NAME), database, rng),
        }
    }
}

/// Makes the data directory, for its owner alone. One that is there already stays as it is.
pub(super) fn make_data_dir(path: &Path) -> Result<(), ConfigError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| {
            ConfigError::new(format!(
                "the data directory {} can't be made: {error}",
                path.display()
            ))
        })
}

fn load_or_make(
    path: &Path,
    database: &DatabaseUrl,
    rng: &mut impl CryptoRng,
) -> Result<InstanceSecret, ConfigError> {
    match read(path) {
        Ok(bytes) => return accept(path, bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(ConfigError::new(format!(
                "{} can't be read: {error}",
                path.display()
            )));
        }
    }
    // A database without its secret: a new one would leave every token in it dead, and hide why.
    if let DatabaseUrl::Sqlite(file) = database
        && fs::metadata(file).is_ok_and(|metadata| metadata.len() > 0)
    {
        return Err(ConfigError::new(format!(
            "{} is missing, but the database {} exists: put the file back, or set LATCHKEY_SECRET to what it was",
            path.display(),
            file.display()
        )));
    }
    make(path, rng)
        .map_err(|error| ConfigError::new(format!("{} can't be made: {error}", path.display())))?;
    // Whoever won when several commands started at once, there is one secret in the file now.
    read(path)
        .map_err(|error| ConfigError::new(format!("{} can't be read: {error}", path.display())))
        .and_then(|bytes| accept(path, bytes))
}

/// Writes 64 hex digits to `path`, whole or not at all, and never over a file that is there.
fn make(path: &Path, rng: &mut impl CryptoRng) -> io::Result<()> {
    let mut bytes = Zeroizing::new([0; SHORTEST]);
    rng.fill_bytes(bytes.as_mut());
    let mut digits = Zeroizing::new(hex::encode(bytes.as_ref()));
    digits.push('\n');

    let draft = path.with_extension(format!("key.{:016x}", rng.next_u64()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(digits.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
    let removed = fs::remove_file(&draft);
    written?;
    removed?;
    // The name is durable only once its directory is.
    match path.parent() {
        Some(directory) => fs::File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = fs::read(path)?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    Ok(bytes)
}

fn accept(path: &Path, bytes: Vec<u8>) -> Result<InstanceSecret, ConfigError> {
    // Not refused: container platforms mount secrets readable by all, in a place where there is nobody else.
    if fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0) {
        tracing::warn!(
            "The secret file {} can be read by everybody on this machine",
            path.display()
        );
    }
    InstanceSecret::from_bytes(bytes)
        .map_err(|reason| ConfigError::new(format!("{} {reason}", path.display())))
}

/// A secret that is compared with what a caller sends. Prints as `[FILTERED]`.
#[derive(Clone, PartialEq, Eq)]
pub struct MetricsToken(Zeroizing<String>);

impl MetricsToken {
    pub(super) fn find(sources: &Sources) -> Result<Option<MetricsToken>, ConfigError> {
        let Some(found) = sources.find("metrics_token") else {
            return Ok(None);
        };
        let text = found.text()?;
        if text.len() < 16 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(found.refuse("must be at least 16 visible ASCII characters"));
        }
        Ok(Some(MetricsToken(Zeroizing::new(text.to_owned()))))
    }

    /// The value, to be compared in constant time.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MetricsToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsToken([FILTERED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};
    use tempfile::TempDir;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn rng() -> StdRng {
        StdRng::seed_from_u64(1)
    }

    fn sqlite(dir: &TempDir) -> DatabaseUrl {
        DatabaseUrl::Sqlite(dir.path().join("latchkey.db"))
    }

    fn load(source: &SecretSource, dir: &TempDir) -> Result<InstanceSecret, String> {
        source
            .load(dir.path(), &sqlite(dir), &mut rng())
            .map_err(|error| error.to_string())
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn write_secret(path: &Path, contents: &str) {
        fs::write(path, contents).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn a_new_instance_makes_its_secret_once_for_its_owner_alone() {
        let dir = TempDir::new().unwrap();
        let first = load(&SecretSource::DataDirectory, &dir).unwrap();
        let file = dir.path().join("secret.key");
        let contents = fs::read_to_string(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
        assert_eq!(contents.trim_end().len(), 64);
        assert!(
            contents
                .trim_end()
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit())
        );
        assert_eq!(first.expose(), contents.trim_end().as_bytes());

        let again = SecretSource::DataDirectory
            .load(dir.path(), &sqlite(&dir), &mut StdRng::seed_from_u64(2))
            .unwrap();
        assert_eq!(again, first);
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "a draft was left behind"
        );
    }

    #[test]
    fn the_file_may_be_handed_on_as_a_secret_file() {
        let dir = TempDir::new().unwrap();
        let made = load(&SecretSource::DataDirectory, &dir).unwrap();
        let read = load(&SecretSource::File(dir.path().join("secret.key")), &dir).unwrap();
        assert_eq!(made, read);
    }

    #[test]
    fn a_secret_that_another_command_made_meanwhile_is_kept() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("secret.key");
        write_secret(&path, SECRET);
        make(&path, &mut rng()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), SECRET);
    }

    #[test]
    fn a_database_that_lost_its_secret_gets_no_new_one() {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("latchkey.db"), "SQLite format 3").unwrap();
        let error = load(&SecretSource::DataDirectory, &dir).unwrap_err();
        assert!(error.contains("secret.key is missing"), "{error}");
        assert!(!dir.path().join("secret.key").exists());
    }

    #[test]
    fn one_line_end_is_cut_from_a_file_and_nothing_else() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("secret");
        for (contents, expected) in [
            (SECRET.to_owned(), SECRET.to_owned()),
            (format!("{SECRET}\n"), SECRET.to_owned()),
            (format!("{SECRET}\r\n"), SECRET.to_owned()),
            (format!("{SECRET}\n\n"), format!("{SECRET}\n")),
            (format!(" {SECRET} "), format!(" {SECRET} ")),
        ] {
            write_secret(&path, &contents);
            let secret = load(&SecretSource::File(path.clone()), &dir).unwrap();
            assert_eq!(secret.expose(), expected.as_bytes());
        }
    }

    #[test]
    fn a_file_that_is_short_or_missing_is_refused() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("secret");
        let source = SecretSource::File(path.clone());
        assert!(load(&source, &dir).unwrap_err().contains("can't be read"));
        write_secret(&path, &SECRET[1..]);
        assert!(
            load(&source, &dir)
                .unwrap_err()
                .contains("holds 31 bytes; a secret has at least 32")
        );
    }

    #[test]
    fn a_new_data_directory_is_for_its_owner_alone() {
        let dir = TempDir::new().unwrap();
        let data = dir.path().join("a/b");
        make_data_dir(&data).unwrap();
        assert_eq!((mode(&data), mode(&dir.path().join("a"))), (0o700, 0o700));

        fs::set_permissions(&data, fs::Permissions::from_mode(0o750)).unwrap();
        make_data_dir(&data).unwrap();
        assert_eq!(mode(&data), 0o750);
    }

    #[test]
    fn a_secret_prints_as_filtered() {
        let secret = InstanceSecret::from_bytes(SECRET.into()).unwrap();
        assert_eq!(format!("{secret:?}"), "InstanceSecret([FILTERED])");
        assert_eq!(
            format!("{:?}", SecretSource::Given(secret)),
            "Given([FILTERED])"
        );
        let token = MetricsToken(Zeroizing::new(SECRET.to_owned()));
        assert_eq!(format!("{token:?}"), "MetricsToken([FILTERED])");
    }
}
