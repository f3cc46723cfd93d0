//! Passwords: which are allowed, generating them, and hashing them with a fresh salt.

use crate::error::{Failure, Result};
pub use crate::model::password_hash::{Form, hash, verify};

/// Letters and digits that nobody mistakes for each other in print.
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz";
const DIGITS: &[u8] = b"23456789";

/// The hash of a password with a fresh salt.
pub fn new_hash(password: &str, form: Form) -> Result<String> {
    match form {
        Form::TwoField => Ok(hash(password, &pick(&[LETTERS, DIGITS].concat(), 8)?, form)),
        Form::FourField => {
            let mut salt = [0; 64];
            fill(&mut salt)?;
            Ok(hash(password, &salt, form))
        }
    }
}

/// The password that every new instance has, and everybody knows.
pub const FACTORY: &str = "SYS";

/// Why IRIS would not take a text as a password, if it would not: its own pattern is 3.32ANP.
pub fn check(password: &str) -> std::result::Result<(), &'static str> {
    if !(3..=32).contains(&password.chars().count()) {
        return Err("a password of IRIS has 3 to 32 characters");
    }
    let allowed = |c: char| c.is_alphanumeric() || c == ' ' || c.is_ascii_punctuation();
    match password.chars().all(allowed) {
        true => Ok(()),
        false => Err("a password of IRIS has letters, digits, punctuation and spaces only"),
    }
}

/// A random password with at least one letter and one digit, of characters that nobody mistakes for each other.
pub fn generate(length: u8) -> Result<String> {
    let alphabet = [LETTERS, DIGITS].concat();
    // Drawing anew until both kinds occur keeps every remaining password equally likely. Below two characters it would
    // never end.
    loop {
        let bytes = pick(&alphabet, usize::from(length.max(2)))?;
        if bytes.iter().any(u8::is_ascii_digit) && bytes.iter().any(u8::is_ascii_alphabetic) {
            return Ok(bytes.into_iter().map(char::from).collect());
        }
    }
}

/// `count` characters of an alphabet (at most 256 long), each equally likely.
fn pick(alphabet: &[u8], count: usize) -> Result<Vec<u8>> {
    // Bytes at the upper end, where the remainder would prefer the first characters, are thrown away.
    let fair = 256 - 256 % alphabet.len();
    let mut picked = Vec::with_capacity(count);
    while picked.len() < count {
        let mut bytes = [0; 64];
        fill(&mut bytes)?;
        let fair_bytes = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        picked.extend(fair_bytes.map(|byte| alphabet[byte % alphabet.len()]).take(count - picked.len()));
    }
    Ok(picked)
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| Failure::step("the system gives no random numbers").cause(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_hash_verifies_and_differs_from_the_last() {
        for form in [Form::TwoField, Form::FourField] {
            let (one, two) = (new_hash("secret", form).unwrap(), new_hash("secret", form).unwrap());
            assert_ne!(one, two);
            assert!(verify(&one, "secret") && verify(&two, "secret") && !verify(&one, "Secret"));
        }
    }

    #[test]
    fn passwords_follow_the_pattern_of_iris() {
        for password in ["SYS", "correct horse; battery", "Zürich-8001", &"x".repeat(32)] {
            assert!(check(password).is_ok(), "{password}");
        }
        for password in ["", "ab", &"x".repeat(33), "tab\there", "line\n"] {
            assert!(check(password).is_err(), "{password:?}");
        }
    }

    #[test]
    fn passwords_have_the_length_and_both_kinds() {
        for length in [8, 16, 32] {
            for _ in 0..50 {
                let password = generate(length).unwrap();
                assert_eq!(password.len(), usize::from(length));
                assert!(password.bytes().any(|byte| byte.is_ascii_digit()));
                assert!(password.bytes().any(|byte| byte.is_ascii_alphabetic()));
                assert!(!password.contains(['0', 'O', '1', 'l', 'I', 'o']));
            }
        }
    }

    #[test]
    fn every_character_is_about_as_likely() {
        let alphabet = [LETTERS, DIGITS].concat();
        let mut counts = std::collections::BTreeMap::new();
        for byte in pick(&alphabet, 56_000).unwrap() {
            *counts.entry(byte).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), alphabet.len());
        // 1000 expected each, standard deviation 31: ten times that is out of reach for a fair draw.
        assert!(counts.values().all(|count| (700..1300).contains(count)), "{counts:?}");
    }
}
