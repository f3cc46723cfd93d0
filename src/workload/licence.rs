//! Whether the licence inside of an image is valid: that of a Community Edition ends a year after the release.

use crate::lab::DEFAULT_IMAGE;
use crate::lab::image::{Edition, Image, RELEASES, Release};
use crate::model::Check;
use jiff::{ToSpan, civil::Date};

const NAME: &str = "licence";

/// Whether the image's built-in licence is valid on that day.
pub fn licence(image: &str, today: Date) -> Check {
    let Ok(Image { edition, release }) = Image::parse(image) else {
        return Check::warn(NAME, format!("{image} is no image reference"), "iris-lab labs check FILE");
    };
    match (edition, release) {
        (Edition::Own, _) => Check::ok(NAME, format!("{image} is an image of your own")),
        (Edition::Community, None) => Check::ok(NAME, format!("{image} names no release, so it should be the newest")),
        (Edition::Community, Some(release)) => community(release, today),
        (Edition::Licensed, _) => Check::warn(
            NAME,
            format!("{image} is a licensed edition, and a lab has no licence key for it"),
            format!("use a Community image, such as --image {DEFAULT_IMAGE}"),
        ),
    }
}

/// Not every release is listed, but one that is not came out between its neighbours in the list.
fn community(release: Release, today: Date) -> Check {
    let end = |(year, month, day)| Date::new(year, month, day).ok().map(|date| date.saturating_add(1.year()));
    let before = RELEASES.iter().rev().find(|(listed, _)| *listed <= release).and_then(|(_, date)| end(*date));
    let after = RELEASES.iter().find(|(listed, _)| *listed >= release).and_then(|(_, date)| end(*date));
    let name = format!("the licence in Community Edition {}.{}", release.0, release.1);
    let hint = format!("IRIS stops when its licence has ended: use a newer image, such as --image {DEFAULT_IMAGE}");
    match (before, after) {
        (_, Some(end)) if today > end => Check::warn(NAME, format!("{name} ended on {end} or before"), hint),
        (Some(end), _) if today <= end => Check::ok(NAME, format!("{name} lasts until {end} at least")),
        _ => Check::warn(NAME, format!("{name} may have ended"), hint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Verdict;
    use jiff::civil::date;

    fn verdict(image: &str, today: Date) -> Verdict {
        licence(image, today).verdict
    }

    #[test]
    fn a_licence_ends_a_year_after_the_release() {
        let image = "intersystems/iris-community:2025.1";
        assert_eq!(verdict(image, date(2026, 6, 4)), Verdict::Ok);
        let ended = licence(image, date(2026, 6, 5));
        assert_eq!(ended.cause, "the licence in Community Edition 2025.1 ended on 2026-06-04 or before");
        assert!(ended.hint.unwrap().contains(DEFAULT_IMAGE));
    }

    #[test]
    fn releases_that_are_not_listed_are_judged_by_their_neighbours() {
        assert_eq!(verdict("intersystems/iris-community:2022.1.0.209.0", date(2026, 11, 21)), Verdict::Warn);
        assert_eq!(verdict("intersystems/iris-community:2025.3", date(2026, 5, 1)), Verdict::Ok);
        assert_eq!(
            licence("a/iris-community:2025.3", date(2026, 7, 1)).cause,
            "the licence in Community Edition 2025.3 may have ended"
        );
        assert_eq!(verdict("intersystems/iris-community:2025.3", date(2027, 4, 21)), Verdict::Warn);
        assert_eq!(verdict("intersystems/iris-community:2027.1", date(2027, 4, 21)), Verdict::Ok);
        assert_eq!(verdict("intersystems/iris-community:latest-em", date(2030, 1, 1)), Verdict::Ok);
        assert_eq!(verdict("dpmeister/simple:latest", date(2030, 1, 1)), Verdict::Ok);
        assert_eq!(verdict("containers.intersystems.com/intersystems/iris:2026.1", date(2026, 5, 1)), Verdict::Warn);
        assert_eq!(verdict(DEFAULT_IMAGE, date(2026, 11, 21)), Verdict::Ok);
    }
}
