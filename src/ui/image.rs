//! What a person reads at the end of `image build` and `image push`, and the list of images; the same as documents.

use super::look::{Look, elapsed};
use super::table::Table;
use crate::model::image::short;
use serde::Serialize;
use std::time::Duration;

/// The end of `image build` and `image push`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageSummary {
    /// The image, as pods name it.
    pub image: String,
    /// Whether it was built now.
    pub built: bool,
    /// Whether it was pushed now.
    pub pushed: bool,
    /// The digest of its manifest, as the registry gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

impl ImageSummary {
    /// For people.
    pub fn text(&self, look: &Look) -> String {
        let time = elapsed(Duration::try_from_secs_f64(self.seconds).unwrap_or_default());
        let head = match (&self.digest, self.built || self.pushed) {
            (Some(digest), true) => format!("The registry has {} ({time}), {}", self.image, short(digest)),
            (Some(digest), false) => format!("The registry had {} already, {}", self.image, short(digest)),
            (None, true) => format!("{} is built ({time})", self.image),
            (None, false) => format!("{} was built already, nothing was to be done", self.image),
        };
        match self.digest {
            Some(_) => format!("{}\n\nNext:\n  iris-lab up --image {}\n", look.bold(&head), self.image),
            None => look.bold(&head) + "\n",
        }
    }
}

/// An image in a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageRow {
    /// The image, as pods name it.
    pub image: String,
    /// Its id in Docker; none where Docker has it not.
    pub id: Option<String>,
    /// Its size in Docker, as Docker writes it.
    pub size: Option<String>,
    /// The digest of its manifest in the registry; none where the registry has it not.
    pub digest: Option<String>,
}

/// The list of images, for people.
pub fn image_table(rows: &[ImageRow]) -> String {
    if rows.is_empty() {
        return "There are no images\n".into();
    }
    let mut table = Table::new(&["IMAGE", "SIZE", "IN DOCKER", "IN THE REGISTRY"]);
    let or = |text: &Option<String>| text.as_deref().map_or("-".to_string(), |text| short(text).to_string());
    rows.iter().for_each(|row| {
        let size = row.size.clone().unwrap_or_else(|| "-".into());
        table.row([row.image.clone(), size, or(&row.id), or(&row.digest)]);
    });
    table.text(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_who_has_what() {
        let digest = |digit: &str| Some(format!("sha256:{}", digit.repeat(64)));
        let rows = [
            ImageRow {
                image: "localhost:32000/a:1".into(),
                id: digest("0"),
                size: Some("2MB".into()),
                digest: digest("1"),
            },
            ImageRow { image: "localhost:32000/b:1".into(), ..ImageRow::default() },
        ];
        assert_eq!(
            image_table(&rows),
            "IMAGE                 SIZE   IN DOCKER             IN THE REGISTRY\n\
             localhost:32000/a:1   2MB    sha256:000000000000   sha256:111111111111\n\
             localhost:32000/b:1   -      -                     -\n"
        );
        assert_eq!(image_table(&[]), "There are no images\n");
    }
}
