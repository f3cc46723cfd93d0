//! The hash that IRIS takes in `PasswordHash`: computed and compared, so that no manifest holds a password.

use sha1::Sha1;
use sha2::Sha512;
use std::fmt::Write;

/// Iterations of the two-field form, fixed by IRIS.
const TWO_FIELD_ROUNDS: u32 = 1024;
/// Work factor of the four-field form: IRIS's own default.
const WORK_FACTOR: u32 = 10_000;
/// Largest work factor that [`verify`] computes: a foreign hash must not keep us busy for hours.
const MAX_WORK_FACTOR: u32 = 10_000_000;

/// How a hash is written. Images since 2022.1 take the four-field form, older ones only the two-field form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `hash,salt`: PBKDF2 with HMAC-SHA-1; the salt is text.
    TwoField,
    /// `hash,salt,workfactor,algorithm`: PBKDF2 with HMAC-SHA-512; the salt is bytes, written in hex.
    FourField,
}

/// The hash of a password with a given salt. In the two-field form the salt is the ASCII text as it is written.
pub fn hash(password: &str, salt: &[u8], form: Form) -> String {
    match form {
        Form::TwoField => {
            let mut key = [0; 20];
            pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), salt, TWO_FIELD_ROUNDS, &mut key);
            format!("{},{}", hex(&key), String::from_utf8_lossy(salt))
        }
        Form::FourField => format!("{},{},{WORK_FACTOR},SHA512", sha512(password, salt, WORK_FACTOR), hex(salt)),
    }
}

/// Whether a hash in either form is that of the password.
pub fn verify(hash: &str, password: &str) -> bool {
    let fields: Vec<&str> = hash.split(',').map(str::trim).collect();
    match fields[..] {
        [digest, salt] => {
            let expected = self::hash(password, salt.as_bytes(), Form::TwoField);
            expected.split(',').next().is_some_and(|expected| expected.eq_ignore_ascii_case(digest))
        }
        [digest, salt, rounds, "SHA512"] => match (unhex(salt), rounds.parse()) {
            (Some(salt), Ok(rounds @ 1..=MAX_WORK_FACTOR)) => {
                sha512(password, &salt, rounds).eq_ignore_ascii_case(digest)
            }
            _ => false,
        },
        _ => false,
    }
}

fn sha512(password: &str, salt: &[u8], rounds: u32) -> String {
    let mut key = [0; 64];
    pbkdf2::pbkdf2_hmac::<Sha512>(password.as_bytes(), salt, rounds, &mut key);
    hex(&key)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_field_vectors() {
        for (salt, digest) in [
            ("u4ocm4qh", "fbfe8593aefa510c27fd184738d6e865a441de98"),
            ("t6jhs1sc", "d8191b3c433ed48c7cd60cb7a4b1bfd3068b38db"),
        ] {
            assert_eq!(hash("SYS", salt.as_bytes(), Form::TwoField), format!("{digest},{salt}"));
            assert!(verify(&format!("{},{salt}", digest.to_uppercase()), "SYS"));
        }
    }

    #[test]
    fn four_field_vectors() {
        for (password, salt, digest) in [
            (
                "SYS",
                "124e81ee6bf17fcaf0dfb38a4f8a7f46e9e4b0c8c9a40864bb189d4d200b161b1451874efcbed63b801cbab592434b93037e90810d96e4ee123ac03b756779e9",
                "34e80d2f1ad5135679b3a57a9c4b1611a8a8995e0849ebe954ac1c16ad253d0274296985fea058a8aaf2a149b88082595e6374b3c2f7d5f0774f05e4311ba52d",
            ),
            (
                "SYS",
                "0a4c463a2fa1e7542b61aa48800091ab688eb0a14bebf536638f411f5454c9343b9aa6402b4694f0a89b624407a5f43f0a38fc35216bb18aab7dc41ef9f056b1",
                "a31d24aecc0bfe560a7e45bd913ad27c667dc25a75cbfd358c451bb595b6bd52bd25c82cafaa23ca1dd30b3b4947d12d3bb0ffb2a717df29912b743a281f97c1",
            ),
            (
                "IRIS",
                "b0da7a46afc5af0d44da87452b85e5cefb9fe02aa01706cf501f1a168babaab78fef063c5a577e8228d6fcc0f3961363c9906d39cc689e5a264c447a0fff3692",
                "4c458bac977abcc5c5537edca92bd3789eab4c8bc3af70874966c35a0947f0d358591e85f176d2c6d06b7e41ba439cdd91f0b6f42c541f906656852d1e4456a1",
            ),
        ] {
            let expected = format!("{digest},{salt},10000,SHA512");
            assert_eq!(hash(password, &unhex(salt).unwrap(), Form::FourField), expected);
            assert!(verify(&expected, password));
            assert!(!verify(&expected, "sys"));
        }
    }

    #[test]
    fn nonsense_is_no_hash() {
        for hash in ["", "a", "a,b,c", "00,zz,10000,SHA512", "00,00,0,SHA512", "00,00,99999999,SHA512", "é,é,1,SHA512"]
        {
            assert!(!verify(hash, "SYS"), "{hash}");
        }
    }
}
