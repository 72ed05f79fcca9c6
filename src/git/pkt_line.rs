//! The frames in which Git talks: four hexadecimal digits of length, their own four bytes included, and the payload.

/// The end of a part of the talk.
pub const FLUSH: &[u8] = b"0000";

/// The longest payload of one frame, in bytes.
pub const PAYLOAD_MAX: usize = 65_516;

/// One frame, read from the front of what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The end of a part.
    Flush,
    /// A delimiter, or a mark of version 2 that means nothing here.
    Mark,
    /// A line, with its line end if it has one.
    Line(&'a [u8]),
}

/// What is at the front isn't a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Reads one frame. Tells it and how many bytes it took, or nothing if there isn't enough yet.
///
/// # Errors
/// [`Malformed`] for a length that can't be one.
pub fn read(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, Malformed> {
    let Some(digits) = bytes.get(..4) else {
        return Ok(None);
    };
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(Malformed);
    }
    let digits = std::str::from_utf8(digits).map_err(|_| Malformed)?;
    let length = usize::from_str_radix(digits, 16).map_err(|_| Malformed)?;
    match length {
        0 => Ok(Some((Frame::Flush, 4))),
        1 | 2 => Ok(Some((Frame::Mark, 4))),
        3 => Err(Malformed),
        _ if length > PAYLOAD_MAX + 4 => Err(Malformed),
        _ => Ok(bytes
            .get(4..length)
            .map(|payload| (Frame::Line(payload), length))),
    }
}

/// Appends a frame with this payload, in several frames if it is long.
pub fn write(out: &mut Vec<u8>, payload: &[u8]) {
    for part in payload.chunks(PAYLOAD_MAX) {
        out.extend_from_slice(format!("{:04x}", part.len() + 4).as_bytes());
        out.extend_from_slice(part);
    }
}

/// Appends frames that carry this payload on a band of the side band.
pub fn write_band(out: &mut Vec<u8>, band: u8, payload: &[u8]) {
    for part in payload.chunks(PAYLOAD_MAX - 1) {
        out.extend_from_slice(format!("{:04x}", part.len() + 5).as_bytes());
        out.push(band);
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_are_read_one_after_the_other() {
        let bytes = b"0006a\n0000PACK";
        assert_eq!(read(bytes), Ok(Some((Frame::Line(b"a\n"), 6))));
        assert_eq!(read(&bytes[6..]), Ok(Some((Frame::Flush, 4))));
        assert_eq!(read(&bytes[10..]), Err(Malformed));
        assert_eq!(read(b"0004"), Ok(Some((Frame::Line(b""), 4))));
        assert_eq!(read(b"0001"), Ok(Some((Frame::Mark, 4))));
    }

    #[test]
    fn what_is_not_all_there_is_waited_for() {
        for bytes in [&b""[..], b"0", b"000", b"0006", b"0006a"] {
            assert_eq!(read(bytes), Ok(None), "{bytes:?}");
        }
    }

    #[test]
    fn a_length_that_cannot_be_one_is_refused() {
        for bytes in [
            &b"0003"[..],
            b"fff5",
            b"ffff",
            b"+006",
            b"zzzz",
            b" 000",
            b"-001",
        ] {
            assert_eq!(read(bytes), Err(Malformed), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(payload in proptest::collection::vec(any::<u8>(), 1..200_000)) {
            let mut out = Vec::new();
            write(&mut out, &payload);
            let (mut rest, mut back) = (out.as_slice(), Vec::new());
            while let Ok(Some((Frame::Line(part), taken))) = read(rest) {
                back.extend_from_slice(part);
                rest = &rest[taken..];
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(back, payload);
        }

        #[test]
        fn reading_anything_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes);
        }
    }
}
