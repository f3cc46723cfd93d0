//! Which addresses something may be downloaded from.

use http::Uri;

/// Whether a text is an address and no file: it has `://` in it.
pub fn is_address(text: &str) -> bool {
    text.contains("://")
}

/// Whether something may be downloaded from there: over https; over http from this host only.
pub fn is_safe(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let Some(host) = uri.host().filter(|host| !host.is_empty()) else { return false };
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => ["127.0.0.1", "localhost", "[::1]"].contains(&host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_host_is_trusted_without_encryption() {
        for good in ["https://example.org/a.yaml", "http://127.0.0.1:8000/a", "http://localhost/a", "http://[::1]:1/a"]
        {
            assert!(is_safe(good), "{good}");
        }
        for bad in [
            "http://example.org/a.yaml",
            "http://127.0.0.1@example.org/a",
            "http://localhost.example.org/a",
            "ftp://example.org/a",
            "file:///etc/passwd",
            "https://",
            "a.yaml",
        ] {
            assert!(!is_safe(bad), "{bad}");
        }
    }
}
