//! Names: which are allowed, and which known one somebody meant.

/// The known name that is close enough to be meant.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase());
    // A third of the letters may be wrong, and one always; more would be guessing.
    let limit = 1.max(name.chars().count() / 3);
    let near = known.iter().map(|candidate| (distance(candidate), *candidate)).min();
    near.filter(|(distance, _)| *distance <= limit).map(|(_, candidate)| candidate)
}

/// Whether it is a DNS label: 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end.
pub fn is_dns_label(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('-') && !name.ends_with('-')
}

/// Whether it is a DNS subdomain: labels joined by dots, at most 253 characters.
pub fn is_dns_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_dns_label)
}

/// Whether TZ can hold it: `UTC`, `Asia/Tokyo` or the POSIX form `JST-9`.
pub fn is_time_zone(name: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    let named = name.len() >= 3 && name.len() <= 64 && name.split('/').all(word);
    if name.contains('/') && !name.contains(',') || !name.bytes().any(|byte| byte.is_ascii_digit()) {
        return named;
    }
    // The POSIX form: an abbreviation and the hours west of Greenwich; a second abbreviation and rules may follow.
    let offset = name.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let sign = offset.strip_prefix(['+', '-']).unwrap_or(offset);
    name.len() - offset.len() >= 3
        && name.len() <= 64
        && sign.starts_with(|c: char| c.is_ascii_digit())
        && offset.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-:,./".contains(&byte))
}
