//! The two services of Git, as clients name them.

use crate::access_tokens::scope::Scope;
use crate::permissions::Right;

/// What a client asks a repository for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Cloning and fetching.
    UploadPack,
    /// Pushing.
    ReceivePack,
}

/// The longest `Git-Protocol` header that is passed on, in bytes.
const PROTOCOL_MAX: usize = 256;

impl Service {
    /// Both.
    pub const ALL: [Service; 2] = [Service::UploadPack, Service::ReceivePack];

    /// The service with exactly this name, `git-upload-pack` or `git-receive-pack`.
    pub fn parse(name: &str) -> Option<Service> {
        Service::ALL
            .into_iter()
            .find(|service| service.name() == name)
    }

    /// As it stands in addresses and content types.
    pub const fn name(self) -> &'static str {
        match self {
            Service::UploadPack => "git-upload-pack",
            Service::ReceivePack => "git-receive-pack",
        }
    }

    /// As the program `git` calls it.
    pub const fn command(self) -> &'static str {
        match self {
            Service::UploadPack => "upload-pack",
            Service::ReceivePack => "receive-pack",
        }
    }

    /// The scopes of which a token needs one (`tokens.md` 4).
    pub const fn scopes(self) -> &'static [Scope] {
        match self {
            Service::UploadPack => &[
                Scope::Api,
                Scope::ReadApi,
                Scope::ReadRepository,
                Scope::WriteRepository,
            ],
            Service::ReceivePack => &[Scope::Api, Scope::WriteRepository],
        }
    }

    /// What has to be allowed on the project.
    pub const fn right(self) -> Right {
        match self {
            Service::UploadPack => Right::ReadCode,
            Service::ReceivePack => Right::PushCode,
        }
    }

    /// How a refusal for want of a scope is told.
    pub const fn out_of_scope(self) -> &'static str {
        match self {
            Service::UploadPack => "You are not allowed to download code.",
            Service::ReceivePack => "You are not allowed to upload code.",
        }
    }

    /// How a refusal for want of a role is told.
    pub const fn not_allowed(self) -> &'static str {
        match self {
            Service::UploadPack => "You are not allowed to download code from this project.",
            Service::ReceivePack => "You are not allowed to push code to this project.",
        }
    }
}

/// A `Git-Protocol` header fit for the environment of a program: `key=value` pairs between colons, such as `version=2`.
/// Anything else is as if it hadn't been sent.
pub fn protocol(header: &str) -> Option<&str> {
    let word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    let pair = |text: &str| {
        text.split_once('=')
            .is_some_and(|(key, value)| word(key) && word(value))
    };
    (header.len() <= PROTOCOL_MAX && header.split(':').all(pair)).then_some(header)
}

/// Does a client that sent this header speak version 2 of the protocol?
pub fn speaks_version_2(protocol: Option<&str>) -> bool {
    protocol.is_some_and(|text| text.split(':').any(|pair| pair == "version=2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_exactly_one_name() {
        assert_eq!(Service::parse("git-upload-pack"), Some(Service::UploadPack));
        assert_eq!(
            Service::parse("git-receive-pack"),
            Some(Service::ReceivePack)
        );
        for name in [
            "",
            "upload-pack",
            "git-upload-pack;id",
            "git-upload-pack\0",
            "Git-Upload-Pack",
            "../../bin/sh",
            "git-upload-archive",
        ] {
            assert_eq!(Service::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn pushing_takes_more_than_pulling() {
        for scope in Service::ReceivePack.scopes() {
            assert!(Service::UploadPack.scopes().contains(scope));
        }
        assert!(!Service::ReceivePack.scopes().contains(&Scope::ReadApi));
        assert!(
            !Service::ReceivePack
                .scopes()
                .contains(&Scope::ReadRepository)
        );
    }

    #[test]
    fn only_pairs_of_words_are_passed_on() {
        let long = format!("version=2:{}=1", "x".repeat(260));
        for (header, passed) in [
            ("version=2", true),
            ("version=2:feature=x-1.0", true),
            ("version=2:", false),
            ("version", false),
            ("version=2 ", false),
            ("version=2\nX=1", false),
            ("a=$(id)", false),
            ("", false),
            (long.as_str(), false),
        ] {
            assert_eq!(protocol(header), passed.then_some(header), "{header:?}");
        }
        assert!(speaks_version_2(protocol("version=2")));
        assert!(!speaks_version_2(protocol("version=1")));
        assert!(!speaks_version_2(None));
    }
}
