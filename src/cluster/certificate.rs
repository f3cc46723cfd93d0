//! Reads when a certificate ends: the few steps into its DER that lead to `notAfter`.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When a certificate in DER ends; none when it is no certificate.
pub(super) fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate, _) = element(der, SEQUENCE)?;
    let (_, mut rest, _) = element(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        (_, _, rest) = any(rest)?;
    }
    // serial number, signature algorithm, issuer
    for _ in 0..3 {
        (_, _, rest) = any(rest)?;
    }
    let (_, validity, _) = element(rest, SEQUENCE)?;
    let (_, _, rest) = any(validity)?;
    let (tag, end, _) = any(rest)?;
    time(tag, std::str::from_utf8(end).ok()?)
}

/// Tag, content and what follows.
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (first as usize, rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked((first & 0x7f) as usize)?;
            (bytes.iter().fold(0, |length, &byte| length << 8 | byte as usize), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn element(der: &[u8], wanted: u8) -> Option<(u8, &[u8], &[u8])> {
    any(der).filter(|(tag, ..)| *tag == wanted)
}

/// `260801120000Z`, or with four digits for the year. Two digits mean 1950 to 2049 (RFC 5280).
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let full = match tag {
        UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_string(),
        _ => return None,
    };
    let end = DateTime::strptime("%Y%m%d%H%M%SZ", &full).ok()?;
    Some(end.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(year: i32) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["lab".to_string()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 3, 4);
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn reads_the_end_of_a_certificate_before_and_after_2050() {
        assert_eq!(not_after(&made(2031)).unwrap().to_string(), "2031-03-04T00:00:00Z");
        assert_eq!(not_after(&made(2077)).unwrap().to_string(), "2077-03-04T00:00:00Z");
    }

    #[test]
    fn reads_nothing_from_what_is_no_certificate() {
        let whole = made(2031);
        for length in 0..whole.len() {
            assert_eq!(not_after(&whole[..length]), None, "cut at {length}");
        }
        assert_eq!(not_after(b"0\x84\xff\xff\xff\xff"), None);
    }
}
